package conformance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/stagecraft/stagecraft/integration/tools"
)

// A module of this folder and what is compiled in it. Each has its own go.mod because the versions
// that upstream's tests were written against must not depend on what our own module requires.
type module struct {
	folder   string
	programs []program
}

type program struct {
	name string   // file name in the cache
	args []string // of the go command, without flags about output
}

var (
	// The flags are those with which upstream builds its image, less the version, which is a git
	// description that a module does not have.
	suiteModule = module{folder: "suite", programs: []program{
		{"dockerfile.test", []string{"test", "-c", "github.com/moby/buildkit/frontend/dockerfile"}},
		{"dockerfile-frontend", []string{"build", "-tags=netgo static_build osusergo", "-ldflags=-d -s -w",
			"github.com/moby/buildkit/frontend/dockerfile/cmd/dockerfile-frontend"}},
	}}
	// The network group of the tests wants containers behind a bridge, as upstream's CI has it.
	cniModule = module{folder: "cni", programs: []program{
		{"bridge", []string{"build", "github.com/containernetworking/plugins/plugins/main/bridge"}},
		{"loopback", []string{"build", "github.com/containernetworking/plugins/plugins/main/loopback"}},
		{"host-local", []string{"build", "github.com/containernetworking/plugins/plugins/ipam/host-local"}},
	}}
)

// folder is the path of this package's folder in the checkout.
func folder() (string, error) {
	root, err := tools.Root()
	if err != nil {
		return "", err
	}
	return filepath.Join(root, "integration", "conformance"), nil
}

// cacheDir is where the package keeps what it compiled and measured. It is created.
func cacheDir() (string, error) {
	dir := filepath.Join(tools.CacheDir(), "conformance")
	return dir, os.MkdirAll(dir, 0o755)
}

// compiled returns the folder with a module's programs, compiling them first where the cache lacks
// them. The folder's name changes with the module's requirements, the arguments and the Go version.
func (m module) compiled(ctx context.Context) (string, error) {
	here, err := folder()
	if err != nil {
		return "", err
	}
	src := filepath.Join(here, m.folder)
	key := sha256.New()
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(src, name))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(key, "%s %d\n%s", name, len(text), text)
	}
	fmt.Fprintf(key, "%q %s %s", m.programs, goVersion(ctx), runtime.GOARCH)

	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	name := m.folder + "-" + hex.EncodeToString(key.Sum(nil))[:16]
	dir := filepath.Join(cache, name)
	unlock, err := tools.Lock(ctx, dir+".lock", "the build of "+m.folder)
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	// The lock is ours, so a folder of this name is the rest of an interrupted build.
	tmp := filepath.Join(cache, ".tmp-"+name)
	if err := errors.Join(os.RemoveAll(tmp), os.Mkdir(tmp, 0o755)); err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	for _, p := range m.programs {
		fmt.Fprintf(os.Stderr, "building %s for the conformance tests …\n", p.name)
		args := slices.Concat(p.args[:len(p.args)-1],
			[]string{"-mod=readonly", "-trimpath", "-o", filepath.Join(tmp, p.name), p.args[len(p.args)-1]})
		if err := tools.Go(ctx, src, tmp, nil, args...); err != nil {
			return "", fmt.Errorf("building %s: %w", p.name, err)
		}
	}
	return dir, os.Rename(tmp, dir)
}

// list is go list of one package in the module, with one of go list's templates.
func (m module) list(ctx context.Context, template, pkg string) (string, error) {
	here, err := folder()
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", "list", "-mod=readonly", "-f", template, pkg)
	cmd.Dir = filepath.Join(here, m.folder)
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go list %s: %w", pkg, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// goVersion is the version of the go command on the PATH, which compiles the suite.
func goVersion(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "go", "env", "GOVERSION").Output()
	if err != nil {
		return runtime.Version()
	}
	return strings.TrimSpace(string(out))
}
