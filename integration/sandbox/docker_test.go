package sandbox

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stagecraft/stagecraft/integration/sandbox/enclosure"
)

// engineFolders are where engines that were not told otherwise keep things.
var engineFolders = []string{"/opt/containerd", "/var/lib/docker", "/var/lib/containerd", "/etc/docker", "/etc/containerd"}

// An engine whose container runs still is closed: nothing is left of either.
func TestNothingIsLeftOfADockerEngine(t *testing.T) {
	for _, release := range []*DockerRelease{DockerToday, DockerDebian12} {
		t.Run(release.String(), func(t *testing.T) { testNothingIsLeft(t, release) })
	}
}

func testNothingIsLeft(t *testing.T, release *DockerRelease) {
	there := map[string]bool{}
	for _, folder := range engineFolders {
		_, err := os.Lstat(folder)
		there[folder] = err == nil
	}
	s, err := Start(t.Context(), WithImages(busybox))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	d, err := s.Docker(t.Context(), release)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.Docker(t.Context(), release); err != nil || again != d {
		t.Errorf("the second call returned %p, not %p, %v", again, d, err)
	}
	c, err := d.Run(t.Context(), "--publish=127.0.0.1::8080", "busybox", "sh", "-c", "echo works > index.html; exec httpd -f -p 8080")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if status, body, err := c.Get(ctx, 8080, "/"); err != nil || status != 200 || body != "works\n" {
		t.Errorf("the container answered %d, %q, %v", status, body, err)
	}
	// A program next to the engine meets it, and the container's port, as a user's would.
	p, err := d.Start(enclosure.Program{Name: "user", Path: "/bin/sh", Args: []string{"-c", "docker ps --quiet --no-trunc"}})
	if err != nil {
		t.Fatal(err)
	}
	code, err := p.Wait(ctx)
	text, readErr := os.ReadFile(p.Log)
	if err != nil || readErr != nil || code != 0 || strings.TrimSpace(string(text)) != c.ID {
		t.Errorf("docker ps ended with %d, %v, %v and wrote %q", code, err, readErr, text)
	}
	if len(traces(t, d.Dir, s.Registry)) == 0 {
		t.Error("of the running engine nothing is to be found, so the check below proves nothing")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if found := traces(t, d.Dir, s.Registry); len(found) > 0 {
		t.Errorf("there is still: %s", strings.Join(found, "; "))
	}
	for _, folder := range engineFolders {
		if _, err := os.Lstat(folder); err == nil && !there[folder] {
			t.Errorf("the engine made %s", folder)
		}
	}
}

// The proxy reaches plain and encrypted servers, and says what it cannot reach.
func TestProxy(t *testing.T) {
	proxy := httptest.NewServer(newProxy())
	defer proxy.Close()
	address, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "hello "+r.URL.Path) })
	plain, encrypted := httptest.NewServer(answer), httptest.NewTLSServer(answer)
	defer plain.Close()
	defer encrypted.Close()
	transport := encrypted.Client().Transport.(*http.Transport)
	transport.Proxy = http.ProxyURL(address)
	for _, server := range []string{plain.URL, encrypted.URL} {
		response, err := encrypted.Client().Get(server + "/you")
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || string(text) != "hello /you" {
			t.Errorf("%s answered %q, %v", server, text, err)
		}
	}
	gone := httptest.NewTLSServer(answer)
	gone.Close()
	if _, err := encrypted.Client().Get(gone.URL); err == nil || !strings.Contains(err.Error(), "Bad Gateway") {
		t.Errorf("of a server that is gone the proxy said %v", err)
	}
}

// forward carries both directions, and the end of each.
func TestForward(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		conn, err := server.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		question, _ := io.ReadAll(conn)
		_, _ = io.WriteString(conn, strings.ToUpper(string(question)))
	}()
	front, err := net.Listen("unix", filepath.Join(t.TempDir(), "front"))
	if err != nil {
		t.Fatal(err)
	}
	defer front.Close()
	go forward(front, server.Addr().String())
	conn, err := net.Dial("unix", front.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "question"); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.UnixConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(conn); err != nil || string(text) != "QUESTION" {
		t.Errorf("got %q, %v", text, err)
	}
}
