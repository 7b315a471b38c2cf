package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stagecraft/stagecraft/integration/sandbox"
)

// dockerEngine is the engine of a release, next to the registry of the examples.
func dockerEngine(t *testing.T, release *sandbox.DockerRelease, bases ...string) (*sandbox.Sandbox, *sandbox.Docker) {
	t.Helper()
	s := exampleSandbox(t, bases)
	d, err := s.Docker(t.Context(), release)
	if err != nil {
		t.Fatalf("starting an engine: %v", err)
	}
	return s, d
}

// TestDockerSyntaxArgument names the frontend on the command line, for a file without a syntax line: it
// gives the same image from the same cache as the line does.
func TestDockerSyntaxArgument(t *testing.T) {
	s, d := dockerEngine(t, sandbox.DockerToday, "busybox:latest")
	frontend, err := s.FrontendRef(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	// The addition shows that it is our frontend that reads the file. The number keeps the first build from
	// finding what an earlier run has built.
	made := fmt.Sprintf("docker-syntax-argument %d", time.Now().UnixNano())
	file := strings.ReplaceAll(`FROM busybox AS build
RUN echo MADE > /made
FROM build AS test
RUN grep argument /made
FROM --after=test busybox
COPY --from=build /made /
CMD ["cat", "/made"]
`, "MADE", made)
	for _, build := range []struct {
		tag, text string
		args      []string
		cached    bool
	}{
		{"argument:line", syntaxLine + file, nil, false},
		{"argument:argument", file, []string{"--build-arg", "BUILDKIT_SYNTAX=" + frontend}, true},
	} {
		if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(build.text), 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := d.Command(append([]string{"build", "--progress=rawjson", "--tag", build.tag, dir}, build.args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		steps := readSolveLog(t, out).steps()
		if len(steps) != 3 {
			t.Errorf("%s: the build shows not three steps but:%s", build.tag, names(steps))
		}
		for _, step := range steps {
			if step.Cached != build.cached {
				t.Errorf("%s: cached is %v of %s", build.tag, step.Cached, step.Name)
			}
		}
		out2, err := d.Output(t.Context(), "run", "--rm", build.tag)
		if err != nil || out2 != made {
			t.Errorf("%s wrote %q, %v", build.tag, out2, err)
		}
	}
}

// TestSizeOnDocker2010 asks an engine that cannot measure for the size of an image, by today's buildx, because its own
// client knows no --call: the answer is a clear word, and nothing half-printed.
func TestSizeOnDocker2010(t *testing.T) {
	s, d := dockerEngine(t, sandbox.DockerDebian12, "busybox:latest")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(syntaxLine+"FROM busybox\nRUN echo size-on-20.10 >/made\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := s.Buildx("build", "--builder", "default", "--call=size", dir)
	cmd.Env = append(d.Environment(), "BUILDX_CONFIG="+t.TempDir())
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err == nil || stdout.String() != "" || !strings.Contains(stderr.String(), "upgrade to Docker Engine 23 or BuildKit 0.11") {
		t.Errorf("%v\nstdout: %s\nstderr: %s", err, stdout.String(), stderr.String())
	}
}
