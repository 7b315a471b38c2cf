package images

import (
	"strings"
	"testing"
)

var busyboxExpectations = []expectation{
	{
		ref:    "busybox:latest",
		config: `"Cmd":\["sh"\]`,
		files:  []string{"bin/sh", "bin/wget", "bin/httpd", "bin/adduser", "bin/addgroup", "etc/passwd", "etc/group", "root", "tmp", "home"},
		run: `addgroup -S g && adduser -S u -G g && id -Gn u && su -s /bin/sh u -c whoami && stat -c %a /tmp
			mkdir /elsewhere && cp /bin/wget /elsewhere/wget && /elsewhere/wget --help 2>&1 | head -1 | cut -d' ' -f1
			echo served > /elsewhere/index.html && printf 'GET / HTTP/1.0\r\n\r\n' | httpd -i -h /elsewhere | tail -1
			wget -q -O - http://deb.debian.org/debian/dists/bookworm/Release | head -1`,
		want: `^g\nu\n1777\nBusyBox\nserved\nOrigin: Debian\n$`,
	},
}

// What is built on an image has its history too: BusyBox's is one layer and what to run.
func TestBusyBoxHistory(t *testing.T) {
	set, err := Ensure(t.Context(), "busybox")
	if err != nil {
		t.Fatal(err)
	}
	config, err := imageFor(t, set, "busybox").ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if len(config.RootFS.DiffIDs) != 1 || len(config.History) != 2 {
		t.Fatalf("%d layers, history %+v", len(config.RootFS.DiffIDs), config.History)
	}
	layer, cmd := config.History[0], config.History[1]
	if layer.EmptyLayer || !cmd.EmptyLayer || !strings.Contains(cmd.CreatedBy, `CMD ["sh"]`) {
		t.Errorf("the history is %+v", config.History)
	}
}
