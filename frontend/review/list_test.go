package review_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/frontend/review"
	"golang.org/x/tools/txtar"
)

const reviewPage = "../../docs/review.md"

// docs/review.md lists all rules.
func TestList(t *testing.T) {
	const heading = "## The rules\n"
	data, err := os.ReadFile(reviewPage)
	if err != nil {
		t.Fatal(err)
	}
	before, _, ok := strings.Cut(string(data), heading)
	if !ok {
		t.Fatalf("%s has no part %q", reviewPage, heading)
	}
	want := before + heading + "\n| rule | practice |\n|---|---|\n"
	for _, r := range review.Rules() {
		want += fmt.Sprintf("| [%s](rules/%s.md) | %s |\n", r.ID, r.ID, r.Practice)
	}
	keep(t, reviewPage, string(data), want)
}

// keep compares a page with what it should be, or writes it.
func keep(t *testing.T, path, have, want string) {
	t.Helper()
	if have == want {
		return
	}
	if !*update {
		t.Errorf("%s is not what go test ./frontend/review -update writes", path)
	} else if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

var pageExample = regexp.MustCompile("(?s)```dockerfile\n(.*?)```\n\n```\n(.*?)```\n")

// The page shows what a review of its example says; so does the scenario, in
// which the real client asks.
func TestPageExample(t *testing.T) {
	data, err := os.ReadFile(reviewPage)
	if err != nil {
		t.Fatal(err)
	}
	at := pageExample.FindSubmatchIndex(data)
	if at == nil {
		t.Fatalf("%s has no example", reviewPage)
	}
	dockerfile, have := string(data[at[2]:at[3]]), string(data[at[4]:at[5]])
	want := build{dockerfile: dockerfile}.must(t).Text()
	keep(t, reviewPage, string(data), string(data[:at[4]])+want+string(data[at[5]:]))
	if *update {
		have = want
	}

	const path = "../../integration/testdata/review.txtar"
	scenario, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range scenario.Files {
		switch f := &scenario.Files[i]; f.Name {
		case "Dockerfile":
			f.Data = []byte(dockerfile)
		case "review.txt":
			f.Data = []byte(have)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	keep(t, path, string(text), string(txtar.Format(scenario)))
}
