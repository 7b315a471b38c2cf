package images

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// alpineRelease is what Dockerfiles and scripts read from /etc/alpine-release.
const alpineRelease = "3.19.0-stand-in"

var alpineConfig = v1.Config{Env: []string{pathOfAlpine}, Cmd: []string{"/bin/sh"}}

// alpineFiles are what the stand-in has next to BusyBox and the libraries.
var alpineFiles = map[string]string{
	"etc/alpine-release": alpineRelease + "\n",
	"etc/os-release": `NAME="Alpine Linux (stand-in)"
ID=alpine
VERSION_ID=` + alpineRelease + `
PRETTY_NAME="Stand-in for Alpine Linux 3.19, made from Debian 12 packages"
`,
	"etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n",
	"etc/profile":       "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n",
	"etc/shells":        "/bin/sh\n/bin/ash\n",
	"etc/hosts":         "127.0.0.1\tlocalhost localhost.localdomain\n::1\tlocalhost localhost.localdomain\n",
	"etc/hostname":      "localhost\n",
	"etc/passwd": `root:x:0:0:root:/root:/bin/sh
bin:x:1:1:bin:/bin:/sbin/nologin
daemon:x:2:2:daemon:/sbin:/sbin/nologin
lp:x:4:7:lp:/var/spool/lpd:/sbin/nologin
sync:x:5:0:sync:/sbin:/bin/sync
shutdown:x:6:0:shutdown:/sbin:/sbin/shutdown
halt:x:7:0:halt:/sbin:/sbin/halt
mail:x:8:12:mail:/var/mail:/sbin/nologin
operator:x:11:0:operator:/root:/sbin/nologin
ftp:x:21:21::/var/lib/ftp:/sbin/nologin
sshd:x:22:22:sshd:/dev/null:/sbin/nologin
guest:x:405:100:guest:/dev/null:/sbin/nologin
nobody:x:65534:65534:nobody:/:/sbin/nologin
`,
	"etc/group": `root:x:0:root
bin:x:1:root,bin,daemon
daemon:x:2:root,bin,daemon
sys:x:3:root,bin
adm:x:4:root,daemon
tty:x:5:
disk:x:6:root
lp:x:7:lp
kmem:x:9:
wheel:x:10:root
floppy:x:11:root
mail:x:12:mail
cron:x:16:cron
audio:x:18:
cdrom:x:19:
dialout:x:20:root
ftp:x:21:
sshd:x:22:
input:x:23:
tape:x:26:root
video:x:27:root
netdev:x:28:
kvm:x:34:kvm
games:x:35:
shadow:x:42:
www-data:x:82:
users:x:100:games
ntp:x:123:
utmp:x:406:
ping:x:999:
nogroup:x:65533:
nobody:x:65534:
`,
	"etc/shadow":    "root:*::0:::::\nbin:!::0:::::\ndaemon:!::0:::::\nnobody:!::0:::::\n",
	"etc/apk/world": "alpine-baselayout\nalpine-release\nbusybox\nca-certificates\nca-certificates-bundle\nlibgcc\nlibstdc++\ntzdata\nzlib\n",
}

// alpineLibraries lets programs that were linked against glibc run next to BusyBox: there are no musl
// packages of Alpine's to be had where Docker Hub does not answer.
var alpineLibraries = []string{"libc6", "libgcc-s1", "libstdc++6", "zlib1g", "tzdata"}

// alpineLayer is the whole of alpine:3.19, with program as its BusyBox, whose applets list names.
func alpineLayer(m machine, arch string, debian, program, list *layer) *layer {
	var libraries []string
	for _, library := range alpineLibraries {
		if library != "tzdata" { // the same for all
			library += ":" + arch
		}
		libraries = append(libraries, library)
	}
	return &layer{
		name:   "alpine-3.19-" + arch,
		uses:   []*layer{debian, program, list},
		inputs: []string{recipe("extract.sh"), recipe("apk.sh"), fmt.Sprint(libraries, alpineFiles)},
		make: func(ctx context.Context, s *site) error {
			if err := s.folders("bin", "dev", "etc/apk", "home", "lib", "media", "mnt", "opt", "proc:0555", "root:0700", "run", "sbin", "srv", "sys:0555", "tmp:1777",
				"usr/bin", "usr/lib", "usr/local/bin", "usr/local/lib", "usr/local/share", "usr/sbin", "usr/share",
				"var/cache", "var/empty:0555", "var/lib", "var/log", "var/mail", "var/opt", "var/spool", "var/tmp:1777"); err != nil {
				return err
			}
			scratch, err := s.scratchDebian(ctx, debian)
			if err != nil {
				return err
			}
			if err := s.apt(ctx, m, scratch, s.root, recipe("extract.sh"), libraries...); err != nil {
				return err
			}
			busybox, links, err := s.applets(ctx, program, list)
			if err != nil {
				return err
			}
			if err := os.Rename(busybox, filepath.Join(s.root, "bin/busybox")); err != nil {
				return err
			}
			for _, link := range links {
				link = filepath.Join(s.root, link)
				err := os.Symlink("/bin/busybox", link)
				if err != nil && !errors.Is(err, fs.ErrExist) {
					return err
				}
			}
			if err := s.files(alpineFiles); err != nil {
				return err
			}
			if err := s.files(map[string]string{"sbin/apk": recipe("apk.sh")}); err != nil {
				return err
			}
			shadow := filepath.Join(s.root, "etc/shadow")
			return errors.Join(
				os.Chmod(shadow, 0o640), os.Chown(shadow, 0, 42),
				os.Symlink("/run", filepath.Join(s.root, "var/run")),
				os.Symlink("/run/lock", filepath.Join(s.root, "var/lock")),
			)
		},
	}
}
