package tools

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestScatter(t *testing.T) {
	dir := t.TempDir()
	Scatter(dir)
	// Whatever the file system says to it, the folder is as good as before.
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Error(err)
	}
	Scatter(filepath.Join(dir, "none"))

	var system unix.Statfs_t
	if err := unix.Statfs(dir, &system); err != nil {
		t.Fatal(err)
	}
	if system.Type != unix.EXT4_SUPER_MAGIC {
		t.Logf("file systems of type %#x are not asked", system.Type)
		return
	}
	fd, err := unix.Open(dir, unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if flags, err := unix.IoctlGetUint32(fd, unix.FS_IOC_GETFLAGS); err != nil || flags&topDirectory == 0 {
		t.Errorf("the folder's flags are %#x, %v", flags, err)
	}
}
