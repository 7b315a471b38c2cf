package images

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// busyboxProgram is the compiled program and the list of its applets; no image contains this layer.
func busyboxProgram(m machine, debian *layer) *layer {
	return &layer{
		name:   "busybox-program",
		uses:   []*layer{debian},
		inputs: []string{recipe("busybox.sh")},
		make: func(ctx context.Context, s *site) error {
			root, err := s.scratchDebian(ctx, debian)
			if err != nil {
				return err
			}
			return s.apt(ctx, m, root, s.root, recipe("busybox.sh"), m.debian)
		},
	}
}

// busyboxForeign is Debian's own compilation for another architecture, which lacks a few applets that
// ours has. No image contains this layer.
func busyboxForeign(m machine, debian *layer, arch string) *layer {
	return &layer{
		name:   "busybox-program-" + arch,
		uses:   []*layer{debian},
		inputs: []string{recipe("extract.sh")},
		make: func(ctx context.Context, s *site) error {
			root, err := s.scratchDebian(ctx, debian)
			if err != nil {
				return err
			}
			if err := s.apt(ctx, m, root, s.root, recipe("extract.sh"), "busybox-static:"+arch); err != nil {
				return err
			}
			return os.Rename(filepath.Join(s.root, "bin/busybox"), filepath.Join(s.root, "busybox"))
		},
	}
}

// applets unpacks a program into the site and returns its path and where its applets belong, such as
// "usr/bin/awk", according to the layer that has the list.
func (s *site) applets(ctx context.Context, program, list *layer) (busybox string, links []string, err error) {
	dir := filepath.Join(s.dir, "busybox")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", nil, err
	}
	if err := s.unpack(ctx, dir, list, program); err != nil {
		return "", nil, err
	}
	file, err := os.Open(filepath.Join(dir, "busybox.links"))
	if err != nil {
		return "", nil, err
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		links = append(links, lines.Text())
	}
	if len(links) == 0 {
		return "", nil, errors.New("the compiled BusyBox has no applets")
	}
	return filepath.Join(dir, "busybox"), links, nil
}

// busyboxFiles are what the image has next to the program.
var busyboxFiles = map[string]string{
	"etc/passwd": `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
bin:x:2:2:bin:/bin:/bin/false
sys:x:3:3:sys:/dev:/bin/false
sync:x:4:100:sync:/bin:/bin/sync
mail:x:8:8:mail:/var/spool/mail:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
operator:x:37:37:Operator:/var:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
`,
	"etc/group": `root:x:0:
daemon:x:1:
bin:x:2:
sys:x:3:
adm:x:4:
tty:x:5:
disk:x:6:
lp:x:7:
mail:x:8:
kmem:x:9:
wheel:x:10:root
cdrom:x:11:
dialout:x:18:
floppy:x:19:
video:x:28:
audio:x:29:
tape:x:32:
www-data:x:33:
operator:x:37:
utmp:x:43:
plugdev:x:46:
staff:x:50:
lock:x:54:
netdev:x:82:
users:x:100:
nobody:x:65534:
`,
	"etc/shadow":        "root:*:10933:0:99999:7:::\ndaemon:*:10933:0:99999:7:::\nnobody:*:10933:0:99999:7:::\n",
	"etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n",
}

// busyboxLayer is the whole of busybox:latest: like the real image it has all applets as hard links in
// /bin, so that one of them copied elsewhere is a program and not a dangling link.
func busyboxLayer(arch string, program, list *layer) *layer {
	return &layer{
		name:   "busybox-" + arch,
		uses:   []*layer{program, list},
		inputs: []string{"hard links", fmt.Sprint(busyboxFiles)},
		make: func(ctx context.Context, s *site) error {
			busybox, links, err := s.applets(ctx, program, list)
			if err != nil {
				return err
			}
			if err := s.folders("bin", "dev", "etc", "home", "root:0700", "tmp:1777", "usr/bin", "usr/sbin", "var/spool/mail", "var/www", "var/tmp:1777"); err != nil {
				return err
			}
			shell := filepath.Join(s.root, "bin/busybox")
			if err := os.Rename(busybox, shell); err != nil {
				return err
			}
			for _, link := range links {
				err := os.Link(shell, filepath.Join(s.root, "bin", path.Base(link)))
				if err != nil && !errors.Is(err, fs.ErrExist) {
					return err
				}
			}
			// Scripts name this one by its path.
			if err := os.Symlink("../../bin/env", filepath.Join(s.root, "usr/bin/env")); err != nil {
				return err
			}
			if err := s.files(busyboxFiles); err != nil {
				return err
			}
			return os.Chmod(filepath.Join(s.root, "etc/shadow"), 0o600)
		},
	}
}

// folders makes folders below the site's root; a mode in octal may follow a colon.
func (s *site) folders(specs ...string) error {
	for _, spec := range specs {
		dir, mode, special := strings.Cut(spec, ":")
		dir = filepath.Join(s.root, dir)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if !special {
			continue
		}
		var bits uint32
		if _, err := fmt.Sscanf(mode, "%o", &bits); err != nil {
			return fmt.Errorf("mode of %s: %w", spec, err)
		}
		perm := os.FileMode(bits) & fs.ModePerm
		if bits&0o1000 != 0 {
			perm |= os.ModeSticky
		}
		if err := os.Chmod(dir, perm); err != nil {
			return err
		}
	}
	return nil
}

// files writes files below the site's root; those that begin with "#!" become programs.
func (s *site) files(contents map[string]string) error {
	for name, content := range contents {
		name = filepath.Join(s.root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		mode := os.FileMode(0o644)
		if strings.HasPrefix(content, "#!") {
			mode = 0o755
		}
		if err := os.WriteFile(name, []byte(content), mode); err != nil {
			return err
		}
		if err := os.Chmod(name, mode); err != nil { // whatever the umask
			return err
		}
	}
	return nil
}

const (
	pathOfDebian = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	pathOfAlpine = pathOfDebian
)

var busyboxConfig = v1.Config{Env: []string{pathOfDebian}, Cmd: []string{"sh"}}
