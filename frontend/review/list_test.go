package review_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/frontend/review"
)

// docs/review.md lists all rules.
func TestList(t *testing.T) {
	const path, heading = "../../docs/review.md", "## The rules\n"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, _, ok := strings.Cut(string(data), heading)
	if !ok {
		t.Fatalf("%s has no part %q", path, heading)
	}
	want := before + heading + "\n| rule | practice |\n|---|---|\n"
	for _, r := range review.Rules() {
		want += fmt.Sprintf("| [%s](rules/%s.md) | %s |\n", r.ID, r.ID, r.Practice)
	}
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(data) {
		t.Errorf("%s lists other rules; go test ./frontend/review -run TestList -update", path)
	}
}
