package tools

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Go runs the go command with args, such as build, in the folder src, for Linux and this machine's
// architecture and without cgo; env comes after that and may say otherwise. GOFLAGS and workspaces from
// outside, such as a vendor mode that is meant for our own module, are not heeded.
//
// The command's temporary files are in a folder below scratch, which has to exist and must have no other
// user at the time: the go command itself does not always remove them when it is interrupted. What a
// killed one left there is removed by the next. An error has what the command printed.
func Go(ctx context.Context, src, scratch string, env []string, args ...string) (err error) {
	tmp := filepath.Join(scratch, ".go-tmp")
	if err := errors.Join(os.RemoveAll(tmp), os.Mkdir(tmp, 0o755)); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()

	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = src
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOOS=linux", "GOARCH="+runtime.GOARCH, "GOTMPDIR="+tmp)
	cmd.Env = append(cmd.Env, env...)
	// Interrupted, the go command stops the compilers that it has started; killed, it cannot.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	interruptWithUs(cmd)
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("go %s %s: %w\n%s", args[0], args[len(args)-1], err, strings.TrimSpace(string(out)))
	}
	return nil
}
