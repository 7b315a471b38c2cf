package integration

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stagecraft/stagecraft/frontend/bake"
	"github.com/stagecraft/stagecraft/integration/sandbox"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/llbtest"
)

// TestBakeTakesWhatWeWrite writes Bake files for real Dockerfiles, and has the real Bake read them.
func TestBakeTakesWhatWeWrite(t *testing.T) {
	s := sandbox.Shared(t, "scenarios", sandbox.WithImages(scenarioBases...))
	root := os.Getenv("STAGECRAFT_CORPUS")
	if root == "" {
		root = "../llb/testdata/corpus"
	}
	files, err := llbtest.Corpus(root)
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, f := range files {
		if read == 20 {
			break
		}
		dt, ok := bakeFile(t.Context(), t, f.With(map[string]string{"platform": "linux/amd64"}))
		if !ok {
			continue
		}
		read++
		dir := t.TempDir()
		for name, text := range map[string][]byte{"docker-bake.json": dt, "Dockerfile": f.Dockerfile} {
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.CommandContext(t.Context(), filepath.Join(s.BinDir(), "buildx"), "bake", "--print", "default")
		cmd.Dir, cmd.Env = dir, s.Environment()
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s\n%s", f.Name, err, out, dt)
		}
	}
	if read < 20 {
		t.Errorf("only %d files of the corpus were tried", read)
	}
}

// bakeFile is the Bake file of a Dockerfile with several stages that builds.
func bakeFile(ctx context.Context, t *testing.T, r llbtest.Request) ([]byte, bool) {
	t.Helper()
	req, err := r.Compiler(ctx)
	if err != nil {
		return nil, false
	}
	req.Tolerant = true
	resolved, err := compiler.Graph(ctx, req)
	if err != nil || len(resolved.Graph.Units[0].Stages) < 2 {
		return nil, false
	}
	dt, err := bake.New(bake.Input{Graph: resolved.Graph, Dockerfile: "Dockerfile"}).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return dt, true
}
