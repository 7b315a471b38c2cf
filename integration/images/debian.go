package images

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/stagecraft/stagecraft/integration/tools"
)

//go:embed recipes
var recipes embed.FS

// recipe returns the text of a script in the folder recipes.
func recipe(name string) string {
	text, err := recipes.ReadFile("recipes/" + name)
	if err != nil {
		panic(err) // the names are constants of this package
	}
	return string(text)
}

// bookworm is Debian 12, the release that all stand-ins are made from.
const bookworm = "bookworm"

// debianLayer is the whole of debian:12-slim.
func debianLayer(m machine) *layer {
	return &layer{
		name:   "debian-12-slim",
		inputs: []string{bookworm, m.debian, m.security, recipe("debian.sh")},
		make: func(ctx context.Context, s *site) error {
			if os.Getuid() != 0 {
				return errors.New("stand-ins for base images are made with debootstrap and chroot: run as root")
			}
			if runtime.GOOS+"/"+runtime.GOARCH != "linux/amd64" {
				return fmt.Errorf("stand-ins for base images are made on linux/amd64, not on %s/%s", runtime.GOOS, runtime.GOARCH)
			}
			if err := s.debootstrap(ctx, m, "amd64"); err != nil {
				return err
			}
			return s.apt(ctx, m, s.root, "", recipe("debian.sh"), m.debian, m.security)
		},
	}
}

// debootstrap lays Debian's smallest system for an architecture into the site's root.
func (s *site) debootstrap(ctx context.Context, m machine, arch string, options ...string) error {
	if err := tools.Debian(ctx, "debootstrap", "debian-archive-keyring"); err != nil {
		return err
	}
	// A folder for each: two that run side by side would take each other's half-downloaded packages, since those
	// for all architectures have the same names.
	downloads := s.store.path("downloads", "debootstrap-"+arch)
	if err := os.MkdirAll(downloads, 0o755); err != nil {
		return err
	}
	// It mounts things in the root, which would stay there if it were killed; in mounts of its own they end with it.
	args := []string{"--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "debootstrap", "--variant=minbase", "--arch=" + arch, "--cache-dir=" + downloads}
	args = append(append(args, options...), bookworm, s.root, m.debian)
	cmd := exec.CommandContext(ctx, "unshare", args...)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := runTied(cmd); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("debootstrap: %w\n%s", err, tail(log.String(), 20))
	}
	return nil
}

// debianForeign is debian:12-slim for another architecture: its packages unpacked but not configured,
// because this machine cannot run their programs. It is good for COPY, not for RUN.
func debianForeign(m machine, arch string) *layer {
	return &layer{
		name:   "debian-12-slim-" + arch,
		inputs: []string{bookworm, m.debian, arch},
		make: func(ctx context.Context, s *site) error {
			if err := s.debootstrap(ctx, m, arch, "--foreign"); err != nil {
				return err
			}
			// What the second stage would need, and documentation.
			var errs []error
			for _, dir := range []string{"debootstrap", "var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info"} {
				errs = append(errs, os.RemoveAll(filepath.Join(s.root, dir)))
			}
			return errors.Join(errs...)
		},
	}
}

// aptConf is what apt is told while a layer is made. The packages are kept outside the root, because
// the stand-in's own configuration deletes those inside, as that of Debian's image does.
const aptConf = `Dir::Cache::archives "/debs/";
APT::Install-Recommends "false";
Acquire::Retries "3";
DPkg::Use-Pty "0";
`

// apt runs a script in a Debian root, which may be the one that the layer is made of, with the Debian
// packages and lists of packages of earlier runs at hand; apt asks the mirror whether a list is still
// good. out, if not empty, is a folder that the script sees as /out.
func (s *site) apt(ctx context.Context, m machine, root, out, script string, args ...string) (err error) {
	debs, conf := filepath.Join(root, "debs"), filepath.Join(root, "apt.conf")
	lists := filepath.Join(root, "var/lib/apt/lists")
	err = errors.Join(linkFiles(s.store.path("downloads", "debs"), debs, aPackage), linkFiles(s.store.path("downloads", "lists"), lists, aList))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(debs), os.RemoveAll(conf)) }()
	if err := os.MkdirAll(filepath.Join(debs, "partial"), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(conf, []byte(aptConf+m.aptOptions), 0o644); err != nil {
		return err
	}
	err = chroot{
		root: root, out: out, script: script, args: args,
		env: []string{"APT_CONFIG=/apt.conf", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C"},
	}.run(ctx)
	if out != "" {
		// The mount is gone with the script; what it was mounted on is an empty folder.
		err = errors.Join(err, os.Remove(filepath.Join(root, "out")))
	}
	return errors.Join(err, linkFiles(debs, s.store.path("downloads", "debs"), aPackage), linkFiles(lists, s.store.path("downloads", "lists"), aList))
}

// scratchDebian unpacks Debian into a folder of the site that is thrown away with it: the place to
// compile or to take packages apart for an image that is not Debian itself.
func (s *site) scratchDebian(ctx context.Context, debian *layer) (root string, err error) {
	root = filepath.Join(s.dir, "debian")
	if err := os.Mkdir(root, 0o755); err != nil {
		return "", err
	}
	return root, s.unpack(ctx, root, debian)
}

// linkFiles gives those regular files in one folder that wanted names a second name in another, which is
// made if it is missing. A file of that name there is replaced. apt downloads under a name in a subfolder,
// so a file here is whole.
func linkFiles(from, to string, wanted func(name string) bool) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !entry.Type().IsRegular() || !wanted(entry.Name()) {
			continue
		}
		if err := linkFile(filepath.Join(from, entry.Name()), filepath.Join(to, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

// linkFile gives a file a second name, under which whoever looks finds the old file or the new one.
func linkFile(from, to string) error {
	err := os.Link(from, to)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	one, err := os.Stat(from)
	if err != nil {
		return err
	}
	if two, err := os.Stat(to); err == nil && os.SameFile(one, two) {
		return nil
	}
	aside, err := os.MkdirTemp(filepath.Dir(to), ".link-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(aside)
	link := filepath.Join(aside, "file")
	return errors.Join(os.Link(from, link), os.Rename(link, to))
}

func aPackage(name string) bool { return strings.HasSuffix(name, ".deb") }

// aList is true for what apt-get update keeps, but for the file that locks the folder.
func aList(name string) bool { return name != "lock" }
