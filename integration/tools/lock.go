package tools

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/gofrs/flock"
)

// ErrLocked is TryLock's error where another program holds the lock.
var ErrLocked = errors.New("another program holds the lock")

// Lock takes the exclusive lock on a file, which it creates where it is absent, and returns what gives
// it back. It waits while another program holds it, and says once on standard error what it waits for.
// The kernel gives the lock back when a program dies, so none is ever stale.
func Lock(ctx context.Context, path, what string) (unlock func(), err error) {
	told := false
	for {
		// Not the blocking call: it could not be ended by ctx.
		unlock, err := TryLock(path)
		if !errors.Is(err, ErrLocked) {
			return unlock, err
		}
		if !told {
			fmt.Fprintf(os.Stderr, "waiting for %s, which another program has begun …\n", what)
			told = true
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// TryLock is Lock for a caller that can do without: while another program holds the lock it returns
// ErrLocked at once.
func TryLock(path string) (unlock func(), err error) {
	lock := flock.New(path)
	switch locked, err := lock.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("locking %s: %w", path, err)
	case !locked:
		return nil, ErrLocked
	}
	return func() { _ = lock.Unlock() }, nil
}
