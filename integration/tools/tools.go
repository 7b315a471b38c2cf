// Package tools builds the engines that the tests run against: BuildKit, buildx, a registry, runc,
// containerd, the Docker daemon and its client, each from the source that a go.mod of its own pins.
//
// Every family is a folder below this one with its own go.mod and go.sum, because the engines need
// versions of shared modules that differ from ours and from each other's. Most programs are main packages
// of the modules required there, the registry is one in the folder itself. A family is built once into
// the cache folder, under a name that changes with whatever could change its binaries, so a version
// bump is an edit of one go.mod and an old checkout keeps finding its own engines.
package tools

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
	"sort"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
)

// family is one module below this folder and how its programs are built.
type family struct {
	name   string // folder below integration/tools
	module string // the module whose version names the family
	// packages maps the name a tool is asked for, which is also the file's name, to its main package.
	packages map[string]string
	tags     []string
	gcflags  string
	ldflags  string // VERSION is replaced by the module's version, NUMBER by that without its v
	cgo      bool
	debian   []string // packages that the build needs
	// alias gives a built tool a second file name.
	alias map[string]string
}

var families = []family{
	{
		name:   "buildkit",
		module: "github.com/moby/buildkit",
		packages: map[string]string{
			"buildkitd": "github.com/moby/buildkit/cmd/buildkitd",
			"buildctl":  "github.com/moby/buildkit/cmd/buildctl",
		},
		tags:    []string{"osusergo", "netgo", "static_build", "seccomp"},
		ldflags: "-X github.com/moby/buildkit/version.Version=VERSION",
	},
	{
		name:     "buildx",
		module:   "github.com/docker/buildx",
		packages: map[string]string{"buildx": "github.com/docker/buildx/cmd/buildx"},
		tags:     []string{"osusergo", "netgo"},
		ldflags:  "-X github.com/docker/buildx/version.Version=VERSION",
	},
	{
		name:     "registry",
		module:   "github.com/distribution/distribution/v3",
		packages: map[string]string{"registry": "."},
		tags:     []string{"osusergo", "netgo"},
		ldflags:  "-X github.com/distribution/distribution/v3/version.version=VERSION",
	},
	{
		name:     "runc",
		module:   "github.com/opencontainers/runc",
		packages: map[string]string{"buildkit-runc": "github.com/opencontainers/runc"},
		// Static, so that a cached binary does not depend on the libseccomp of the machine that runs it.
		tags:    []string{"seccomp", "osusergo", "netgo", "static_build"},
		ldflags: "-extldflags -static",
		cgo:     true,
		debian:  []string{"gcc", "libc6-dev", "libseccomp-dev", "pkg-config"},
		// buildkitd looks for buildkit-runc; containerd and dockerd look for runc.
		alias: map[string]string{"runc": "buildkit-runc"},
	},
	{
		name:   "containerd",
		module: "github.com/containerd/containerd/v2",
		packages: map[string]string{
			"containerd":              "github.com/containerd/containerd/v2/cmd/containerd",
			"containerd-shim-runc-v2": "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
		},
		// Without Kubernetes' interface, which no test uses: 175 packages fewer to compile.
		tags:    []string{"osusergo", "netgo", "static_build", "no_btrfs", "no_zfs", "no_cri"},
		ldflags: "-X github.com/containerd/containerd/v2/version.Version=VERSION",
	},
	{
		name:   "docker",
		module: "github.com/moby/moby/v2",
		packages: map[string]string{
			"dockerd":      "github.com/moby/moby/v2/cmd/dockerd",
			"docker-proxy": "github.com/moby/moby/v2/cmd/docker-proxy",
		},
		// It is given a containerd of the other family.
		tags:    []string{"osusergo", "netgo", "static_build", "exclude_graphdriver_btrfs", "exclude_graphdriver_zfs", "no_embedded_containerd"},
		ldflags: "-X github.com/moby/moby/v2/dockerversion.Version=VERSION",
	},
	{
		name:     "dockercli",
		module:   "github.com/docker/cli",
		packages: map[string]string{"docker": "github.com/docker/cli/cmd/docker"},
		tags:     []string{"osusergo", "netgo"},
		// Without a go.mod of its own the module counts as Go 1.16. Its files say otherwise one by one,
		// but for some that its release is compiled with a go.mod for.
		gcflags: "github.com/docker/cli/cmd/docker=-lang=go1.26",
		ldflags: "-X github.com/docker/cli/cli/version.Version=NUMBER",
	},
	{
		name:     "staticcheck",
		module:   "honnef.co/go/tools",
		packages: map[string]string{"staticcheck": "honnef.co/go/tools/cmd/staticcheck"},
	},
	{
		name:     "govulncheck",
		module:   "golang.org/x/vuln",
		packages: map[string]string{"govulncheck": "golang.org/x/vuln/cmd/govulncheck"},
	},
	{
		name:     "actionlint",
		module:   "github.com/rhysd/actionlint",
		packages: map[string]string{"actionlint": "github.com/rhysd/actionlint/cmd/actionlint"},
	},
}

// familyOf returns the family that builds a tool.
func familyOf(tool string) (family, error) {
	for _, f := range families {
		if _, ok := f.packages[tool]; ok {
			return f, nil
		}
		if _, ok := f.alias[tool]; ok {
			return f, nil
		}
	}
	return family{}, fmt.Errorf("no tool named %q; there are %s", tool, strings.Join(Names(), ", "))
}

// Names lists the tools that Bin knows, sorted.
func Names() []string {
	var names []string
	for _, f := range families {
		names = append(names, f.files()...)
	}
	sort.Strings(names)
	return names
}

// files lists the names of all files that building f leaves in its folder.
func (f family) files() []string {
	var names []string
	for name := range f.packages {
		names = append(names, name)
	}
	for name := range f.alias {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// CacheDir is the folder outside the tree that keeps what is dear to make: $STAGECRAFT_CACHE, else
// stagecraft in $XDG_CACHE_HOME or ~/.cache. It is not created.
func CacheDir() string {
	if dir := os.Getenv("STAGECRAFT_CACHE"); dir != "" {
		return dir
	}
	if dir, err := os.UserCacheDir(); err == nil {
		return filepath.Join(dir, "stagecraft")
	}
	return filepath.Join(os.TempDir(), fmt.Sprintf("stagecraft-cache-%d", os.Getuid()))
}

// Root is the top folder of the checkout that the working directory is in.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for start := dir; ; {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(mod), "module github.com/stagecraft/stagecraft\n") {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("%s is not inside a checkout of github.com/stagecraft/stagecraft", start)
		}
		dir = parent
	}
}

// Bin returns the path of a tool's program, and builds its family first where the cache lacks it.
// Several programs may ask at once: one builds, the others wait for it. What is being built is told on
// standard error, since from nothing it takes minutes.
func Bin(ctx context.Context, tool string) (string, error) {
	f, err := familyOf(tool)
	if err != nil {
		return "", err
	}
	dir, err := f.ensure(ctx)
	if err != nil {
		return "", fmt.Errorf("building %s: %w", tool, err)
	}
	return filepath.Join(dir, tool), nil
}

// Version returns the version of a tool's module as its go.mod pins it, such as "v0.34.2".
func Version(tool string) (string, error) {
	f, err := familyOf(tool)
	if err != nil {
		return "", err
	}
	root, err := Root()
	if err != nil {
		return "", err
	}
	mod, err := os.ReadFile(filepath.Join(root, "integration", "tools", f.name, "go.mod"))
	if err != nil {
		return "", err
	}
	return f.version(mod)
}

// version finds the module's version in the text of the family's go.mod.
func (f family) version(mod []byte) (string, error) {
	file, err := modfile.ParseLax("go.mod", mod, nil)
	if err != nil {
		return "", fmt.Errorf("integration/tools/%s: %w", f.name, err)
	}
	for _, require := range file.Require {
		if require.Mod.Path == f.module {
			// The go command marks what has no go.mod of its own; it is not part of the version.
			return strings.TrimSuffix(require.Mod.Version, "+incompatible"), nil
		}
	}
	return "", fmt.Errorf("integration/tools/%s/go.mod does not require %s", f.name, f.module)
}

// arguments are the flags of go build, which are part of the cache's key.
func (f family) arguments(version string) []string {
	args := []string{"-mod=readonly", "-trimpath", "-buildvcs=false"}
	if len(f.tags) > 0 {
		args = append(args, "-tags="+strings.Join(f.tags, " "))
	}
	// Without symbol tables and DWARF: nobody debugs the engines, and it halves 200 MB of cache.
	if f.gcflags != "" {
		args = append(args, "-gcflags="+f.gcflags)
	}
	number := strings.TrimPrefix(version, "v")
	return append(args, "-ldflags="+strings.TrimSpace("-s -w "+strings.NewReplacer("VERSION", version, "NUMBER", number).Replace(f.ldflags)))
}

// ensure returns the folder with the family's programs, building them if need be.
func (f family) ensure(ctx context.Context) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	src := filepath.Join(root, "integration", "tools", f.name)
	mod, err := os.ReadFile(filepath.Join(src, "go.mod"))
	if err != nil {
		return "", err
	}
	sum, err := os.ReadFile(filepath.Join(src, "go.sum"))
	if err != nil {
		return "", err
	}
	version, err := f.version(mod)
	if err != nil {
		return "", err
	}
	args := f.arguments(version)

	key := sha256.New()
	parts := [][]byte{mod, sum, []byte(strings.Join(args, "\x00")), fmt.Append(nil, f.cgo, f.files()), []byte(goVersion()), []byte(runtime.GOARCH)}
	sources, err := filepath.Glob(filepath.Join(src, "*.go"))
	if err != nil {
		return "", err
	}
	for _, path := range sources {
		source, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		parts = append(parts, source)
	}
	for _, part := range parts {
		fmt.Fprintf(key, "%d\n", len(part))
		key.Write(part)
	}
	bin := filepath.Join(CacheDir(), "bin")
	name := f.name + "-" + hex.EncodeToString(key.Sum(nil))[:16]
	dir := filepath.Join(bin, name)
	if isDir(dir) {
		return dir, nil
	}
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return "", err
	}
	unlock, err := Lock(ctx, filepath.Join(bin, name+".lock"), "the build of "+f.name)
	if err != nil {
		return "", err
	}
	defer unlock()
	if isDir(dir) {
		return dir, nil
	}

	if len(f.debian) > 0 {
		if err := Debian(ctx, f.debian...); err != nil {
			return "", err
		}
	}
	// The lock is ours, so a temporary folder of this name was left by a build that was interrupted.
	tmp := filepath.Join(bin, ".tmp-"+name)
	if err := os.RemoveAll(tmp); err != nil {
		return "", err
	}
	if err := os.Mkdir(tmp, 0o755); err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)

	start := time.Now()
	fmt.Fprintf(os.Stderr, "building %s %s …\n", strings.Join(f.files(), ", "), version)
	var env []string
	if f.cgo {
		env = []string{"CGO_ENABLED=1"}
	}
	for _, tool := range f.files() {
		pkg, ok := f.packages[tool]
		if !ok {
			continue
		}
		build := slices.Concat([]string{"build", "-o", filepath.Join(tmp, tool)}, args, []string{pkg})
		if err := Go(ctx, src, tmp, env, build...); err != nil {
			return "", err
		}
	}
	for second, first := range f.alias {
		if err := os.Link(filepath.Join(tmp, first), filepath.Join(tmp, second)); err != nil {
			return "", err
		}
	}
	if err := os.Rename(tmp, dir); err != nil {
		return "", err
	}
	fmt.Fprintf(os.Stderr, "built %s %s in %.0f s\n", f.name, version, time.Since(start).Seconds())
	return dir, nil
}

// goVersion is the version of the go command on the PATH, which builds the tools; the version that
// built this program where the command does not tell.
func goVersion() string {
	out, err := exec.Command("go", "env", "GOVERSION").Output()
	if err != nil {
		return runtime.Version()
	}
	return strings.TrimSpace(string(out))
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// ErrDebian is the cause of an error of Debian where packages cannot be installed at all: no apt-get,
// or not root.
var ErrDebian = errors.New("cannot install Debian packages")
