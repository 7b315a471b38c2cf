package sandbox

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stagecraft/stagecraft/integration/sandbox/enclosure"
	"github.com/stagecraft/stagecraft/integration/tools"
)

// holdVariable makes this test binary act as a test that is killed while it uses a sandbox.
const holdVariable = "STAGECRAFT_TEST_HOLD"

func TestMain(m *testing.M) {
	if os.Getenv(holdVariable) != "" {
		if err := hold(); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(Main(m))
}

// hold starts a sandbox and lets a build's container run in it until the end.
func hold() error {
	s, err := Start(context.Background(), WithImages(busybox))
	if err != nil {
		return err
	}
	dir := filepath.Join(s.Dir, "context")
	if err := writeFiles(dir, map[string]string{
		"Dockerfile": "FROM busybox\nRUN echo the container runs; sleep 1000\n",
	}); err != nil {
		return err
	}
	build := s.Buildx("build", "--progress=plain", dir)
	out, err := build.StderrPipe()
	if err != nil {
		return err
	}
	if err := build.Start(); err != nil {
		return err
	}
	var log strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		fmt.Fprintln(&log, lines.Text())
		// The command's own echo has it too, but not at the end of the line.
		if strings.HasSuffix(lines.Text(), " the container runs") {
			fmt.Println(s.Dir, s.Registry)
			select {}
		}
	}
	return fmt.Errorf("the build ended:\n%s\n%s", log.String(), s.Logs())
}

const busybox = "docker.io/library/busybox:latest"

func writeFiles(dir string, files map[string]string) error {
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// A test that is killed amid a build leaves no folder, no process, no mount and no control group.
func TestNothingIsLeftOfAKilledTest(t *testing.T) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), holdVariable+"=1")
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(out)
	line, err := reader.ReadString('\n')
	var dir, registry string
	if _, scanErr := fmt.Sscan(line, &dir, &registry); err != nil || scanErr != nil || !filepath.IsAbs(dir) {
		rest, _ := reader.Peek(reader.Buffered())
		cmd.Process.Kill()
		t.Fatalf("the test to be killed said %q%s (%v)", line, rest, err)
	}
	found := traces(t, dir, registry)
	for _, kind := range []string{"folder", "process", "mount", "control group"} {
		if !slices.ContainsFunc(found, func(s string) bool { return strings.HasPrefix(s, kind) }) {
			t.Errorf("before the kill there was no %s to be found, so the check below proves nothing: %s", kind, strings.Join(found, "; "))
		}
	}
	// The client of the build holds no engine; with the whole group it goes as it does at an interrupt.
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		found = traces(t, dir, registry)
		if len(found) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("two minutes after the end there is still: %s", strings.Join(found, "; "))
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// traces finds what there is of a sandbox on the machine.
func traces(t *testing.T, dir, registry string) []string {
	t.Helper()
	found, err := enclosure.Traces(dir)
	if err != nil {
		t.Fatal(err)
	}
	if tables, err := os.ReadFile("/proc/net/tcp"); err != nil {
		t.Fatal(err)
	} else if listening(string(tables), registry) {
		found = append(found, "listener on "+registry)
	}
	return found
}

// listening tells whether /proc/net/tcp (proc(5)) has a listener on 127.0.0.1 and the port of an address.
func listening(table, address string) bool {
	var port int
	_, text, _ := strings.Cut(address, ":")
	fmt.Sscan(text, &port)
	want := fmt.Sprintf("0100007F:%04X 00000000:0000 0A", port)
	return strings.Contains(table, want)
}

func TestBuildPushAndRun(t *testing.T) {
	s := New(t, WithImages(busybox))
	dir := t.TempDir()
	err := writeFiles(dir, map[string]string{
		"Dockerfile": `FROM busybox AS builder
RUN echo built > /made
FROM busybox
COPY --from=builder /made /srv/made
ENV GREETING=hello
WORKDIR /srv
USER 1000:1000
EXPOSE 8080
ENTRYPOINT ["/bin/sh", "-c"]
CMD ["id -u; pwd; echo $GREETING; exec httpd -f -p 8080"]
`})
	if err != nil {
		t.Fatal(err)
	}
	ref := s.Registry + "/demo:1"
	archive := filepath.Join(dir, "demo.tar")
	for _, output := range []string{"type=image,push=true,name=" + ref, "type=oci,dest=" + archive} {
		if out, err := s.DockerBuildx("build", "--output", output, dir).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	for _, ref := range []string{"demo:1", archive} {
		c, err := s.RunImage(t.Context(), ref, RunOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if status, body, err := c.Get(ctx, 8080, "/made"); err != nil || status != 200 || body != "built\n" {
			t.Errorf("%s: got %d %q, %v", ref, status, body, err)
		}
		if got := c.Output(); got != "1000\n/srv\nhello\n" {
			t.Errorf("%s: the container wrote %q", ref, got)
		}
		if code, out, err := c.Exec(ctx, "sh", "-c", "cat made; exit 3"); err != nil || code != 3 || out != "built" {
			t.Errorf("%s: Exec returned %d, %q, %v", ref, code, out, err)
		}
		if code, err := c.Stop(ctx, time.Second); err != nil || code == 0 {
			t.Errorf("%s: Stop returned %d, %v", ref, code, err)
		}
	}
	c, err := s.RunImage(t.Context(), archive, RunOptions{Args: []string{"echo $GREETING $WHO; exit 5"}, Env: []string{"WHO=you"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if code, err := c.Wait(t.Context()); err != nil || code != 5 || c.Output() != "hello you\n" {
		t.Errorf("the container ended with %d, %v and wrote %q", code, err, c.Output())
	}
}

func TestRestartKeepsTheCache(t *testing.T) {
	s := New(t, WithImages(busybox))
	dir := t.TempDir()
	if err := writeFiles(dir, map[string]string{"Dockerfile": "FROM busybox\nRUN date > /when\n"}); err != nil {
		t.Fatal(err)
	}
	build := func() string {
		out, err := s.Buildctl("build", "--frontend", "dockerfile.v0", "--local", "context="+dir, "--local", "dockerfile="+dir).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	if out := build(); strings.Contains(out, "CACHED") {
		t.Errorf("the first build was cached:\n%s", out)
	}
	if err := s.StopBuildkitd(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.StartBuildkitd(t.Context()); err != nil {
		t.Fatal(err)
	}
	if out := build(); !strings.Contains(out, "CACHED") {
		t.Errorf("the second build was not cached:\n%s", out)
	}
}

func TestWithoutBuiltinFrontend(t *testing.T) {
	s := New(t, WithoutImages(), WithoutBuiltinFrontend())
	dir := t.TempDir()
	if err := writeFiles(dir, map[string]string{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"}); err != nil {
		t.Fatal(err)
	}
	out, err := s.Buildx("build", dir).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "dockerfile.v0") {
		t.Errorf("a build by the daemon's own frontend gave %v\n%s", err, out)
	}
}

// The image's parts come from the Dockerfile, the program from the machine's go command: both must be
// built with the same flags.
func TestDockerfileHasTheFlags(t *testing.T) {
	root, err := tools.Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		fmt.Sprintf("ENV CGO_ENABLED=0 GOFLAGS=%q", frontendFlags),
		fmt.Sprintf(`-ldflags "%s$VERSION"`, frontendLinkFlags),
		"ARG VERSION=" + frontendVersion + "\n",
		" /" + frontendLayout + " ",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the Dockerfile has no %s", want)
		}
	}
}

// packFrontend needs no frontend of ours, only a program: what the image is made of besides is under test.
func TestFrontendImage(t *testing.T) {
	root, err := tools.Root()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	program := filepath.Join(dir, frontendLayout)
	if err := writeFiles(dir, map[string]string{frontendLayout: "#!placeholder " + t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	archive, err := packFrontend(t.Context(), dir, program, filepath.Join(root, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(archive)
	image, err := openArchive(archive)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.Config.Labels["moby.buildkit.frontend.network.none"] != "true" {
		t.Errorf("labels are %v", config.Config.Labels)
	}
	if got := config.Config.Entrypoint; !slices.Equal(got, []string{"/bin/stagecraft-frontend"}) {
		t.Errorf("the entrypoint is %q", got)
	}
	if n := len(config.RootFS.DiffIDs); n != 1 {
		t.Errorf("the image has %d layers", n)
	}
	before, err := os.Stat(archive)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := packFrontend(t.Context(), dir, program, filepath.Join(root, "Dockerfile")); err != nil || again != archive {
		t.Fatalf("the second call returned %s, %v", again, err)
	}
	if after, err := os.Stat(archive); err != nil || !os.SameFile(before, after) {
		t.Errorf("the second call made the image anew")
	}
}

// Without a docker client on the machine, buildx is called on its own.
func TestDockerBuildxWithoutDocker(t *testing.T) {
	s := &Sandbox{bin: map[string]string{"buildx": "/cache/buildx"}}
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	if got := s.DockerBuildx("version").Args; !slices.Equal(got, []string{"/cache/buildx", "version"}) {
		t.Errorf("without docker the call is %q", got)
	}
	docker := filepath.Join(dir, "docker")
	if err := os.WriteFile(docker, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := s.DockerBuildx("version").Args; !slices.Equal(got, []string{docker, "buildx", "version"}) {
		t.Errorf("with docker the call is %q", got)
	}
}
