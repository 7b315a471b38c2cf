package integration

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stagecraft/stagecraft/integration/sandbox"
)

// patience bounds the wait for an application's answer or its end. It takes a second or two; the bound is
// for a machine that is busy with other tests.
const patience = 3 * time.Minute

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
	file := r.configFile(t, ref)
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
