package integration

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stagecraft/stagecraft/integration/sandbox"
)

// TestExamples builds each application with its own "# syntax=" line, looks at the image, and runs it: with
// buildx on BuildKit, where all that its row says is looked at, then on each engine as its users build. The
// table in docs/engines.md tells what passed.
func TestExamples(t *testing.T) {
	s := exampleSandbox(t, nil)
	engines := exampleEngines(t, s)
	rows := make([][]string, len(examples))
	for i, e := range examples {
		row := []string{fmt.Sprintf("[%s](../examples/%s)", e.name, e.name)}
		rows[i] = append(row, make([]string, len(exampleWays(engines)))...)
		t.Run(e.name, func(t *testing.T) {
			// While one waits for a registry, another compiles.
			t.Parallel()
			// Files are listed by BusyBox.
			exampleSandbox(t, append([]string{"busybox:latest"}, e.bases...))
			cells := rows[i][1:]
			for _, engine := range engines {
				mine := cells[:len(engine)]
				cells = cells[len(engine):]
				t.Run(engine[0].short, func(t *testing.T) {
					t.Parallel()
					e.testOn(t, s, engine, mine)
				})
			}
		})
	}
	// It runs when the parallel tests have ended.
	t.Cleanup(func() {
		head := []string{"example"}
		for _, w := range exampleWays(engines) {
			// Of what the engine is made of is told by the page's first table.
			engine, _, _ := strings.Cut(w.engine, " (")
			head = append(head, fmt.Sprintf("%s, %s, %s", engine, w.client, w.named))
		}
		checkEnginesPage(t, "examples", head, rows)
	})
}

// exampleEngines are the engines on which every example is built, each with the ways to do it.
func exampleEngines(t *testing.T, s *sandbox.Sandbox) [][]way {
	buildctl, buildx := buildKitWays(t, s)[1], buildKitWays(t, s)[2]
	return [][]way{{buildx, buildctl}, dockerWays(t, sandbox.DockerToday), dockerWays(t, sandbox.DockerDebian12)}
}

func exampleWays(engines [][]way) (all []way) {
	for _, ways := range engines {
		all = append(all, ways...)
	}
	return all
}

// testOn builds and runs the application on an engine in each way. After the first, every step is in the
// engine's cache, whichever client asks and however the frontend is named. The cells tell what passed.
func (e example) testOn(t *testing.T, s *sandbox.Sandbox, engine []way, cells []string) {
	needed := (exampleRun{dir: e.dir()}).needed(t, "")
	for i, w := range engine {
		tag := fmt.Sprintf("examples/%s:way%d", e.name, i)
		if w.docker == nil && i == 0 {
			e.testByBuildx(t, s)
		}
		steps := w.buildExample(t, e, tag)
		if len(steps) < needed {
			t.Errorf("%s: the build shows fewer than the %d steps that the Dockerfile needs: %q", w.client, needed, slices.Sorted(maps.Keys(steps)))
		}
		for name, cached := range steps {
			if i > 0 && !cached {
				t.Errorf("%s: the frontend named by %s ran a step again: %s", w.client, w.named, name)
			}
		}
		if w.docker == nil {
			// What a container of it answers is looked at by testByBuildx, of the same image.
			e.checkSame(t, s, "examples/"+e.name+":buildx", tag)
			cells[i] = "answers"
			if i > 0 {
				cells[i] = "same image"
			}
			continue
		}
		cells[i] = e.runOn(t, w.docker, tag)
	}
	if t.Failed() {
		clear(cells)
	}
}

// checkSame compares two images of the sandbox's registry by all that a container sees of them.
func (e example) checkSame(t *testing.T, s *sandbox.Sandbox, first, second string) {
	t.Helper()
	var configs []string
	for _, ref := range []string{first, second} {
		image, err := s.Image(t.Context(), s.Registry+"/"+ref)
		if err != nil {
			t.Fatal(err)
		}
		config, err := image.ConfigName()
		if err != nil {
			t.Fatal(err)
		}
		configs = append(configs, config.String())
	}
	if configs[0] != configs[1] {
		t.Errorf("%s has the configuration %s, %s has %s", first, configs[0], second, configs[1])
	}
}

// plainStep matches a line of a client's plain progress that names the step of an instruction.
var plainStep = regexp.MustCompile(`(?m)^#(\d+) (\[.*\d+/\d+\] (?:RUN|COPY|ADD) .*)$`)

// buildExample builds an example and returns its steps by name, with whether each was in the cache. It
// reads the progress that people read: old clients tell programs nothing.
func (w way) buildExample(t *testing.T, e example, tag string) map[string]bool {
	t.Helper()
	dir := e.dir()
	if !w.line {
		dir = t.TempDir()
		text, err := os.ReadFile(filepath.Join(e.dir(), "Dockerfile"))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(
			os.CopyFS(dir, os.DirFS(e.dir())),
			os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(strings.TrimPrefix(string(text), syntaxLine)), 0o644),
		); err != nil {
			t.Fatal(err)
		}
	}
	out, err := w.build(dir, tag).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", w.client, err, out)
	}
	if !strings.Contains(string(out), "docker-image://docker.io/stagecraft/stagecraft:1@sha256:") {
		t.Errorf("%s: the build did not load our frontend's image:\n%s", w.client, out)
	}
	steps := map[string]bool{}
	for _, step := range plainStep.FindAllStringSubmatch(string(out), -1) {
		steps[step[2]] = steps[step[2]] || strings.Contains(string(out), "\n#"+step[1]+" CACHED\n")
	}
	return steps
}

// runOn runs an image with "docker run" and asks it what the example's table says. It returns a cell of the
// page's table.
func (e example) runOn(t *testing.T, d *sandbox.Docker, tag string) string {
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
		return "answers"
	}
	for {
		health, err := container.Inspect(ctx, "{{.State.Health.Status}}")
		if err != nil {
			t.Fatalf("the engine does not find the container healthy: %v", err)
		}
		if health == "healthy" {
			return "answers, healthy"
		}
		time.Sleep(100 * time.Millisecond)
	}
}
