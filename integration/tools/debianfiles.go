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
	"strings"
)

// DebianMirror is where Debian's archive is fetched from: $STAGECRAFT_DEBIAN_MIRROR, else Debian's own.
func DebianMirror() string {
	if mirror := os.Getenv("STAGECRAFT_DEBIAN_MIRROR"); mirror != "" {
		return strings.TrimSuffix(mirror, "/")
	}
	return "http://deb.debian.org/debian"
}

// DebianDocker returns a folder with the files of Debian 12's docker.io, which is Docker Engine 20.10 with
// its client, and of what belongs to it.
func DebianDocker(ctx context.Context) (string, error) {
	return debianFiles(ctx, "docker.io", "containerd", "runc", "libdevmapper1.02.1", "libseccomp2")
}

// debianFiles returns a folder with the files of Debian 12's packages of the given names, without what
// those depend on. Nothing is installed: no script of a package runs, no service starts, and the machine's
// own lists of packages, which may be another release's, are left alone. The folder lies in the cache and
// is made once.
func debianFiles(ctx context.Context, pkgs ...string) (string, error) {
	const suite = "bookworm"
	key := sha256.Sum256([]byte(suite + "\n" + DebianMirror() + "\n" + strings.Join(pkgs, "\n")))
	folder := filepath.Join(CacheDir(), "debian")
	dir := filepath.Join(folder, pkgs[0]+"-"+hex.EncodeToString(key[:])[:16])
	if isDir(dir) {
		return dir, nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return "", fmt.Errorf("%w: apt-get fetches the files of %s", ErrDebian, strings.Join(pkgs, " "))
	}
	if err := Debian(ctx, "debian-archive-keyring"); err != nil {
		return "", err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	unlock, err := Lock(ctx, dir+".lock", "the download of "+pkgs[0])
	if err != nil {
		return "", err
	}
	defer unlock()
	if isDir(dir) {
		return dir, nil
	}
	// The lock is ours, so a folder of this name was left by a run that was interrupted.
	work := filepath.Join(folder, ".tmp-"+filepath.Base(dir))
	if err := os.RemoveAll(work); err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	for _, path := range []string{"state/lists/partial", "cache/archives/partial", "debs", "root"} {
		if err := os.MkdirAll(filepath.Join(work, path), 0o755); err != nil {
			return "", err
		}
	}
	source := fmt.Sprintf("deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n", DebianMirror(), suite)
	if err := errors.Join(
		os.WriteFile(filepath.Join(work, "sources.list"), []byte(source), 0o644),
		os.WriteFile(filepath.Join(work, "status"), nil, 0o644),
	); err != nil {
		return "", err
	}
	fmt.Fprintf(os.Stderr, "fetching from Debian 12: %s …\n", strings.Join(pkgs, " "))
	options := []string{
		"-o", "Dir::Etc::sourcelist=" + filepath.Join(work, "sources.list"), "-o", "Dir::Etc::sourceparts=-",
		"-o", "Dir::State=" + filepath.Join(work, "state"), "-o", "Dir::State::status=" + filepath.Join(work, "status"),
		"-o", "Dir::Cache=" + filepath.Join(work, "cache"), "-o", "APT::Sandbox::User=root",
	}
	if err := aptIn(ctx, work, append(options, "update")...); err != nil {
		return "", err
	}
	if err := aptIn(ctx, filepath.Join(work, "debs"), append(append(options, "download"), pkgs...)...); err != nil {
		return "", err
	}
	debs, err := filepath.Glob(filepath.Join(work, "debs", "*.deb"))
	if err != nil {
		return "", err
	}
	for _, deb := range debs {
		if out, err := exec.CommandContext(ctx, "dpkg-deb", "--extract", deb, filepath.Join(work, "root")).CombinedOutput(); err != nil {
			return "", fmt.Errorf("unpacking %s: %w\n%s", filepath.Base(deb), err, out)
		}
	}
	return dir, os.Rename(filepath.Join(work, "root"), dir)
}
