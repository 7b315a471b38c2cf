package llb_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/stagecraft/stagecraft/llb/llbtest"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the golden files of this package")

// TestGolden shows what becomes of one Dockerfile a case: the plan, and the
// LLB, or the error. A case is a txtar archive of
//
//	Dockerfile
//	opts            options of the client, key=value a line
//	ignore          the ignore file
//	old-daemon      (empty) a daemon that lacks what BuildKit got lately
//	files/DIR/NAME  a file of the local source DIR
//	beside/PATH     a further Dockerfile, relative to the Dockerfile
//	context/PATH    the same, in the build context
//	warnings        of the build checks
//	plan, llb       what comes out
//	error           or this
func TestGolden(t *testing.T) {
	cases, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, path := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) { golden(t, path) })
	}
}

// TestEveryInstruction finds an instruction by its name: the file that says what
// it means, and a golden case.
func TestEveryInstruction(t *testing.T) {
	for name := range command.Commands {
		exists(t, filepath.Join("plan", name+".go"))
		exists(t, filepath.Join("testdata", name+".txtar"))
	}
	exists(t, filepath.Join("plan", "unset.go"))
	exists(t, filepath.Join("testdata", "addition-unset.txtar"))
	exists(t, filepath.Join("dockerfile", "include.go"))
	exists(t, filepath.Join("testdata", "addition-include.txtar"))
}

func exists(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func golden(t *testing.T, path string) {
	a, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, keep := readCase(a)
	upstream := llbtest.Upstream(t.Context(), r)
	if diff, addition := compare(t.Context(), r, upstream); diff != "" {
		t.Errorf("not as docker/dockerfile has it: %s", diff)
	} else if addition != "" {
		t.Logf("accepted here alone: %s", addition)
	}
	for _, c := range calls {
		if diff := compareAnswers(t.Context(), r, c.upstream, c.ours); diff != "" {
			t.Errorf("--call=%s is not as docker/dockerfile has it: %s", c.name, diff)
		}
	}
	got := txtar.Format(&txtar.Archive{Comment: a.Comment, Files: append(keep, llbtest.Show(t.Context(), r)...)})
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want := txtar.Format(a); string(got) != string(want) {
		t.Errorf("differs from %s (go test ./llb -run TestGolden -update rewrites it):\n%s", path, firstDifference(string(want), string(got)))
	}
}

// readCase is the request of a case, and the files that ask it.
func readCase(a *txtar.Archive) (r llbtest.Request, keep []txtar.File) {
	r.Opts = map[string]string{"platform": "linux/amd64"}
	r.Files = map[string]map[string]string{}
	r.Beside, r.InContext = map[string]string{}, map[string]string{}
	for _, f := range a.Files {
		switch {
		case f.Name == "Dockerfile":
			r.Dockerfile = f.Data
		case f.Name == "opts":
			for line := range strings.Lines(string(f.Data)) {
				k, v, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
				r.Opts[k] = v
			}
		case f.Name == "ignore":
			r.Ignore = string(f.Data)
		case f.Name == "old-daemon":
			r.OldDaemon = true
		case strings.HasPrefix(f.Name, "files/"):
			dir, name, _ := strings.Cut(strings.TrimPrefix(f.Name, "files/"), "/")
			if r.Files[dir] == nil {
				r.Files[dir] = map[string]string{}
			}
			r.Files[dir][name] = string(f.Data)
		case strings.HasPrefix(f.Name, "beside/"):
			r.Beside[strings.TrimPrefix(f.Name, "beside/")] = string(f.Data)
		case strings.HasPrefix(f.Name, "context/"):
			r.InContext[strings.TrimPrefix(f.Name, "context/")] = string(f.Data)
		default:
			continue // what came out
		}
		keep = append(keep, f)
	}
	return r, keep
}

func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d\n  want %s\n  got  %s", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines wanted, %d there", len(a), len(b))
}
