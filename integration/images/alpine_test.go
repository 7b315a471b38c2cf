package images

import (
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
}

// The stand-in has no package manager, and must say so instead of seeming to install something.
func TestAlpineStandInRefusesWhatItLacks(t *testing.T) {
	set, err := Ensure(t.Context(), "alpine:3.19")
	if err != nil {
		t.Fatal(err)
	}
	if !set.StandIns() {
		return // the real apk installs it
	}
	root := rootOf(t, imageFor(t, set, "alpine:3.19"))
	for _, args := range []string{"add --no-cache git", "add ca-certificates git~=2", "update", "del busybox"} {
		err := chroot{root: root, script: "apk " + args}.run(t.Context())
		if err == nil || !strings.Contains(err.Error(), "stand-in for Alpine Linux") {
			t.Errorf("apk %s: %v", args, err)
		}
	}
}
