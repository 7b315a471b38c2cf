package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/integration/sandbox"
	"github.com/stagecraft/stagecraft/integration/tools"
)

// way is an engine, a client and how a user of them names the frontend.
type way struct {
	engine, client, named string
	// line tells that the Dockerfile has our syntax line.
	line bool
	// build is a call that builds the Dockerfile in a folder and names the image.
	build func(dir, tag string) *exec.Cmd
	// graph is a call that asks for the graph of a folder's Dockerfile; nil where the client has none.
	graph func(dir string) *exec.Cmd
	// output runs an image and returns what it wrote.
	output func(ctx context.Context, tag string) (string, error)
	// serve runs the image of an example until the returned function is called.
	serve func(ctx context.Context, e example, tag string) (running, func() error, error)
}

// enginesPage holds the table that TestEngines writes.
const enginesPage = "../docs/engines.md"

// TestEngines builds the same things in every way that a user has, and compares what came of it with the
// table in docs/engines.md.
func TestEngines(t *testing.T) {
	e := examples[slices.IndexFunc(examples, func(e example) bool { return e.name == "external" })]
	rows := []string{
		"| engine | client | frontend named by | the example | additions | a failure | `--call=graph` |",
		"| --- | --- | --- | --- | --- | --- | --- |",
	}
	complete := true
	for i, w := range ways(t, e.bases) {
		tag := fmt.Sprintf("engines/way%d", i)
		row := ""
		t.Run(strings.NewReplacer("`", "", ",", "").Replace(w.client+" "+w.named), func(t *testing.T) {
			row = fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s |", w.engine, w.client, w.named,
				w.example(t, e, tag), w.additions(t, tag), w.failure(t, tag), w.callGraph(t))
		})
		complete = complete && row != ""
		rows = append(rows, row)
	}
	if t.Failed() || !complete {
		return // -run has left some out, or there is more to mend than a table
	}
	page, err := os.ReadFile(enginesPage)
	if err != nil {
		t.Fatal(err)
	}
	const from, to = "<!-- table -->\n", "<!-- end of table -->\n"
	before, rest, found := strings.Cut(string(page), from)
	old, after, foundEnd := strings.Cut(rest, to)
	if !found || !foundEnd {
		t.Fatalf("%s has no table between %q and %q", enginesPage, from, to)
	}
	table := strings.Join(rows, "\n") + "\n"
	if *update {
		if err := os.WriteFile(enginesPage, []byte(before+from+table+to+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if old != table {
		t.Errorf("%s has\n%s\nand this run made (-update writes it)\n%s", enginesPage, old, table)
	}
}

// ways are those that the page lists.
func ways(t *testing.T, bases []string) []way {
	t.Helper()
	s := sandboxWith(t, "engines", bases)
	const image = sandbox.FrontendRepository + ":1"
	push := func(tag string) string { return "type=image,push=true,name=" + s.Registry + "/" + tag }
	buildctl := func(frontend ...string) func(dir, tag string) *exec.Cmd {
		return func(dir, tag string) *exec.Cmd {
			args := append([]string{"build", "--progress=plain", "--local", "context=" + dir, "--local", "dockerfile=" + dir, "--output", push(tag)}, frontend...)
			return s.Buildctl(args...)
		}
	}
	buildKit := way{
		engine: "BuildKit " + pinned(t, "buildkitd"),
		output: func(ctx context.Context, tag string) (string, error) {
			c, err := s.RunImage(ctx, tag, sandbox.RunOptions{})
			if err != nil {
				return "", err
			}
			_, err = c.Wait(ctx)
			return c.Output(), errors.Join(err, c.Close())
		},
		serve: func(ctx context.Context, _ example, tag string) (running, func() error, error) {
			c, err := s.RunImage(ctx, tag, sandbox.RunOptions{})
			if err != nil {
				return nil, nil, err
			}
			return c, c.Close, nil
		},
	}
	gateway, line, buildx, bake := buildKit, buildKit, buildKit, buildKit
	gateway.client, gateway.named = "buildctl "+pinned(t, "buildctl"), "`--frontend gateway.v0 --opt source=`"
	gateway.build = buildctl("--frontend", "gateway.v0", "--opt", "source="+image)
	line.client, line.named, line.line = gateway.client, "the syntax line, `--frontend dockerfile.v0`", true
	line.build = buildctl("--frontend", "dockerfile.v0")
	buildx.client, buildx.named, buildx.line = "buildx "+pinned(t, "buildx")+", remote driver", "the syntax line", true
	buildx.build = func(dir, tag string) *exec.Cmd {
		return s.Buildx("build", "--progress=plain", "--output", push(tag), dir)
	}
	buildx.graph = func(dir string) *exec.Cmd { return s.Buildx("build", "--call=graph", dir) }
	bake.client, bake.named = "buildx bake "+pinned(t, "buildx"), "`args.BUILDKIT_SYNTAX`"
	bake.build = func(dir, tag string) *exec.Cmd {
		file, err := json.Marshal(map[string]any{"target": map[string]any{"default": map[string]any{
			"context": dir, "args": map[string]string{"BUILDKIT_SYNTAX": image}, "output": []string{push(tag)},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		cmd := s.Buildx("bake", "--progress=plain", "--file", "-")
		cmd.Stdin, cmd.Dir = strings.NewReader(string(file)), dir
		return cmd
	}
	all := []way{gateway, line, buildx, bake}
	for _, release := range []*sandbox.DockerRelease{sandbox.DockerToday, sandbox.DockerDebian12} {
		all = append(all, dockerWays(t, release, bases, image)...)
	}
	return all
}

// dockerWays are those of an engine and its own client.
func dockerWays(t *testing.T, release *sandbox.DockerRelease, bases []string, image string) []way {
	t.Helper()
	_, d := dockerEngine(t, release, bases...)
	version := func(template string) string {
		text, err := d.Output(t.Context(), "version", "--format", template)
		if err != nil {
			t.Fatal(err)
		}
		// What Debian appends changes with its own repairs.
		return regexp.MustCompile(`[~+][^\s,)]*`).ReplaceAllString(text, "")
	}
	line := way{
		engine: version(`Docker Engine {{.Server.Version}} (containerd {{(index .Server.Components 1).Version}}, runc {{(index .Server.Components 2).Version}})`),
		client: version(`docker {{.Client.Version}}`), named: "the syntax line", line: true,
		build: func(dir, tag string) *exec.Cmd { return d.Command("build", "--progress=plain", "--tag", tag, dir) },
		output: func(ctx context.Context, tag string) (string, error) {
			return d.Output(ctx, "run", "--rm", tag)
		},
		serve: func(ctx context.Context, e example, tag string) (running, func() error, error) {
			c, err := d.Run(ctx, "--publish=127.0.0.1::"+strings.TrimSuffix(e.config.port, "/tcp"), tag)
			if err != nil {
				return nil, nil, err
			}
			return c, func() error { return c.Remove(context.WithoutCancel(ctx)) }, nil
		},
	}
	if release == sandbox.DockerToday {
		line.client += " with buildx " + pinned(t, "buildx")
		line.graph = func(dir string) *exec.Cmd { return d.Command("build", "--call=graph", dir) }
	}
	argument := line
	argument.named, argument.line = "`--build-arg BUILDKIT_SYNTAX=`", false
	argument.build = func(dir, tag string) *exec.Cmd {
		return d.Command("build", "--progress=plain", "--build-arg", "BUILDKIT_SYNTAX="+image, "--tag", tag, dir)
	}
	if line.graph != nil {
		argument.graph = func(dir string) *exec.Cmd {
			return d.Command("build", "--call=graph", "--build-arg", "BUILDKIT_SYNTAX="+image, dir)
		}
	}
	return []way{line, argument}
}

func pinned(t *testing.T, tool string) string {
	t.Helper()
	version, err := tools.Version(tool)
	if err != nil {
		t.Fatal(err)
	}
	return version
}

// folder makes a folder of files, the Dockerfile with our syntax line or without.
func (w way) folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		text = strings.TrimPrefix(text, syntaxLine)
		if name == "Dockerfile" && w.line {
			text = syntaxLine + text
		}
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// mustBuild builds what is to succeed.
func (w way) mustBuild(t *testing.T, dir, tag string) {
	t.Helper()
	out, err := w.build(dir, tag).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// example builds an application, runs it and asks it something.
func (w way) example(t *testing.T, e example, tag string) string {
	t.Helper()
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(filepath.Join("..", "examples", e.name))); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(copied, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	if !w.line {
		text = []byte(strings.TrimPrefix(string(text), syntaxLine))
	}
	if err := os.WriteFile(filepath.Join(copied, "Dockerfile"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	w.mustBuild(t, copied, tag+"/example")
	c, end, err := w.serve(t.Context(), e, tag+"/example")
	if err != nil {
		t.Fatal(err)
	}
	e.checkRunning(t, c)
	if err := end(); err != nil {
		t.Error(err)
	}
	return "answers"
}

// additions builds what no other frontend reads, and so shows that it was ours.
func (w way) additions(t *testing.T, tag string) string {
	t.Helper()
	dir := w.folder(t, map[string]string{
		"Dockerfile": `FROM busybox AS test
RUN echo engines > /tested
FROM --after=test busybox AS release
COPY --from=./tools/Dockerfile#made /made /all/
COPY --if-exists absent present /all/
INCLUDE ./part
CMD ["sh", "-c", "cat /all/*"]
`,
		"tools/Dockerfile": "FROM busybox AS made\nRUN echo another file > /made\n",
		"part":             "RUN echo included > /all/included\n",
		"present":          "present\n",
	})
	w.mustBuild(t, dir, tag+"/additions")
	out, err := w.output(t.Context(), tag+"/additions")
	if want := "included\nanother file\npresent"; err != nil || strings.TrimSpace(out) != want {
		t.Errorf("the image wrote %q, %v, want %q", out, err, want)
	}
	return "build"
}

// failure builds what a gate forbids.
func (w way) failure(t *testing.T, tag string) string {
	t.Helper()
	dir := w.folder(t, map[string]string{"Dockerfile": `FROM busybox AS test
RUN echo engines; exit 7
FROM --after=test busybox AS release
RUN echo engines release
`})
	out, err := w.build(dir, tag+"/failure").CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !strings.Contains(string(out), "--after=test of stage release") || !strings.Contains(string(out), "exit code: 7") {
		t.Errorf("the build ended with %v and wrote\n%s", err, out)
		return ""
	}
	shown := "message"
	if strings.Contains(string(out), ">>> RUN echo engines; exit 7") {
		shown = "message, source"
	}
	return fmt.Sprintf("%s, status %d", shown, exit.ExitCode())
}

// callGraph asks for the picture.
func (w way) callGraph(t *testing.T) string {
	t.Helper()
	if w.graph == nil {
		return "–"
	}
	dir := w.folder(t, map[string]string{"Dockerfile": "FROM busybox AS engines\nFROM engines AS release\n"})
	out, err := w.graph(dir).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Longest chain") {
		t.Errorf("--call=graph: %v\n%s", err, out)
	}
	return "drawn"
}
