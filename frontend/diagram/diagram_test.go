package diagram_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/moby/buildkit/frontend/dockerui"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagecraft/stagecraft/frontend/diagram"
	"github.com/stagecraft/stagecraft/frontend/view"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/resolve"
)

var amd64 = ocispecs.Platform{OS: "linux", Architecture: "amd64"}

// images has every image. One whose name contains "onbuild" has triggers that
// copy from another image and from a stage called tools.
type images struct{}

func (images) Image(_ context.Context, ref string, p ocispecs.Platform, _ string) (resolve.Image, error) {
	config := `{"os":"linux","architecture":"` + p.Architecture + `","rootfs":{"type":"layers","diff_ids":["` + digest.FromString(ref).String() + `"]}}`
	if strings.Contains(ref, "onbuild") {
		config = `{"config":{"OnBuild":["COPY --from=busybox /bin/wget /bin/","COPY --from=tools /t /t","RUN true"]},` + config[1:]
	}
	return resolve.Image{Ref: ref, Digest: digest.FromString(ref), Config: []byte(config)}, nil
}

func (images) HasContext(string, *ocispecs.Platform) (bool, error) { return false, nil }

func (images) Context(context.Context, string, *ocispecs.Platform) (*resolve.Context, error) {
	return nil, errors.New("there are no named contexts")
}

func (images) Modified(context.Context, resolve.EpochSource) (*time.Time, error) { return nil, nil }

func (images) Digest(context.Context, *resolve.Remote, string) (string, error) { return "", nil }

// graphOf is the view of the Dockerfile in a folder.
func graphOf(t testing.TB, dir, target string) *diagram.Graph {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	files := dockerfile.NewFiles("Dockerfile", text, func(_ dockerfile.Root, name string) ([]byte, error) {
		return os.ReadFile(filepath.Join(dir, name))
	})
	r, err := compiler.Expanded(t.Context(), compiler.Request{
		Config:         dockerui.Config{Target: target},
		Files:          files,
		TargetPlatform: &amd64,
		Tolerant:       true,
		Sources:        images{},
	})
	if err != nil {
		t.Fatal(err)
	}
	return diagram.New(view.New(r, view.Options{
		Platform: amd64,
		FileName: func(id dockerfile.FileID) string { return files.Source(id).Name() },
		Unresolved: func(ref string, _ *ocispecs.Platform) string {
			if strings.Contains(ref, "missing") {
				return ref + ": not found"
			}
			return ""
		},
	}))
}

var update = flag.Bool("update", false, "write the goldens anew")

// targets are the cases that are not about the last stage.
var targets = map[string]string{"apart": "api", "guide": "test"}

// TestGoldens compares all renderings of testdata/NAME/Dockerfile with the
// files next to it. go test -update writes them.
func TestGoldens(t *testing.T) {
	files, err := filepath.Glob("testdata/*/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 10 {
		t.Fatalf("only %d cases", len(files))
	}
	for _, file := range files {
		name := filepath.Base(filepath.Dir(file))
		t.Run(name, func(t *testing.T) {
			dir := filepath.Dir(file)
			got := render(t, graphOf(t, dir, targets[name]))
			for ext, rendering := range got {
				compare(t, filepath.Join(dir, "graph."+ext), rendering)
			}
			for range 24 {
				if again := render(t, graphOf(t, dir, targets[name])); !maps.Equal(again, got) {
					t.Fatalf("another time it is\n%s\ninstead of\n%s", again, got)
				}
			}
			for line := range strings.Lines(got["txt"]) {
				if n := columnsOf(strings.TrimSuffix(line, "\n")); n > 100 {
					t.Errorf("%d columns: %s", n, line)
				}
			}
		})
	}
}

// columnsOf counts as a terminal does, for the characters in testdata: it
// does not trust the code under test.
func columnsOf(s string) int {
	n := 0
	for _, r := range s {
		n++
		if unicode.Is(unicode.Han, r) {
			n++
		}
	}
	return n
}

func render(t *testing.T, g *diagram.Graph) map[string]string {
	t.Helper()
	dt, err := json.MarshalIndent(g, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{"txt": g.Text(), "mmd": g.Mermaid(), "dot": g.Dot(), "svg": g.SVG(), "json": string(dt) + "\n"}
}

func compare(t *testing.T, golden, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (-update writes it anew); now it is\n%s", golden, got)
	}
}

// TestDocs: the drawing that the documentation shows is what a user gets.
func TestDocs(t *testing.T) {
	docs, err := os.ReadFile("../../docs/graph.md")
	if err != nil {
		t.Fatal(err)
	}
	drawing, err := os.ReadFile("testdata/parallel/graph.txt")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(docs), "```\n"+string(drawing)+"```\n") {
		t.Error("docs/graph.md does not have testdata/parallel/graph.txt as it is")
	}
	picture, err := os.ReadFile("testdata/parallel/graph.svg")
	if err != nil {
		t.Fatal(err)
	}
	compare(t, "../../docs/graph.svg", string(picture))
}
