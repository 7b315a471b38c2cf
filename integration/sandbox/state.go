package sandbox

import (
	"context"
	"os"
	"path/filepath"

	"github.com/stagecraft/stagecraft/integration/tools"
)

// stateLimit is how much of a kept state the daemon lets lie.
const stateLimit = "8GB"

// takeState returns the folder of the sandbox's state and takes its lock. The folder's name has the
// daemon's build in it: a newer daemon starts anew, and states of older ones are removed.
func (s *Sandbox) takeState(ctx context.Context) (dir string, release func(), err error) {
	folder := filepath.Join(tools.CacheDir(), "state", s.settings.state)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", nil, err
	}
	release, err = tools.Lock(ctx, filepath.Join(folder, "lock"), "a test that uses the build cache "+s.settings.state)
	if err != nil {
		return "", nil, err
	}
	dir = filepath.Join(folder, filepath.Base(filepath.Dir(s.bin["buildkitd"])))
	entries, err := os.ReadDir(folder)
	for _, entry := range entries {
		if path := filepath.Join(folder, entry.Name()); err == nil && path != dir && entry.IsDir() {
			err = os.RemoveAll(path)
		}
	}
	if err != nil {
		release()
		return "", nil, err
	}
	return dir, release, nil
}
