package flatten_test

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/llb/llbtest"
	"golang.org/x/tools/txtar"
)

// What the examples and the scenarios build flattens to the same, as far as it
// can be said in plain words. Here images have made-up configs; the scenario
// flatten compares on a real daemon.
func TestExamplesAndScenarios(t *testing.T) {
	folders := map[string]map[string]string{}
	examples, err := filepath.Glob("../../examples/*")
	if err != nil || len(examples) == 0 {
		t.Fatal("no examples", err)
	}
	for _, dir := range examples {
		folders[filepath.Base(dir)] = readFolder(t, dir)
	}
	scenarios, err := filepath.Glob("../../integration/testdata/*.txtar")
	if err != nil || len(scenarios) == 0 {
		t.Fatal("no scenarios", err)
	}
	for _, file := range scenarios {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		files := map[string]string{}
		for _, f := range a.Files {
			files[f.Name] = string(f.Data)
		}
		folders[filepath.Base(file)] = files
	}
	flat := 0
	for _, name := range slices.Sorted(maps.Keys(folders)) {
		files := folders[name]
		for _, file := range slices.Sorted(maps.Keys(files)) {
			if base := path.Base(file); strings.Contains(file, "/") || !strings.HasPrefix(base, "Dockerfile") && !strings.HasSuffix(base, ".Dockerfile") || strings.HasSuffix(base, ".dockerignore") {
				continue
			}
			t.Run(name+"/"+file, func(t *testing.T) {
				r := llbtest.Request{Dockerfile: []byte(files[file]), Beside: files, InContext: files, Opts: map[string]string{"platform": "linux/amd64"}}
				_, err := law(t, r)
				switch {
				case err == nil:
					flat++
				case errors.As(err, new(errNotOurs)):
				case !refused(err, strings.Join(slices.Collect(maps.Values(files)), "\n")):
					t.Error(err)
				}
			})
		}
	}
	if t.Logf("%d are flattened", flat); flat < 40 {
		t.Errorf("only %d builds are flattened", flat)
	}
}

func readFolder(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(p)
		rel, _ := filepath.Rel(dir, p)
		files[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
