package integration

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/opencontainers/go-digest"

	"github.com/stagecraft/stagecraft/integration/sandbox"
)

// exampleRun is what an example's own checks can use.
type exampleRun struct {
	sandbox   *sandbox.Sandbox
	dir       string // the build context
	repo      string // HOST:PORT/NAME of the sandbox's registry, for images
	container *sandbox.Container
}

// exampleSandbox has our frontend and the bases. It is shared, with its Docker Engines, and its build caches
// are kept from run to run: a step whose content an earlier run had is in the cache, and one that has to run
// is given new content (changedCopy).
func exampleSandbox(t *testing.T, bases []string) *sandbox.Sandbox {
	t.Helper()
	s := sandbox.Shared(t, "examples", sandbox.WithoutImages(), sandbox.WithStateIfFree("examples"))
	// One example needs few of the bases, and is to be tested alone without making the others.
	if err := s.AddImages(t.Context(), bases...); err != nil {
		t.Fatal(err)
	}
	if _, err := s.FrontendRef(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// testByBuildx builds the application with buildx on BuildKit and looks at all that its row of the table
// says.
func (e example) testByBuildx(t *testing.T, s *sandbox.Sandbox) {
	t.Helper()
	run := exampleRun{sandbox: s, dir: e.dir(), repo: s.Registry + "/examples/" + e.name}
	began := time.Now()
	final := run.repo + ":buildx"
	log := build(t, s, run.dir, "--tag", final, "--push")
	took := time.Since(began)
	if want := run.needed(t, ""); len(log.steps()) < want {
		t.Errorf("the build shows fewer than the %d steps that the Dockerfile needs:%s", want, names(log.steps()))
	}
	e.checkGate(t, log)
	// With the configs of the images in reach, too, the Dockerfile keeps all practices.
	if out, err := s.Buildx("build", "--call=review", run.dir).Output(); err != nil || !bytes.Contains(out, []byte(" 0 missed; ")) {
		t.Errorf("its own review: %v\n%s", err, out)
	}

	e.checkConfig(t, run, final)
	files, size := run.contents(t, final)
	e.checkFiles(t, files)
	e.checkSize(t, run, size, took)
	tested := e.checkTests(t, run)
	run.checkCached(t, run.dir, "")
	run.checkCached(t, tested, "test")
	e.checkAnswers(t, &run, final)
	if e.also != nil {
		e.also(t, run)
	}
	if run.container != nil {
		e.stop(t, run.container)
	}
}

// dir is the example's folder.
func (e example) dir() string { return filepath.Join("..", "examples", e.name) }

// build runs buildx build; a failure ends the test.
func build(t *testing.T, s *sandbox.Sandbox, dir string, args ...string) solveLog {
	t.Helper()
	return runBuild(t, s.Buildx(buildArgs(dir, args...)...))
}

// buildArgs are the arguments of a build whose log runBuild reads.
func buildArgs(dir string, args ...string) []string {
	return append(append([]string{"build", "--progress=rawjson"}, args...), dir)
}

func runBuild(t *testing.T, cmd *exec.Cmd) solveLog {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	err := cmd.Run()
	log := readSolveLog(t, stderr.Bytes())
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args[1:], " "), err, log.trouble())
	}
	// The daemon's own frontend reads the first line and leaves the rest to the image that it names.
	if !slices.ContainsFunc(log.order, func(d digest.Digest) bool {
		// Bake puts the target before it.
		return strings.Contains(log.vertexes[d].Name, "docker-image://docker.io/stagecraft/stagecraft:1@sha256:")
	}) {
		t.Fatalf("the build did not load our frontend's image; its vertexes: %v", log.names())
	}
	return log
}

// checkGate wants the tests among the steps of a plain build, since the image requires them, and to have
// passed there, unless an earlier run has left them in the cache.
func (e example) checkGate(t *testing.T, log solveLog) {
	t.Helper()
	if e.tests == "" {
		return
	}
	ran := false
	for _, s := range log.steps() {
		ran = ran || strings.HasSuffix(s.stage, "test") && !s.Cached
	}
	switch {
	case !slices.ContainsFunc(log.stages(), func(stage string) bool { return strings.HasSuffix(stage, "test") }):
		t.Errorf("a plain build left out the stage test, which the image requires: %v", log.stages())
	case ran && !log.wrote(e.tests):
		t.Errorf("the stage test did not write %q, but:\n%s", e.tests, log.output())
	}
}

// afterFlag is the gate of a FROM, which upstream's parser does not know.
var afterFlag = regexp.MustCompile(`(?m)^(FROM) --after=(\w+)`)

// unsetLine is an instruction that upstream's parser does not know.
var unsetLine = regexp.MustCompile(`(?m)^UNSET .*$`)

// needed counts the RUN, COPY and ADD instructions in the stages that a target is made from; the empty
// target is the last stage. It reads the file with upstream's parser, not with ours.
func (r exampleRun) needed(t *testing.T, target string) int {
	t.Helper()
	path := filepath.Join(r.dir, "Dockerfile")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	gates := afterFlag.FindAllSubmatch(text, -1)
	text = unsetLine.ReplaceAll(afterFlag.ReplaceAll(text, []byte("$1")), nil)
	tree, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	stages, _, err := instructions.Parse(tree.AST, nil)
	if err != nil {
		t.Fatal(err)
	}
	isLast := target == "" || target == stages[len(stages)-1].Name
	if target == "" {
		stages[len(stages)-1].Name, target = "(last)", "(last)"
	}
	// Two stages that begin alike share these steps: what counts is all that a step stands on.
	steps, seen := map[string]bool{}, map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		at, found := instructions.HasStage(stages, name)
		if !found || seen[name] || name == "" {
			return // an image, done, or the build context
		}
		seen[name] = true
		visit(stages[at].BaseName)
		below := stages[at].BaseName
		for _, cmd := range stages[at].Commands {
			below += "\n" + fmt.Sprint(cmd)
			switch cmd := cmd.(type) {
			case *instructions.RunCommand, *instructions.AddCommand:
				steps[below] = true
			case *instructions.CopyCommand:
				steps[below] = true
				visit(cmd.From)
			}
		}
	}
	visit(target)
	for _, gate := range gates {
		if isLast { // no other stage has one
			visit(string(gate[2]))
		}
	}
	if len(steps) == 0 {
		t.Fatalf("%s: no step is needed for %s", path, target)
	}
	return len(steps)
}

// checkTests runs the tests, whatever earlier runs have left in the cache, and returns the folder that it
// built. A step from the cache writes nothing.
func (e example) checkTests(t *testing.T, r exampleRun) (dir string) {
	t.Helper()
	dir = r.dir
	args := []string{"--target", "test"}
	switch {
	case e.keep:
	case e.change != nil:
		dir = changedCopy(t, r.dir, e.change...)
	default:
		args = append(args, "--no-cache-filter", "test")
	}
	log := build(t, r.sandbox, dir, args...)
	steps := log.steps()
	if e.keep && len(steps) > 0 && steps[len(steps)-1].Cached {
		return dir
	}
	if !log.wrote(e.tests) {
		t.Errorf("the stage test did not write %q, but:\n%s", e.tests, log.output())
		// The next run is to see it again.
		if out, err := r.sandbox.Buildctl("prune", "--all").CombinedOutput(); err != nil {
			t.Errorf("emptying the cache: %v\n%s", err, out)
		}
	}
	return dir
}

// checkCached builds a target once more, from a copy of the folder, as a fresh clone would be: only the
// content of files counts, and every step is in the cache.
func (r exampleRun) checkCached(t *testing.T, dir, target string) {
	t.Helper()
	clone := t.TempDir()
	if err := os.CopyFS(clone, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	steps := build(t, r.sandbox, clone, "--target", target).steps()
	if want := r.needed(t, target); len(steps) < want {
		t.Errorf("the second build of %q shows %d steps, the Dockerfile needs %d:%s", target, len(steps), want, names(steps))
	}
	for _, s := range steps {
		if !s.Cached {
			t.Errorf("the second build of %q ran a step again: %s", target, s.Name)
		}
	}
}

// changes counts the copies that changedCopy made, so that each differs.
var changes atomic.Int64

// changedCopy copies a folder of an example and adds a line to some of its files that no run had before, so
// that every step that reads one of them has to run. The files are JavaScript, TypeScript, Go or JSON.
func changedCopy(t *testing.T, dir string, files ...string) string {
	t.Helper()
	changed := t.TempDir()
	if err := os.CopyFS(changed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	note := fmt.Sprintf("changed at %d for test %d", time.Now().UnixNano(), changes.Add(1))
	for _, file := range files {
		path := filepath.Join(changed, file)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		switch filepath.Ext(file) {
		case ".json":
			text = []byte(strings.Replace(string(text), "{", fmt.Sprintf("{\n  \"description\": %q,", note), 1))
		case ".go", ".js", ".mjs", ".ts":
			text = fmt.Appendf(text, "// %s\n", note)
		default:
			t.Fatalf("%s: a comment of what language?", file)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return changed
}
