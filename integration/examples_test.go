package integration

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/opencontainers/go-digest"

	"github.com/stagecraft/stagecraft/integration/images"
	"github.com/stagecraft/stagecraft/integration/sandbox"
)

// example is an application of the folder examples and what is expected of its image. The zero value of
// an expectation about the image's configuration means that the image has none.
type example struct {
	name  string
	bases []string // images that its Dockerfile names

	// builder is the stage whose size the image's is compared with, and atMost the largest part of it
	// that the image may have.
	builder string
	atMost  float64

	config  config
	files   []string // regular expressions; each matches a file of the image
	foreign []string // regular expressions; none matches a file of the image
	only    []string // where given, all files that the image has

	tests string // what the stage "test" writes when its tests pass
	asks  []ask
	uid   string // of the running program, as id prints it; empty where the image has no such command
	// healthy tells that HEALTHCHECK's command succeeds in the running container.
	healthy bool

	// also looks at what the fields above do not cover.
	also func(*testing.T, exampleRun)
}

// config is what an image's configuration says, less what is the base image's own affair.
type config struct {
	user       string
	port       string
	entrypoint []string
	cmd        []string
	workdir    string
	env        []string // among others
	stopSignal string
}

// ask is a request to the running application and its answer.
type ask struct {
	path   string
	status int
	body   string // regular expression
}

// exampleRun is what an example's own checks can use.
type exampleRun struct {
	sandbox   *sandbox.Sandbox
	dir       string // the build context
	repo      string // HOST:PORT/NAME of the sandbox's registry, for images
	first     solveLog
	container *sandbox.Container
}

// gcc matches C compilers by whatever name.
const gcc = `(^|/)([a-z0-9_]+-linux-[a-z]+-)?(gcc|cc|cc1|g\+\+|c\+\+)(-[0-9.]+)?$`

var examples = []example{
	{
		name:    "go",
		bases:   []string{"golang:1.22-alpine"},
		builder: "builder", atMost: 0.05,
		config: config{user: "65532:65532", port: "8080/tcp", entrypoint: []string{"/server"}},
		only:   []string{"etc/ssl/certs/ca-certificates.crt", "server"},
		tests:  "ok  \texample.com/notes/internal/notes",
		asks: []ask{
			{"/", 200, `<a href="/notes/stages">Why two stages</a>`},
			{"/notes/stages", 200, `<strong>builder</strong>`},
			{"/notes/none", 404, `not found`},
			// Without the certificates that the Dockerfile copies, this would be false.
			{"/healthz", 200, `"tlsRoots":true`},
		},
	},
	{
		name:    "node",
		bases:   []string{"node:20", "node:20-alpine"},
		builder: "builder", atMost: 0.8,
		config: config{user: "node", port: "3000/tcp", entrypoint: []string{"docker-entrypoint.sh"}, cmd: []string{"node", "dist/server.js"},
			workdir: "/app", env: []string{"NODE_ENV=production"}},
		files:   []string{`^app/dist/server\.js$`, `^app/node_modules/express/package\.json$`},
		foreign: []string{`^app/(src|test|tsconfig\.json)`, `^app/node_modules/(typescript|@types)/`, `^root/\.npm/_cacache/content`, `^usr/bin/apt`, gcc},
		tests:   "# pass 3",
		asks: []ask{
			{"/convert?value=5&from=km&to=mi", 200, `^\{"value":3\.10685596,"unit":"mi"\}$`},
			{"/convert?value=5&from=km&to=parsec", 400, `"error"`},
		},
		uid: "1000",
	},
	{
		name:    "stages",
		bases:   []string{"node:20-alpine"},
		builder: "build", atMost: 0.97, // the same base; what differs is the bundler
		config: config{user: "node", port: "3000/tcp", entrypoint: []string{"docker-entrypoint.sh"}, cmd: []string{"node", "dist/server.js"},
			workdir: "/app", env: []string{"NODE_ENV=production"}},
		files:   []string{`^app/dist/server\.js$`, `^app/node_modules/mustache/`},
		foreign: []string{`^app/(src|test)/`, `esbuild`, gcc},
		tests:   "# pass 3",
		asks: []ask{
			{"/?fg=777&bg=fff", 200, `contrast of 4\.48 to 1\.</p>\n<p>Too low`},
			{"/?fg=blue", 400, `not a colour: blue`},
		},
		uid:  "1000",
		also: everyTarget,
	},
	{
		name:    "parallel",
		bases:   []string{"node:20-alpine", "golang:1.22-alpine", "alpine:3.19"},
		builder: "backend-builder", atMost: 0.2,
		config:  config{user: "nobody", port: "8080/tcp", cmd: []string{"/app/server"}},
		files:   []string{`^app/server$`, `^app/public/index\.html$`, `^app/public/main\.js$`},
		foreign: []string{`\.(go|ts|json)$`, `node_modules`, `^usr/local/(go|bin/node)`, `^(frontend|backend)/`, gcc},
		tests:   "ok  \texample.com/dice/dice",
		asks: []ask{
			{"/", 200, `<script src="main\.js">`},
			{"/main.js", 200, `/api/roll`},
			{"/api/roll?dice=3d1", 400, `want dice`},
			{"/api/roll?dice=3d6", 200, `^\{"dice":"3d6","rolls":\[[1-6],[1-6],[1-6]\]\}\n$`},
		},
		uid:  "65534",
		also: sideBySide,
	},
	{
		name:  "external",
		bases: []string{"node:20-alpine", "busybox:latest"},
		config: config{user: "node", port: "3000/tcp", entrypoint: []string{"docker-entrypoint.sh"}, cmd: []string{"node", "server.js"},
			workdir: "/app"},
		files:   []string{`^usr/local/bin/wget$`, `^app/server\.js$`},
		foreign: []string{`^app/test/`, `^app/Dockerfile`, gcc},
		tests:   "# pass 2",
		asks: []ask{
			{"/Asia/Tokyo", 200, `^Asia/Tokyo \d\d:\d\d\n$`},
			{"/Atlantis/Centre", 404, `no time zone`},
		},
		uid:     "1000",
		healthy: true,
	},
	{
		name:    "java",
		bases:   []string{"maven:3.9-eclipse-temurin-21", "eclipse-temurin:21-jre-alpine"},
		builder: "builder", atMost: 0.7,
		config:  config{user: "calendar", port: "8080/tcp", entrypoint: []string{"java", "-jar", "app.jar"}, workdir: "/app"},
		files:   []string{`^app/app\.jar$`},
		foreign: []string{`(^|/)(javac|mvn)$`, `^app/(src|target|pom\.xml)`, `(^|/)\.m2/`, gcc},
		tests:   "Tests run: 4, Failures: 0, Errors: 0, Skipped: 0",
		asks: []ask{
			{"/weekdays?from=2024-01-01&to=2025-01-01", 200, `^\{"weekdays":262\}\n$`},
			{"/weekdays?from=today", 400, `YYYY-MM-DD`},
		},
		uid: system,
	},
	{
		name:    "python",
		bases:   []string{"python:3.12-slim"},
		builder: "builder", atMost: 0.9,
		config: config{user: "isbn", port: "8000/tcp", cmd: []string{"gunicorn", "isbn:create_app()", "--bind", "0.0.0.0:8000"},
			workdir: "/app", env: []string{"PYTHONUNBUFFERED=1"}},
		// The last one had to be compiled.
		files:   []string{`^opt/venv/bin/gunicorn$`, `^app/isbn/__init__\.py$`, `^opt/venv/lib/python3\.\d+/site-packages/markupsafe/_speedups\..*so$`},
		foreign: []string{`^app/(tests|requirements\.txt|Dockerfile)`, gcc},
		tests:   "Ran 5 tests in",
		asks: []ask{
			{"/isbn/0-306-40615-2", 200, `"isbn13":\s*"9780306406157"`},
			{"/isbn/0-306-40615-3", 422, `wrong check digit`},
			{"/healthz", 200, `"ok"`},
		},
		uid: system,
	},
	{
		name:    "rust",
		bases:   []string{"rust:1.76", "debian:12-slim"},
		builder: "builder", atMost: 0.5,
		config:  config{user: "roman", port: "8080/tcp", cmd: []string{"roman"}, stopSignal: "SIGKILL"},
		files:   []string{`^usr/local/bin/roman$`},
		foreign: []string{`(^|/)(cargo|rustc)$`, `\.rs$`, `^app/`, gcc},
		tests:   "3 passed; 0 failed",
		asks: []ask{
			{"/1999", 200, `^MCMXCIX\n$`},
			{"/MCMXCIX", 200, `^1999\n$`},
			{"/IC", 404, `ask for`},
		},
		uid: system,
	},
	{
		name:    "web",
		bases:   []string{"node:20-alpine", "nginx:1.25-alpine"},
		builder: "builder", atMost: 0.8,
		config: config{port: "80/tcp", entrypoint: []string{"/docker-entrypoint.sh"}, cmd: []string{"nginx", "-g", "daemon off;"},
			stopSignal: "SIGQUIT"},
		files:   []string{`^usr/share/nginx/html/index\.html$`, `^usr/share/nginx/html/assets/index-.*\.(js|css)$`},
		foreign: []string{`(^|/)(node|npm)$`, `node_modules`, `\.jsx$`, `^app/`, gcc},
		tests:   "# pass 4",
		asks: []ask{
			{"/", 200, `<div id="root"></div>`},
			// A path of the page's own, and a file that nobody has.
			{"/about", 200, `<div id="root"></div>`},
			{"/assets/none.js", 404, `nginx`},
		},
		uid:     "0", // of the process that opens port 80; the workers are nginx's
		healthy: true,
		also:    inBrowser,
	},
}

// patience bounds the wait for an application's answer or its end. It takes a second or two; the bound is
// for a machine that is busy with other tests.
const patience = 3 * time.Minute

// system stands for the number of a user that useradd or adduser took from those for system accounts.
const system = "system"

// TestExamples builds each application with its own "# syntax=" line, looks at the image, and runs it.
func TestExamples(t *testing.T) {
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) {
			// While one waits for a registry, another compiles.
			t.Parallel()
			e.test(t)
		})
	}
}

// TestExamplesAreAllTested keeps a new folder of examples from going untested.
func TestExamplesAreAllTested(t *testing.T) {
	entries, err := os.ReadDir("../examples")
	if err != nil {
		t.Fatal(err)
	}
	all := append(slices.Clone(examples), monorepo)
	for _, entry := range entries {
		if entry.IsDir() && !slices.ContainsFunc(all, func(e example) bool { return e.name == entry.Name() }) {
			t.Errorf("examples/%s is not in the table", entry.Name())
		}
	}
	for _, e := range all {
		for _, file := range []string{"Dockerfile", ".dockerignore", "README.md"} {
			text, err := os.ReadFile(filepath.Join("../examples", e.name, file))
			if err != nil {
				t.Error(err)
			}
			if file == "Dockerfile" && !bytes.HasPrefix(text, []byte("# syntax=stagecraft/stagecraft:1\n")) {
				t.Errorf("examples/%s/Dockerfile does not begin with our syntax line", e.name)
			}
		}
	}
}

// exampleSandbox has our frontend and the bases.
func exampleSandbox(t *testing.T, bases []string) *sandbox.Sandbox {
	t.Helper()
	return sandboxWith(t, "examples", bases)
}

// sandboxWith is the shared sandbox of a name with our frontend and the bases. Tests that look at what is
// cached share none with others that build the same.
func sandboxWith(t *testing.T, name string, bases []string) *sandbox.Sandbox {
	t.Helper()
	s := sandbox.Shared(t, name, sandbox.WithoutImages())
	// One example needs few of the bases, and is to be tested alone without making the others.
	set, err := images.Ensure(t.Context(), bases...)
	if err != nil {
		t.Fatalf("base images: %v", err)
	}
	if err := set.Push(t.Context(), s.Registry); err != nil {
		t.Fatal(err)
	}
	if _, err := s.FrontendRef(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func (e example) test(t *testing.T) {
	s := exampleSandbox(t, e.bases)
	run := exampleRun{sandbox: s, dir: filepath.Join("..", "examples", e.name), repo: s.Registry + "/examples/" + e.name}

	began := time.Now()
	final := run.repo + ":final"
	run.first = build(t, s, run.dir, "--tag", final, "--push")
	took := time.Since(began)
	if want := run.needed(t, ""); len(run.first.steps()) < want {
		t.Errorf("the build shows fewer than the %d steps that the Dockerfile needs:%s", want, names(run.first.steps()))
	}
	if !slices.ContainsFunc(run.first.steps(), func(s step) bool { return !s.Cached }) {
		t.Errorf("the first build took every step from the cache: the second will show nothing")
	}
	if slices.Contains(run.first.stages(), "test") {
		t.Errorf("a plain build ran the stage test, which nothing needs: %v", run.first.stages())
	}

	e.checkConfig(t, run, final)
	files, size := run.contents(t, final)
	e.checkFiles(t, files)
	e.checkSize(t, run, size, took)
	if log := build(t, s, run.dir, "--target", "test"); !log.wrote(e.tests) {
		t.Errorf("the stage test did not write %q, but:\n%s", e.tests, log.output())
	}
	run.checkCached(t)
	e.checkAnswers(t, &run, final)
	if e.also != nil {
		e.also(t, run)
	}
	if run.container != nil {
		e.stop(t, run.container)
	}
}

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
		return strings.HasPrefix(log.vertexes[d].Name, "docker-image://docker.io/stagecraft/stagecraft:1@sha256:")
	}) {
		t.Fatalf("the build did not load our frontend's image; its vertexes: %v", log.names())
	}
	return log
}

// needed counts the RUN, COPY and ADD instructions in the stages that a target is made from; the empty
// target is the last stage. It reads the file with upstream's parser, not with ours.
func (r exampleRun) needed(t *testing.T, target string) int {
	t.Helper()
	file, err := os.Open(filepath.Join(r.dir, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	tree, err := parser.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	stages, _, err := instructions.Parse(tree.AST, nil)
	if err != nil {
		t.Fatal(err)
	}
	if target == "" {
		stages[len(stages)-1].Name, target = "(last)", "(last)"
	}
	count, seen := 0, map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		at, found := instructions.HasStage(stages, name)
		if !found || seen[name] || name == "" {
			return // an image, done, or the build context
		}
		seen[name] = true
		visit(stages[at].BaseName)
		for _, cmd := range stages[at].Commands {
			switch cmd := cmd.(type) {
			case *instructions.RunCommand, *instructions.AddCommand:
				count++
			case *instructions.CopyCommand:
				count++
				visit(cmd.From)
			}
		}
	}
	visit(target)
	if count == 0 {
		t.Fatalf("%s: no step is needed for %s", file.Name(), target)
	}
	return count
}

func (e example) checkConfig(t *testing.T, r exampleRun, ref string) {
	t.Helper()
	image, err := r.sandbox.Image(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	file, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	got := config{
		user: file.Config.User, port: strings.Join(slices.Sorted(maps.Keys(file.Config.ExposedPorts)), " "),
		entrypoint: file.Config.Entrypoint, cmd: file.Config.Cmd, workdir: file.Config.WorkingDir,
		stopSignal: file.Config.StopSignal,
	}
	want := e.config
	if want.workdir == "" {
		want.workdir = "/"
	}
	if got.workdir == "" {
		got.workdir = "/"
	}
	for _, entry := range want.env {
		if !slices.Contains(file.Config.Env, entry) {
			t.Errorf("the image's environment lacks %s: %q", entry, file.Config.Env)
		}
	}
	want.env = nil
	if g, w := fmt.Sprintf("%+q", got), fmt.Sprintf("%+q", want); g != w {
		t.Errorf("the image's configuration is\n  %s\nwant\n  %s", g, w)
	}
	if e.healthy != (file.Config.Healthcheck != nil) {
		t.Errorf("the image has a HEALTHCHECK: %v, want %v", file.Config.Healthcheck, e.healthy)
	}
}

// contents reads an image as its layers give it together: its files, without folders, and its size in
// bytes of the files' content.
func (r exampleRun) contents(t *testing.T, ref string) (files []string, size int64) {
	t.Helper()
	image, err := r.sandbox.Image(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	content := mutate.Extract(image)
	defer content.Close()
	files, size, err = readTar(content)
	if err != nil {
		t.Fatal(err)
	}
	return files, size
}

// export builds a stage and reads its files as the daemon sends them. Pushing an image of a stage with a
// compiler, and reading it back, would take longer than building it.
func (r exampleRun) export(t *testing.T, stage string) (log solveLog, files []string, size int64) {
	t.Helper()
	cmd := r.sandbox.Buildx(buildArgs(r.dir, "--target", stage, "--provenance=false", "--output", "type=tar,dest=-")...)
	reader, writer := io.Pipe()
	cmd.Stdout = writer
	read := make(chan error, 1)
	go func() {
		var err error
		files, size, err = readTar(reader)
		// A tar stream has padding behind its end.
		_, rest := io.Copy(io.Discard, reader)
		read <- errors.Join(err, rest)
	}()
	defer writer.Close()
	log = runBuild(t, cmd)
	writer.Close()
	if err := <-read; err != nil {
		t.Fatalf("reading the stage %s: %v", stage, err)
	}
	return log, files, size
}

// readTar lists the files of a tar stream, sorted, without folders, and adds up their sizes in bytes.
func readTar(content io.Reader) (files []string, size int64, err error) {
	for r := tar.NewReader(content); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			slices.Sort(files)
			return files, size, nil
		}
		if err != nil {
			return nil, 0, err
		}
		size += header.Size
		if header.Typeflag != tar.TypeDir {
			files = append(files, strings.TrimPrefix(filepath.Clean("/"+header.Name), "/"))
		}
	}
}

func (e example) checkFiles(t *testing.T, files []string) {
	t.Helper()
	if e.only != nil && !slices.Equal(files, e.only) {
		t.Errorf("the image has the files\n  %q\nwant\n  %q", files, e.only)
	}
	expectFiles(t, files, e.files, e.foreign)
}

// expectFiles checks that each pattern of present matches a file and none of absent does.
func expectFiles(t *testing.T, files, present, absent []string) {
	t.Helper()
	for _, pattern := range present {
		if !slices.ContainsFunc(files, regexp.MustCompile(pattern).MatchString) {
			t.Errorf("no file of the image matches %s", pattern)
		}
	}
	for _, pattern := range absent {
		if i := slices.IndexFunc(files, regexp.MustCompile(pattern).MatchString); i >= 0 {
			t.Errorf("the image has %s, and should have nothing that matches %s", files[i], pattern)
		}
	}
}

// checkSize compares the image's size with the builder stage's.
func (e example) checkSize(t *testing.T, r exampleRun, size int64, took time.Duration) {
	t.Helper()
	if e.builder == "" {
		t.Logf("%s: built in %.1f s, %.1f MB", e.name, took.Seconds(), megabytes(size))
		return
	}
	_, _, builder := r.export(t, e.builder)
	ratio := float64(size) / float64(builder)
	t.Logf("%s: built in %.1f s, %.1f MB, %.1f%% of the stage %s with %.1f MB",
		e.name, took.Seconds(), megabytes(size), 100*ratio, e.builder, megabytes(builder))
	if ratio > e.atMost {
		t.Errorf("the image has %.3f of the size of the stage %s, want at most %.3f", ratio, e.builder, e.atMost)
	}
}

func megabytes(n int64) float64 { return float64(n) / 1e6 }

// checkCached builds the image and the stage test once more, from a copy of the folder, as a fresh clone
// would be: only the content of files counts, and every step is in the cache.
func (r exampleRun) checkCached(t *testing.T) {
	t.Helper()
	clone := t.TempDir()
	if err := os.CopyFS(clone, os.DirFS(r.dir)); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"", "test"} {
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
}

// checkAnswers runs the image and leaves the container running.
func (e example) checkAnswers(t *testing.T, r *exampleRun, ref string) {
	t.Helper()
	container, err := r.sandbox.RunImage(t.Context(), ref, sandbox.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := container.Close(); err != nil {
			t.Errorf("closing the container: %v", err)
		}
	})
	r.container = container
	e.checkRunning(t, container)
	if e.healthy {
		r.checkHealth(t, ref)
	}
}

// running is a container, whichever engine runs it.
type running interface {
	Get(ctx context.Context, port int, path string) (status int, body string, err error)
	Exec(ctx context.Context, args ...string) (code int, output string, err error)
}

// port is the one that the image exposes.
func (e example) port(t *testing.T) (port int) {
	t.Helper()
	if _, err := fmt.Sscanf(e.config.port, "%d/tcp", &port); err != nil {
		t.Fatalf("port %q: %v", e.config.port, err)
	}
	return port
}

// checkRunning asks the application, and who it runs as.
func (e example) checkRunning(t *testing.T, container running) {
	t.Helper()
	asks := e.asks
	// What the README tells its reader to ask is answered, and so a demo of the example.
	for _, path := range sandbox.ReadQuestions(filepath.Join("..", "examples", e.name)) {
		asks = append(slices.Clip(asks), ask{path, http.StatusOK, "."})
	}
	for _, a := range asks {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		status, body, err := container.Get(ctx, e.port(t), a.path)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		if status != a.status || !regexp.MustCompile(a.body).MatchString(body) {
			t.Errorf("GET %s: status %d, want %d, and a body that matches %s:\n%s", a.path, status, a.status, a.body, body)
		}
	}
	if e.uid != "" {
		code, out, err := container.Exec(t.Context(), "id", "-u")
		if id, _ := strconv.Atoi(out); e.uid == system && 100 <= id && id < 1000 {
			out = system
		}
		if err != nil || code != 0 || out != e.uid {
			t.Errorf("id -u in the container: %q, status %d, %v; want %s", out, code, err, e.uid)
		}
	}
}

// checkHealth does what an engine does at every interval.
func (r exampleRun) checkHealth(t *testing.T, ref string) {
	t.Helper()
	image, err := r.sandbox.Image(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	file, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	check := file.Config.Healthcheck
	if check == nil || len(check.Test) < 2 {
		return // checkConfig has reported it
	}
	args := check.Test[1:]
	if check.Test[0] == "CMD-SHELL" {
		args = append([]string{"/bin/sh", "-c"}, args...)
	}
	if code, out, err := r.container.Exec(t.Context(), args...); err != nil || code != 0 {
		t.Errorf("HEALTHCHECK %q: status %d, %v\n%s", check.Test, code, err, out)
	}
}

// stop asks the application to end. One that has to be killed makes its user wait at each restart.
func (e example) stop(t *testing.T, c *sandbox.Container) {
	t.Helper()
	code, err := c.Stop(t.Context(), patience)
	if err != nil {
		t.Errorf("stopping the container: %v", err)
	}
	if killed := 128 + int(syscall.SIGKILL); code == killed && e.config.stopSignal != "SIGKILL" {
		t.Errorf("the application did not end at the stop signal and was killed %v later:\n%s", patience, c.Output())
	}
}

// everyTarget builds each stage of the example by its name and looks at what is in it, and at what ran
// for it, on top of what the builds before have left in the cache.
func everyTarget(t *testing.T, r exampleRun) {
	for _, target := range []struct {
		name    string
		stages  []string // that take part
		files   []string
		foreign []string
	}{
		{"base", []string{"base"}, []string{`^app/package-lock\.json$`}, []string{`^app/node_modules/`, `^app/src/`}},
		{"dependencies", []string{"base", "dependencies"}, []string{`^app/node_modules/esbuild/`, `^app/node_modules/mustache/`}, []string{`^app/src/`}},
		{"production-dependencies", []string{"base", "production-dependencies"}, []string{`^app/node_modules/mustache/`}, []string{`esbuild`, `^app/src/`}},
		{"test", []string{"base", "dependencies", "test"}, []string{`^app/test/`, `^app/src/`}, []string{`^app/dist/`}},
		{"build", []string{"base", "build", "dependencies"}, []string{`^app/dist/server\.js$`, `^app/src/`}, nil},
		{"production", []string{"base", "build", "dependencies", "production", "production-dependencies"}, []string{`^app/dist/server\.js$`}, []string{`^app/src/`, `esbuild`}},
	} {
		log, files, _ := r.export(t, target.name)
		if got := log.stages(); !slices.Equal(got, target.stages) {
			t.Errorf("--target %s: steps of the stages %q, want %q", target.name, got, target.stages)
		}
		if want := r.needed(t, target.name); len(log.steps()) != want {
			t.Errorf("--target %s: want %d steps, not%s", target.name, want, names(log.steps()))
		}
		t.Run(target.name, func(t *testing.T) { expectFiles(t, files, target.files, target.foreign) })
	}
}

// sideBySide checks that neither builder waited for the other. Each is taken from the unpacking of its
// base to its last step: which of their RUN instructions coincide depends on the machine.
func sideBySide(t *testing.T, r exampleRun) {
	ran := map[string]span{}
	for _, v := range r.first.vertexes {
		stage, _, _ := strings.Cut(strings.TrimPrefix(v.Name, "["), " ")
		if v.Started == nil || v.Completed == nil {
			continue
		}
		at, seen := ran[stage]
		if !seen || v.Started.Before(at.from) {
			at.from = *v.Started
		}
		if !seen || v.Completed.After(at.to) {
			at.to = *v.Completed
		}
		ran[stage] = at
	}
	front, back := ran["frontend-builder"], ran["backend-builder"]
	if front.from.IsZero() || back.from.IsZero() {
		t.Fatalf("the builders did not both run:%s", names(r.first.steps()))
	}
	if !front.overlaps(back) {
		t.Errorf("the builders ran one after the other: frontend %v to %v, backend %v to %v", front.from, front.to, back.from, back.to)
	}
}
