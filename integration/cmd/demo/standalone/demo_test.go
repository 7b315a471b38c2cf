package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The demo of a small application, which its own size keeps quick. The examples have tests of their own.
func TestDemo(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "app")
	dockerfile := `# syntax=stagecraft/stagecraft:1
FROM busybox AS builder
RUN dd if=/dev/zero of=/ballast bs=1M count=1 && mkdir /www && echo it works > /www/index.html

FROM builder AS test
RUN grep works /www/index.html

FROM busybox
COPY --from=builder /www /www
USER 1000
EXPOSE 8080
CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]
`
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"Dockerfile": dockerfile, "README.md": "    curl http://localhost:8080/index.html\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text := output(t, func() {
		if err := demo(t.Context(), folder); err != nil {
			t.Error(err)
		}
	})
	// What a person is to see, in this order.
	rest := text
	for _, want := range []string{
		"base images: busybox (",
		"/stagecraft/stagecraft@sha256:",
		"# syntax=stagecraft/stagecraft:1",
		"docker-image://docker.io/stagecraft/stagecraft:1",
		"[builder 2/2] RUN dd",
		"--opt target=test",
		"GET http://localhost:8080/index.html answers with status 200",
		"it works",
		"stage builder",
		"the application's image",
		"requestid=frontend.graph",
		"builder",
	} {
		_, after, ok := strings.Cut(rest, want)
		if !ok {
			t.Fatalf("%q is not shown, or not in its place:\n%s", want, text)
		}
		rest = after
	}
}

func TestDemoOfAFolderWithoutSyntaxLine(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "Dockerfile"), []byte("FROM scratch\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	output(t, func() {
		if err := demo(t.Context(), folder); err == nil || !strings.Contains(err.Error(), "# syntax=") {
			t.Errorf("the demo ended with %v", err)
		}
	})
}

// output returns what call writes on standard output and standard error, its children's included.
func output(t *testing.T, call func()) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "output"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	stdout, stderr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = file, file
	defer func() { os.Stdout, os.Stderr = stdout, stderr }()
	call()
	text, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
