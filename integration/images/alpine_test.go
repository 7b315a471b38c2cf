package images

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var alpineExpectations = []expectation{
	{
		ref:    "alpine:3.19",
		config: `"Cmd":\["/bin/sh"\]`,
		files:  []string{"bin/sh", "sbin/apk", "etc/alpine-release", "etc/os-release", "etc/ssl/certs/ca-certificates.crt", "etc/ssl/cert.pem"},
		run:    `addgroup -S appgroup && adduser -S appuser -G appgroup && id appuser && su -s /bin/sh appuser -c whoami && apk add --no-cache ca-certificates >/dev/null && . /etc/os-release && echo $ID`,
		want:   `uid=\d+\(appuser\) gid=\d+\(appgroup\)[^\n]*\nappuser\nalpine\n$`,
	},
	{
		ref:    "alpine:latest",
		config: `"Cmd":\["/bin/sh"\]`,
		run:    apkAdd,
		want:   `^first\n M file\nclean\nOrigin: Debian\n4755\nOpenSSH_\ngit\nfuse\nno absent\nOK:\n$`,
	},
}

// apkAdd installs the packages that are in the stand-in's repository and has each do something.
const apkAdd = `apk update > /tmp/log && apk add --no-cache git fuse e2fsprogs curl openssh-client-default > /tmp/log || { cat /tmp/log; exit 1; }
mkdir /tmp/repository && cd /tmp/repository
git init -q && git config user.email test && git config user.name test
echo tracked > file && git add file && git commit -q -m first && git log --format=%s
echo changed > file && git status -s
truncate -s 8M /tmp/disk && mkfs.ext4 -q /tmp/disk && e2fsck -fn /tmp/disk > /tmp/log 2>&1 && echo clean
curl -sf http://deb.debian.org/debian/dists/bookworm/Release | head -1
command -v fusermount > /tmp/log && stat -c %a "$(command -v fusermount)"
ssh -V 2>&1 | cut -c1-8
for name in git fuse absent; do apk info -e $name || echo no $name; done
apk add git fuse > /tmp/log && tail -1 /tmp/log | cut -c1-3`

// The stand-in's repository is small, and it must say so instead of seeming to install something.
func TestAlpineStandInRefusesWhatItLacks(t *testing.T) {
	set, err := Ensure(t.Context(), "alpine:3.19")
	if err != nil {
		t.Fatal(err)
	}
	if !set.StandIns() {
		return // the real apk installs it
	}
	root := rootOf(t, imageFor(t, set, "alpine:3.19"))
	for _, c := range []struct{ script, want string }{
		{"apk add --no-cache nginx", "not part of this image: nginx\n"},
		{"apk add ca-certificates git nginx~=1 php", "not part of this image: nginx php\n"},
		{"apk add nginx", "none of Alpine's packages but git fuse e2fsprogs curl "},
		{"apk add -t .deps git", "cannot -t\n"},
		{"apk del busybox", "cannot del\n"},
		{"apk", "cannot \n"},
		// As in the images that are made on top of Alpine's.
		{"rm -r /usr/local/share/apk; apk add git", "not part of this image: git\n"},
		{"apk update", "cannot update\n"},
		{"apk add git", "it cannot install Alpine packages"},
	} {
		err := chroot{root: root, script: c.script}.run(t.Context())
		if err == nil || !strings.Contains(err.Error(), "stand-in for Alpine Linux") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want it to say %q", c.script, err, c.want)
		}
	}
	if left, err := os.Stat(filepath.Join(root, "usr/bin/git")); err == nil {
		t.Errorf("a refused command installed %s", left.Name())
	}
}
