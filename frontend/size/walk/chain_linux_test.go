package walk

import "testing"

// The folders of an overlay tell whether a state stands on another one.
func TestStandsOn(t *testing.T) {
	const table = `22 1 0:20 / / rw - overlay overlay rw,lowerdir=/x
30 22 8:1 /snapshots/1/fs /m/0 ro,relatime - ext4 /dev/vda rw
31 22 0:40 / /m/1 ro,relatime - overlay overlay ro,lowerdir=/snapshots/2/fs:/snapshots/1/fs
32 22 0:41 / /m/2 ro,relatime - overlay overlay ro,lowerdir=/snapshots/3/fs:/snapshots/2/fs:/snapshots/1/fs
33 22 0:42 / /m/3 ro,relatime - overlay overlay ro,lowerdir=/snapshots/9/fs:/snapshots/1/fs
34 22 0:43 / /m/4 rw,relatime shared:7 - overlay overlay rw,lowerdir=/snapshots/2/fs:/snapshots/1/fs,upperdir=/snapshots/5/fs,workdir=/w
`
	for _, c := range []struct {
		lower, upper string
		want         bool
	}{
		{"/m/0", "/m/1", true}, // one folder is bound, not laid over
		{"/m/1", "/m/2", true},
		{"/m/1", "/m/1", true}, // a step that changed nothing
		{"/m/1", "/m/4", true},
		{"/m/3", "/m/2", false}, // another result of the step below
		{"/m/2", "/m/1", false},
		{"/m/1", "/m/nowhere", true}, // nothing is known
	} {
		if got := standsOn(table, c.lower, c.upper); got != c.want {
			t.Errorf("%s on %s: %v", c.upper, c.lower, got)
		}
	}
}
