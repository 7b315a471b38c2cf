package images

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// enter runs a script in a root folder with file systems of its own, which end with it: nothing stays
// mounted however it ends. Its arguments: the root; a folder to show there as /out, or nothing; the
// script; the script's arguments.
const enter = `set -eu
root=$1 out=$2 script=$3
shift 3
mkdir -p "$root/proc" "$root/dev"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
if [ -n "$out" ]; then mkdir -p "$root/out"; mount --bind "$out" "$root/out"; fi
exec chroot "$root" /bin/sh -eu -c "$script" sh "$@"
`

// chroot is one run of a shell script in a root folder.
type chroot struct {
	root   string
	out    string   // shown to the script as /out; may be empty
	script string   // run by the root's /bin/sh -eu
	args   []string // the script's $1, $2 …
	env    []string // the script's whole environment beside PATH and HOME
	stdout io.Writer
}

// run runs the script with this machine's network. What it printed is part of the error.
func (c chroot) run(ctx context.Context) error {
	// Names must resolve as they do outside. The file belongs to the running container, so it goes again.
	restore, err := lend("/etc/resolv.conf", filepath.Join(c.root, "etc/resolv.conf"))
	if err != nil {
		return err
	}
	args := append([]string{"--mount", "--pid", "--fork", "--kill-child", "/bin/sh", "-c", enter, "sh", c.root, c.out, c.script}, c.args...)
	cmd := exec.CommandContext(ctx, "unshare", args...)
	cmd.Env = append([]string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=/root",
	}, c.env...)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if c.stdout != nil {
		cmd.Stdout = c.stdout
	}
	err = runTied(cmd)
	if err := errors.Join(err, restore()); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("%w\n%s", err, tail(log.String(), 40))
	}
	return nil
}

// runTied runs a program that is killed with this one, even when this one is killed itself.
func runTied(cmd *exec.Cmd) error {
	// The kernel ties it to the thread that starts it, which must not end before.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd.Run()
}

// lend copies a file to a place and returns what brings back the state before.
func lend(from, to string) (restore func() error, err error) {
	content, err := os.ReadFile(from)
	if errors.Is(err, os.ErrNotExist) {
		return func() error { return nil }, nil
	}
	if err != nil {
		return nil, err
	}
	aside := to + ".aside"
	switch err := os.Rename(to, aside); {
	case err == nil:
		restore = func() error { return os.Rename(aside, to) }
	case errors.Is(err, os.ErrNotExist):
		restore = func() error { return os.Remove(to) }
	default:
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return nil, err
	}
	return restore, os.WriteFile(to, content, 0o644)
}

// tail returns the last n lines of a log.
func tail(log string, n int) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
