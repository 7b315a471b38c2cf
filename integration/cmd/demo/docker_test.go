package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/integration/sandbox"
	"github.com/stagecraft/stagecraft/integration/tools"
)

func TestMain(m *testing.M) { os.Exit(sandbox.Main(m)) }

// The demo on a Docker Engine builds the frontend by docker build from this checkout. Its image lies in the
// engine's own store only, and serves as the syntax image of the application.
func TestDockerDemo(t *testing.T) {
	root, err := tools.Root()
	if err != nil {
		t.Fatal(err)
	}
	s := sandbox.New(t, sandbox.WithImages("golang:1.26-alpine", "busybox:latest"), sandbox.WithState("demo"))
	engineOfTest, err := s.Docker(t.Context(), sandbox.DockerToday)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range engineOfTest.Environment() {
		if name, value, _ := strings.Cut(entry, "="); name == "PATH" || strings.HasPrefix(name, "DOCKER_") || strings.HasPrefix(name, "BUILDX_") {
			t.Setenv(name, value)
		}
	}
	if version, why := engine(t.Context()); why != nil || version == "" {
		t.Fatalf("no engine is found: %q, %v", version, why)
	}
	folder := filepath.Join(t.TempDir(), "app")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"Dockerfile": `# syntax=stagecraft/stagecraft:1
FROM busybox AS builder
RUN dd if=/dev/zero of=/ballast bs=1M count=1 && mkdir /www && echo it works > /www/index.html

FROM builder AS test
RUN grep works /www/index.html

FROM --after=test busybox
COPY --from=builder /www /www
USER 1000
EXPOSE 8080
CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]
`,
		"README.md": "    curl http://localhost:8080/index.html\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(root)
	var out bytes.Buffer
	d := &dockerDemo{folder: folder, out: &out, dial: engineOfTest.Dial}
	if err := d.run(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	// What a person is to see, in this order.
	rest := out.String()
	for _, want := range []string{
		"docker build --tag stagecraft/stagecraft:1", "docker build --tag stagecraft-demo", "--target test",
		"/index.html answers with status 200", "it works", "stage builder:", "--call=graph", "after", "docker image rm stagecraft/stagecraft:1",
	} {
		_, after, ok := strings.Cut(rest, want)
		if !ok {
			t.Fatalf("%q is not shown, or not in its place:\n%s", want, out.String())
		}
		rest = after
	}
	images, err := engineOfTest.Output(t.Context(), "image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
	if err != nil {
		t.Fatal(err)
	}
	containers, err := engineOfTest.Output(t.Context(), "ps", "--all", "--quiet")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(images, "stagecraft-demo") || !strings.Contains(images, frontendImage) || containers != "" {
		t.Errorf("the demo leaves the images\n%s\nand the containers %q", images, containers)
	}
}

func TestDemoOfAFolderWithoutSyntaxLine(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "Dockerfile"), []byte("FROM scratch\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := (&dockerDemo{folder: folder, out: &bytes.Buffer{}}).run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "# syntax=stagecraft/stagecraft:1") {
		t.Errorf("the demo ended with %v", err)
	}
}
