package tools

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestEveryFamilyPinsItsModule(t *testing.T) {
	for _, tool := range Names() {
		if v, err := Version(tool); err != nil || !strings.HasPrefix(v, "v") {
			t.Errorf("%s has version %q, %v", tool, v, err)
		}
	}
	if _, err := Version("docker-compose"); err == nil || !strings.Contains(err.Error(), "buildkitd") {
		t.Errorf("an unknown tool gave %v, which does not name the known ones", err)
	}
}

// The engines say of themselves what their go.mod says.
func TestToolsHaveTheirVersion(t *testing.T) {
	for _, tool := range []string{"buildkitd", "buildctl", "buildx", "registry", "buildkit-runc", "runc", "containerd", "dockerd", "docker", "staticcheck"} {
		path, err := Bin(t.Context(), tool)
		if err != nil {
			t.Fatal(err)
		}
		want, err := Version(tool)
		if err != nil {
			t.Fatal(err)
		}
		argument := map[string]string{"buildx": "version", "staticcheck": "-version"}[tool]
		if argument == "" {
			argument = "--version"
		}
		out, err := exec.Command(path, argument).CombinedOutput()
		if err != nil || !strings.Contains(string(out), strings.TrimPrefix(want, "v")) {
			t.Errorf("%s %s printed %q (%v), want %s", tool, argument, out, err, want)
		}
	}
}

// A build that is interrupted leaves nothing that a later one could take for a result, and nothing among
// the machine's temporary files.
func TestInterruptedBuild(t *testing.T) {
	t.Setenv("STAGECRAFT_CACHE", t.TempDir())
	// Its own empty build cache, so that the build takes longer than the wait.
	t.Setenv("GOCACHE", t.TempDir())
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	path, err := Bin(ctx, "registry")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Bin returned %s, %v", path, err)
	}
	left, err := filepath.Glob(filepath.Join(CacheDir(), "bin", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range left {
		if filepath.Ext(path) != ".lock" {
			t.Errorf("%s is left", path)
		}
	}
	entries, err := os.ReadDir(tmp)
	if err != nil || len(entries) > 0 {
		t.Errorf("the temporary folder has %v (%v)", entries, err)
	}
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := Lock(t.Context(), path, "a test")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := Lock(ctx, path, "a test"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the second lock gave %v", err)
	}
	unlock()
	again, err := Lock(t.Context(), path, "a test")
	if err != nil {
		t.Fatal(err)
	}
	again()
}

func TestMissingPackages(t *testing.T) {
	got := missingPackages(t.Context(), []string{"dpkg", "no-such-package"})
	if !slices.Equal(got, []string{"no-such-package"}) {
		t.Errorf("missing are %q", got)
	}
}

// Without apt-get the error says which packages it is about.
func TestDebianWithoutApt(t *testing.T) {
	dpkg, err := exec.LookPath("dpkg-query")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(dpkg, filepath.Join(dir, "dpkg-query")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	if err := Debian(t.Context(), "dpkg"); err != nil {
		t.Errorf("an installed package gave %v", err)
	}
	err = Debian(t.Context(), "dpkg", "no-such-package")
	if !errors.Is(err, ErrDebian) || !strings.Contains(err.Error(), "no-such-package") {
		t.Errorf("a missing package gave %v", err)
	}
}
