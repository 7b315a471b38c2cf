package integration

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stagecraft/stagecraft/frontend/diagram"
	"github.com/stagecraft/stagecraft/frontend/view"
	"github.com/stagecraft/stagecraft/integration/sandbox"
)

const syntaxLine = "# syntax=stagecraft/stagecraft:1\n"

// graphDockerfile has one of each: a stage nobody needs, an image that is there, one that is not, edges of
// three kinds.
const graphDockerfile = `FROM busybox AS build
RUN echo built >/app
FROM build AS test
RUN grep built /app
FROM example.invalid/nowhere/tool:1 AS tool
FROM scratch
COPY --from=build /app /bin/app
COPY --from=tool /tool /bin/tool
RUN --mount=from=busybox,source=/bin,target=/mnt true
`

// call asks for a subrequest with buildx and returns what it writes to its standard output and error.
func call(t *testing.T, s *sandbox.Sandbox, dockerfile string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(dockerfile), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := s.Buildx(append(append([]string{"build"}, args...), dir)...)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	err = cmd.Run()
	return out.String(), log.String(), err
}

func mustCall(t *testing.T, s *sandbox.Sandbox, dockerfile string, args ...string) string {
	t.Helper()
	stdout, stderr, err := call(t, s, dockerfile, args...)
	if err != nil {
		t.Fatalf("buildx build %q: %v\n%s", args, err, stderr)
	}
	return stdout
}

// TestGraph asks for the drawing as a user does.
func TestGraph(t *testing.T) {
	s := exampleSandbox(t, []string{"busybox:latest"})
	text := mustCall(t, s, syntaxLine+graphDockerfile, "--call=graph")
	t.Logf("%s", text)
	for _, want := range []string{
		"stage-3 for linux/",
		": 3 of 4 stages needed, from 2 images\n",
		"│ busybox:latest │",
		"┃ stage-3",
		"┊ unresolved",
		"╎ test",
		"▼ base   ▽ copy   ◇ mount",
		"Longest chain   build → stage-3 (2 stages, 4 steps)\n",
		"In parallel     build ∥ tool\n",
		"Not needed      test\n",
		"Unresolved      example.invalid/nowhere/tool:1",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the drawing lacks %q", want)
		}
	}
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 100 {
			t.Errorf("%d columns: %s", n, line)
		}
	}

	var g diagram.Graph
	if err := json.Unmarshal([]byte(mustCall(t, s, syntaxLine+graphDockerfile, "--call=graph,format=json")), &g); err != nil {
		t.Fatal(err)
	}
	if g.Version != diagram.SchemaVersion || len(g.Nodes) != 6 || len(g.Edges) != 6 {
		t.Errorf("version %d, %d nodes, %d edges", g.Version, len(g.Nodes), len(g.Edges))
	}
	for _, n := range g.Nodes {
		if n.Kind != view.KindImage {
			continue
		}
		if found := strings.HasPrefix(n.Digest, "sha256:"); found != (n.Name == "busybox:latest") || found == (n.Unresolved != "") {
			t.Errorf("%+v", n)
		}
	}
	for _, e := range g.Edges {
		if e.Kind == view.Mount && (e.Line != 10 || len(e.Paths) != 1 || e.Paths[0] != "/bin" || e.File != "Dockerfile") {
			t.Errorf("the mount is %+v", e)
		}
	}

	if text := mustCall(t, s, syntaxLine+graphDockerfile, "--call=graph.mermaid"); !strings.Contains(text, "\nflowchart TD\n") || !strings.Contains(text, `s0 -- "copy /app<br/>line 8" --> s3`) {
		t.Errorf("graph.mermaid answers\n%s", text)
	}
	if text := mustCall(t, s, syntaxLine+graphDockerfile, "--call=graph.dot"); !strings.Contains(text, "\ndigraph stages {\n") || !strings.Contains(text, `s0 -> s3 [label="copy /app\nline 8"]`) {
		t.Errorf("graph.dot answers\n%s", text)
	}
	if text := mustCall(t, s, syntaxLine+graphDockerfile, "--call=graph.svg"); !strings.HasPrefix(text, "<svg ") || !strings.HasSuffix(strings.TrimSpace(text), "</svg>") {
		t.Errorf("graph.svg answers\n%s", text)
	}
	if text := mustCall(t, s, syntaxLine+graphDockerfile, "--call=graph", "--target=test"); !strings.HasPrefix(text, "test for linux/") || strings.Contains(text, "unresolved") {
		t.Errorf("--target=test answers\n%s", text)
	}
}

// TestGraphIsOurs: the same question about the same file without our syntax line reaches the daemon's own
// docker/dockerfile, which knows no such subrequest, and buildx does not cover that up.
func TestGraphIsOurs(t *testing.T) {
	s := exampleSandbox(t, []string{"busybox:latest"})
	stdout, stderr, err := call(t, s, graphDockerfile, "--call=graph")
	if err == nil || !strings.Contains(stderr, "unsupported request frontend.graph") {
		t.Errorf("docker/dockerfile answers %v\n%s%s", err, stdout, stderr)
	}
}

// TestGraphErrors: what is wrong with the file itself is an error with a code frame.
func TestGraphErrors(t *testing.T) {
	s := exampleSandbox(t, []string{"busybox:latest"})
	for _, test := range []struct {
		name, dockerfile string
		args, want       []string
	}{
		{"syntax", "FROM busybox\nRUNN true\n", nil, []string{"Dockerfile:3", ">>> RUNN true", "unknown instruction: RUNN"}},
		{"circle", "FROM busybox AS a\nCOPY --from=b / /\nFROM busybox AS b\nCOPY --from=a / /\n", nil, []string{"Dockerfile:3", ">>> COPY --from=b / /", "circular dependency"}},
		{"target", graphDockerfile, []string{"--target=tests"}, []string{`"tests"`, "did you mean test?"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			stdout, stderr, err := call(t, s, syntaxLine+test.dockerfile, append(test.args, "--call=graph")...)
			if err == nil {
				t.Fatalf("it is drawn:\n%s", stdout)
			}
			for _, want := range test.want {
				if !strings.Contains(stderr, want) {
					t.Errorf("the error lacks %q:\n%s", want, stderr)
				}
			}
		})
	}
}

// TestGraphIsDescribed: docker/dockerfile's subrequests come first in the list, with its words.
func TestGraphIsDescribed(t *testing.T) {
	s := exampleSandbox(t, []string{"busybox:latest"})
	upstream := mustCall(t, s, graphDockerfile, "--call=subrequests.describe")
	ours := mustCall(t, s, syntaxLine+graphDockerfile, "--call=subrequests.describe")
	if words := strings.Fields(upstream); strings.Join(strings.Fields(ours)[:len(words)], " ") != strings.Join(words, " ") {
		t.Errorf("the list is\n%s\nand does not begin with\n%s", ours, upstream)
	}
	for _, name := range []string{"graph ", "graph.mermaid ", "graph.dot ", "graph.svg "} {
		if !strings.Contains(ours, "\n"+name) {
			t.Errorf("the list lacks %s:\n%s", name, ours)
		}
	}
}
