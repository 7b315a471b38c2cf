package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/stagecraft/stagecraft/integration/tools"
)

// stateLimit is how much of a kept state an engine lets lie.
const stateLimit = "8GB"

// stateRule is what a sandbox does while another program has the state it asks for.
type stateRule int

const (
	waitForState stateRule = iota
	startWithoutState
)

// takeState takes the lock on the sandbox's state, where it has one.
func (s *Sandbox) takeState(ctx context.Context) error {
	if s.settings.state == "" {
		return nil
	}
	folder := filepath.Join(tools.CacheDir(), "state", s.settings.state)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	lock := filepath.Join(folder, "lock")
	what := "a test that uses the build cache " + s.settings.state
	if s.settings.stateRule == startWithoutState {
		release, err := tools.TryLock(lock)
		if errors.Is(err, tools.ErrLocked) {
			fmt.Fprintf(os.Stderr, "%s runs elsewhere: this one starts with an empty cache\n", what)
			return nil
		}
		if err != nil {
			return err
		}
		s.stateFolder, s.release = folder, release
		return nil
	}
	release, err := tools.Lock(ctx, lock, what)
	if err != nil {
		return err
	}
	s.stateFolder, s.release = folder, release
	return nil
}

// keptFolder is an engine's folder in a state.
type keptFolder struct {
	dir    string // empty: nothing is kept
	isUsed bool   // an engine has left something in it
}

// keptFolder returns the folder that an engine of a build uses, if the sandbox has a state. Folders of the
// engine's other builds are removed, and so is one that was not given back: its engine crashed, or was
// killed with the test that ran it, and what it left is not to be trusted.
func (s *Sandbox) keptFolder(engine, build string) (keptFolder, error) {
	if s.stateFolder == "" {
		return keptFolder{}, nil
	}
	k := keptFolder{dir: filepath.Join(s.stateFolder, engine+"-"+build)}
	entries, err := os.ReadDir(s.stateFolder)
	if err != nil {
		return keptFolder{}, err
	}
	for _, entry := range entries {
		path := filepath.Join(s.stateFolder, entry.Name())
		if strings.HasPrefix(entry.Name(), engine+"-") && path != k.dir && path != k.mark() {
			err = errors.Join(err, os.RemoveAll(path))
		}
	}
	if err != nil {
		return keptFolder{}, err
	}
	if _, err := os.Lstat(k.mark()); err == nil {
		if err := k.empty("was in use when its engine ended"); err != nil {
			return keptFolder{}, err
		}
	}
	if left, err := os.ReadDir(k.dir); err == nil {
		k.isUsed = len(left) > 0
	}
	return k, errors.Join(os.MkdirAll(k.dir, 0o700), os.WriteFile(k.mark(), nil, 0o600))
}

// mark is the file that tells that the folder is in use.
func (k keptFolder) mark() string { return k.dir + ".in-use" }

// empty removes what the folder has, and says why.
func (k *keptFolder) empty(why string) error {
	fmt.Fprintf(os.Stderr, "the build cache %s %s: starting with an empty one\n", k.dir, why)
	k.isUsed = false
	return errors.Join(os.RemoveAll(k.dir), os.Mkdir(k.dir, 0o700))
}

// giveBack leaves the folder for the next sandbox. It is called when the engine has ended by itself.
func (k keptFolder) giveBack() error {
	if k.dir == "" {
		return nil
	}
	return os.Remove(k.mark())
}

// snapshots are where engines keep the file systems of images and steps, below their folders: BuildKit,
// Docker today and Docker 20.10.
var snapshots = []string{
	"runc-overlayfs/snapshots/snapshots",
	"containerd/io.containerd.snapshotter.v1.overlayfs/snapshots",
	"data/overlay2",
}

// scatterSnapshots is tools.Scatter for the snapshots of an engine that has started.
func scatterSnapshots(root string) {
	for _, dir := range snapshots {
		tools.Scatter(filepath.Join(root, dir))
	}
}
