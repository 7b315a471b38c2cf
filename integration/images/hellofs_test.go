package images

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

var hellofsExpectations = []expectation{
	{
		ref:    "tonistiigi/hellofs",
		config: `^\{`,
		files:  []string{"hellofs"},
	},
}

// hellofsMount mounts with the program, reads the file and unmounts, after which the program ends.
const hellofsMount = `apk add fuse > /tmp/log
/hellofs /mnt &
for attempt in $(seq 100); do if [ -e /mnt/hello ]; then break; fi; sleep 0.1; done
ls /mnt
mount | grep -c ' /mnt type fuse'
cat /mnt/hello
echo written > /mnt/hello 2> /tmp/log || echo read-only
fusermount -u /mnt
wait $!
ls /mnt`

func TestHellofsMounts(t *testing.T) {
	if _, err := os.Stat("/dev/fuse"); err != nil {
		t.Skip("the kernel of this machine has no FUSE: ", err)
	}
	set, err := Ensure(t.Context(), "alpine", "tonistiigi/hellofs")
	if err != nil {
		t.Fatal(err)
	}
	root := rootOf(t, imageFor(t, set, "alpine"))
	program := filepath.Join(rootOf(t, imageFor(t, set, "tonistiigi/hellofs")), "hellofs")
	if err := os.Rename(program, filepath.Join(root, "hellofs")); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := (chroot{root: root, script: hellofsMount, env: alpineConfig.Env, stdout: &out}).run(t.Context()); err != nil {
		t.Fatalf("%v\noutput:\n%s", err, &out)
	}
	if want := "hello\n1\nhello, world\nread-only\n"; out.String() != want {
		t.Errorf("it printed\n%s\nwant\n%s", &out, want)
	}
}
