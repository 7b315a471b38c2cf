package conformance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stagecraft/stagecraft/integration/tools"
)

// The import in upstream's cmd/buildkitd that is the daemon's own dockerfile.v0, and ours in its place.
const (
	theirBuild = `dockerfile "github.com/moby/buildkit/frontend/dockerfile/builder"`
	ourBuild   = `dockerfile "github.com/stagecraft/stagecraft/frontend"`
)

// ownDaemon builds a buildkitd of the pinned version whose dockerfile.v0 is our frontend, and returns
// its path. Some of upstream's tests ask the daemon for dockerfile.v0, and for nothing else: through
// this daemon they test ours. It is made of upstream's command with one import replaced, in a module
// of its own in the cache, and contains no part of upstream's compiler; TestOwnDaemon looks.
func ownDaemon(ctx context.Context) (string, error) {
	root, err := tools.Root()
	if err != nil {
		return "", err
	}
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	// Each checkout has its own, since the program differs with our source.
	name := fmt.Sprintf("daemon-%x", sha256.Sum256([]byte(root)))[:23]
	dir := filepath.Join(cache, name)
	unlock, err := tools.Lock(ctx, dir+".lock", "the build of a buildkitd with our frontend")
	if err != nil {
		return "", err
	}
	defer unlock()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if err := writeDaemonModule(ctx, root, dir); err != nil {
		return "", err
	}
	version, err := tools.Version("buildkitd")
	if err != nil {
		return "", err
	}
	// go build compares: where nothing has changed this takes a second.
	if err := tools.Go(ctx, dir, dir, nil, "build", "-mod=mod", "-trimpath", "-buildvcs=false", "-o", "buildkitd",
		"-tags=osusergo netgo static_build seccomp", "-ldflags=-s -w -X github.com/moby/buildkit/version.Version="+version, "."); err != nil {
		return "", fmt.Errorf("building a buildkitd with our frontend: %w", err)
	}
	return filepath.Join(dir, "buildkitd"), nil
}

// writeDaemonModule writes the module: upstream's files, the requirements of the buildkitd that the
// other tests use, and this checkout in place of our module.
func writeDaemonModule(ctx context.Context, root, dir string) error {
	source, err := suiteModule.list(ctx, "{{.Dir}}", "github.com/moby/buildkit/cmd/buildkitd")
	if err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return err
	}
	for _, file := range old {
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	files, err := filepath.Glob(filepath.Join(source, "*.go"))
	if err != nil {
		return err
	}
	replaced := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		replaced += bytes.Count(text, []byte(theirBuild))
		text = bytes.ReplaceAll(text, []byte(theirBuild), []byte(ourBuild))
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), text, 0o644); err != nil {
			return err
		}
	}
	if replaced != 1 {
		return fmt.Errorf("upstream's cmd/buildkitd has %d imports of its frontend as %s: it has changed", replaced, theirBuild)
	}

	engine := filepath.Join(root, "integration", "tools", "buildkit")
	requirements, err := os.ReadFile(filepath.Join(engine, "go.mod"))
	if err != nil {
		return err
	}
	var kept []string
	for line := range strings.Lines(string(requirements)) {
		if !strings.HasPrefix(line, "module ") {
			kept = append(kept, line)
		}
	}
	var sums []string
	for _, file := range []string{filepath.Join(engine, "go.sum"), filepath.Join(root, "go.sum")} {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		sums = append(sums, strings.SplitAfter(string(text), "\n")...)
	}
	slices.Sort(sums)
	module := fmt.Sprintf("module stagecraft-conformance-daemon\n%s\nrequire github.com/stagecraft/stagecraft v0.0.0\nreplace github.com/stagecraft/stagecraft => %q\n",
		strings.Join(kept, ""), root)
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "go.mod"), []byte(module), 0o644),
		os.WriteFile(filepath.Join(dir, "go.sum"), []byte(strings.Join(slices.Compact(sums), "")), 0o644))
}
