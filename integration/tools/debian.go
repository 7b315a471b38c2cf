package tools

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Debian installs those of the named Debian packages that are missing, without what they merely
// recommend. It is an error that wraps ErrDebian, and names the packages, where that is not possible.
func Debian(ctx context.Context, pkgs ...string) error {
	missing := missingPackages(ctx, pkgs)
	if len(missing) == 0 {
		return nil
	}
	want := strings.Join(missing, " ")
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("%w: this machine has no apt-get; install what Debian calls %s", ErrDebian, want)
	}
	if os.Getuid() != 0 {
		return fmt.Errorf("%w: that takes root; run: sudo apt-get install -y --no-install-recommends %s", ErrDebian, want)
	}
	if err := os.MkdirAll(CacheDir(), 0o755); err != nil {
		return err
	}
	unlock, err := Lock(ctx, filepath.Join(CacheDir(), "apt.lock"), "apt-get")
	if err != nil {
		return err
	}
	defer unlock()
	// Another program may have installed them while this one waited.
	if missing = missingPackages(ctx, missing); len(missing) == 0 {
		return nil
	}
	fmt.Fprintf(os.Stderr, "installing Debian packages: %s …\n", strings.Join(missing, " "))
	fresh := false
	if listsStale() {
		if err := apt(ctx, "update"); err != nil {
			return err
		}
		fresh = true
	}
	install := append([]string{"install", "-y", "--no-install-recommends"}, missing...)
	err = apt(ctx, install...)
	if err != nil && !fresh && ctx.Err() == nil {
		// Lists that are days old may name files that the mirror has replaced since.
		if err := apt(ctx, "update"); err != nil {
			return err
		}
		err = apt(ctx, install...)
	}
	return err
}

// missingPackages returns those of pkgs that dpkg does not know as installed.
func missingPackages(ctx context.Context, pkgs []string) []string {
	var missing []string
	for _, pkg := range pkgs {
		out, err := exec.CommandContext(ctx, "dpkg-query", "-W", "-f=${Status}", pkg).Output()
		if err != nil || !strings.HasSuffix(string(out), " installed") {
			missing = append(missing, pkg)
		}
	}
	return missing
}

// listsStale tells whether apt's package lists are absent or more than a day old.
func listsStale() bool {
	lists, _ := filepath.Glob("/var/lib/apt/lists/*_Packages*")
	newest := time.Time{}
	for _, list := range lists {
		if info, err := os.Stat(list); err == nil && info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	// The lists carry the mirror's time stamps; when they were last asked for is the folder's.
	if info, err := os.Stat("/var/lib/apt/lists"); err == nil && len(lists) > 0 && info.ModTime().After(newest) {
		newest = info.ModTime()
	}
	return time.Since(newest) > 24*time.Hour
}

func apt(ctx context.Context, args ...string) error { return aptIn(ctx, "", args...) }

// aptIn calls apt-get in a folder, which is where it downloads to.
func aptIn(ctx context.Context, dir string, args ...string) error {
	args = append([]string{"-q", "-o", "DPkg::Lock::Timeout=600", "-o", "Acquire::Retries=3"}, args...)
	cmd := exec.CommandContext(ctx, "apt-get", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("apt-get %s: %w\n%s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
