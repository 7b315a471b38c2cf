package sandbox

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stagecraft/stagecraft/integration/tools"
)

// keeper is an engine with a kept state, as the tests below see it.
type keeper struct {
	name   string
	folder string // its folder's name begins so
	spoil  string // a file in its folder without which it does not start
	start  func(t *testing.T, s *Sandbox) (build func(dir string) *exec.Cmd, kill func() error)
}

func dockerKeeper(release *DockerRelease) keeper {
	return keeper{
		name: release.String(), folder: release.folder, spoil: "containerd/io.containerd.metadata.v1.bolt/meta.db",
		start: func(t *testing.T, s *Sandbox) (func(dir string) *exec.Cmd, func() error) {
			d, err := s.Docker(t.Context(), release)
			if err != nil {
				t.Fatal(err)
			}
			if out, err := d.Output(t.Context(), "ps", "--all", "--quiet"); err != nil || out != "" {
				t.Errorf("a new engine has the containers %q, %v", out, err)
			}
			if out, err := d.Output(t.Context(), "image", "ls", "--quiet"); err != nil || out != "" {
				t.Errorf("a new engine has the images %q, %v", out, err)
			}
			return func(dir string) *exec.Cmd {
				return d.Command("build", "--progress=plain", "--tag", "kept", dir)
			}, func() error { return d.daemon.Stop(t.Context(), syscall.SIGKILL, 10*time.Second) }
		},
	}
}

// A state gives the next engine what the last one has built, unless that one crashed or left what no engine
// can use; then the next begins again. Who comes while it is taken begins without.
func TestState(t *testing.T) {
	for _, k := range []keeper{
		{name: "BuildKit", folder: "buildkit", spoil: "cache.db",
			start: func(t *testing.T, s *Sandbox) (func(dir string) *exec.Cmd, func() error) {
				return func(dir string) *exec.Cmd {
					return s.Buildx("build", "--progress=plain", "--output=type=cacheonly", dir)
				}, func() error { return s.buildkitd.Stop(t.Context(), syscall.SIGKILL, 10*time.Second) }
			}},
		dockerKeeper(DockerToday),
		dockerKeeper(DockerDebian12),
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			state := "test-" + k.folder
			folder := filepath.Join(tools.CacheDir(), "state", state)
			t.Cleanup(func() {
				if err := os.RemoveAll(folder); err != nil {
					t.Error(err)
				}
			})
			dir := t.TempDir()
			const file = "# syntax=stagecraft/stagecraft:1\nFROM busybox\nRUN date +%N >/made\n"
			if err := writeFiles(dir, map[string]string{"Dockerfile": file}); err != nil {
				t.Fatal(err)
			}
			// run builds with an engine of its own and tells whether the step was in the cache.
			run := func(opt Option, before func(kill func() error)) (cached bool) {
				t.Helper()
				s, err := Start(t.Context(), WithImages(busybox), opt)
				if err != nil {
					t.Fatal(err)
				}
				defer func() {
					if err := s.Close(); err != nil {
						t.Error(err)
					}
				}()
				if _, err := s.FrontendRef(t.Context()); err != nil {
					t.Fatal(err)
				}
				build, kill := k.start(t, s)
				out, err := build(dir).CombinedOutput()
				if err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
				if before != nil {
					before(kill)
				}
				return strings.Contains(string(out), "CACHED")
			}
			expect := func(what string, cached, want bool) {
				t.Helper()
				if cached != want {
					t.Errorf("%s: the step was cached: %v, want %v", what, cached, want)
				}
			}
			expect("the first engine", run(WithStateIfFree(state), nil), false)
			expect("the second engine", run(WithState(state), func(kill func() error) {
				expect("one beside it", run(WithStateIfFree(state), nil), false)
				if err := kill(); err != nil {
					t.Error(err)
				}
			}), true)
			expect("after that crash", run(WithState(state), nil), false)

			spoiled, err := filepath.Glob(filepath.Join(folder, k.folder+"-*", k.spoil))
			if err != nil || len(spoiled) != 1 {
				t.Fatalf("there is not one %s but %q, %v", k.spoil, spoiled, err)
			}
			if err := os.WriteFile(spoiled[0], []byte(strings.Repeat("spoiled", 10000)), 0o600); err != nil {
				t.Fatal(err)
			}
			expect("with a spoiled state", run(WithState(state), nil), false)
		})
	}
}
