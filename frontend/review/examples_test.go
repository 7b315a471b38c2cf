package review_test

import (
	"os"
	"path/filepath"
	"testing"
)

// Our own Dockerfiles keep all practices.
func TestExamples(t *testing.T) {
	dirs, err := filepath.Glob("../../examples/*/Dockerfile")
	if err != nil || len(dirs) < 10 {
		t.Fatal(dirs, err)
	}
	for _, path := range append(dirs, "../../Dockerfile") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		r := build{dockerfile: string(text), dir: filepath.Dir(path)}.must(t)
		if r.Failed() {
			t.Errorf("%s:\n%s", path, r.Text())
		}
	}
}
