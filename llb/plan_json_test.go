package llb_test

import (
	"path/filepath"
	"testing"

	"github.com/stagecraft/stagecraft/llb/llbtest"
	"golang.org/x/tools/txtar"
)

// A plan that was written as JSON and read again is lowered to the same LLB,
// and has the same text.
func TestPlanThroughJSON(t *testing.T) {
	compared := 0
	check := func(name string, r llbtest.Request) {
		want := llbtest.Ours(t.Context(), r)
		r.ThroughJSON = true
		if got := llbtest.Ours(t.Context(), r); want.Err == nil || got.Err == nil {
			compared++
			if diff := llbtest.Diff(r, want, got); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	}
	cases, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range cases {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		r, _ := readCase(a)
		check(path, r)
	}
	for _, f := range corpus(t) {
		check(f.Name, variants(f)[0].Request)
	}
	if compared < len(cases) {
		t.Errorf("only %d plans were compared", compared)
	}
}
