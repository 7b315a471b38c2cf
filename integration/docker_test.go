package integration

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stagecraft/stagecraft/integration/sandbox"
)

// allExamples, set in the environment, builds every example on the Docker Engine and not only those of
// dockerExamples; make examples sets it.
const allExamples = "STAGECRAFT_ALL_EXAMPLES"

// dockerExamples are built and run on the Docker Engine by every run of the tests. TestExamples builds
// all nine with the same BuildKit; what is the engine's own are the image store, the network and docker
// run, so two that need them all are enough: packages from npm, an image that is no stage, a health check.
var dockerExamples = []string{"external", "web"}

// dockerEngine is the engine of a release, beside the registry of the examples.
func dockerEngine(t *testing.T, release *sandbox.DockerRelease, bases ...string) (*sandbox.Sandbox, *sandbox.Docker) {
	t.Helper()
	s := exampleSandbox(t, bases)
	d, err := s.Docker(t.Context(), release)
	if err != nil {
		t.Fatalf("starting an engine: %v", err)
	}
	return s, d
}

// TestDockerExamples builds applications as a user of Docker does, with plain "docker build" and nothing
// but the "# syntax=" line, and runs them with "docker run".
func TestDockerExamples(t *testing.T) { testDockerExamples(t, sandbox.DockerToday, dockerExamples) }

// TestDebianDockerExamples does the same with Debian 12's Docker Engine 20.10.
func TestDebianDockerExamples(t *testing.T) {
	testDockerExamples(t, sandbox.DockerDebian12, dockerExamples[:1])
}

func testDockerExamples(t *testing.T, release *sandbox.DockerRelease, names []string) {
	for _, e := range examples {
		if os.Getenv(allExamples) == "" && !slices.Contains(names, e.name) {
			continue
		}
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			_, d := dockerEngine(t, release, e.bases...)
			tag := "examples/" + e.name
			e.buildOn(t, d, tag)
			e.runOn(t, d, tag)
		})
	}
}

// buildOn builds an example's image with "docker build".
func (e example) buildOn(t *testing.T, d *sandbox.Docker, tag string) {
	t.Helper()
	dir := filepath.Join("..", "examples", e.name)
	needed := (exampleRun{dir: dir}).needed(t, "")
	if d.Release == sandbox.DockerToday {
		log := runBuild(t, d.Command(buildArgs(dir, "--tag", tag)...))
		if len(log.steps()) < needed {
			t.Errorf("the build shows fewer than the %d steps that the Dockerfile needs:%s", needed, names(log.steps()))
		}
		return
	}
	// Old clients tell no program what they do.
	out, err := d.Command("build", "--progress=plain", "--tag", tag, dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(string(out), "docker-image://docker.io/stagecraft/stagecraft:1@sha256:") {
		t.Errorf("the build did not load our frontend's image:\n%s", out)
	}
	steps := map[string]bool{}
	for _, step := range regexp.MustCompile(`(?m)^#\d+ (\[.* (?:RUN|COPY|ADD) .*)$`).FindAllStringSubmatch(string(out), -1) {
		steps[step[1]] = true
	}
	if len(steps) < needed {
		t.Errorf("the build shows fewer than the %d steps that the Dockerfile needs:\n%s", needed, out)
	}
}

// runOn runs an image with "docker run" and asks it what the example's table says.
func (e example) runOn(t *testing.T, d *sandbox.Docker, tag string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	options := []string{"--publish", "127.0.0.1::" + strings.TrimSuffix(e.config.port, "/tcp")}
	if e.healthy {
		options = append(options, "--health-interval=1s")
	}
	container, err := d.Run(ctx, append(options, tag)...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := container.Remove(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	e.checkRunning(t, container)
	if !e.healthy {
		return
	}
	for {
		health, err := container.Inspect(ctx, "{{.State.Health.Status}}")
		if err != nil {
			t.Fatalf("the engine does not find the container healthy: %v", err)
		}
		if health == "healthy" {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
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
	// The addition shows that it is our frontend that reads the file.
	const file = `FROM busybox AS build
RUN echo docker-syntax-argument > /made
FROM build AS test
RUN grep argument /made
FROM --after=test busybox
COPY --from=build /made /
CMD ["cat", "/made"]
`
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
		if err != nil || out2 != "docker-syntax-argument" {
			t.Errorf("%s wrote %q, %v", build.tag, out2, err)
		}
	}
}
