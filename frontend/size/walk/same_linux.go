package walk

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"

	"golang.org/x/sys/unix"
)

// same says that an exporter takes a file for unchanged: of two inodes with the same mode, owner, device,
// capabilities, size and time. Where both times are in whole seconds, as after unpacking an archive, they may
// have been cut, and the content decides.
func (d *differ) same(name string, before, after fs.FileInfo) (bool, error) {
	a, b := stat(before), stat(after)
	if a.Mode != b.Mode || a.Uid != b.Uid || a.Gid != b.Gid || a.Rdev != b.Rdev || a.Size != b.Size || a.Mtim != b.Mtim && !d.other {
		return false, nil
	}
	lower, upper := path.Join(d.lower, name), path.Join(d.upper, name)
	if same, err := sameCapabilities(lower, upper); !same || err != nil {
		return false, err
	}
	if a.Mtim.Nsec != 0 && !d.other {
		return true, nil
	}
	switch {
	case before.Mode()&fs.ModeSymlink != 0:
		return sameLink(lower, upper)
	case before.Mode().IsRegular() && a.Size > 0:
		return sameContent(lower, upper)
	}
	return true, nil
}

func sameCapabilities(lower, upper string) (bool, error) {
	a, err := capabilities(lower)
	if err != nil {
		return false, err
	}
	b, err := capabilities(upper)
	return bytes.Equal(a, b), err
}

// capabilities returns those of an executable file, nil for none.
func capabilities(name string) ([]byte, error) {
	buf := make([]byte, 256)
	n, err := unix.Lgetxattr(name, "security.capability", buf)
	if errors.Is(err, unix.ENODATA) || errors.Is(err, unix.ENOTSUP) {
		return nil, nil
	}
	if err != nil {
		return nil, &fs.PathError{Op: "lgetxattr", Path: name, Err: err}
	}
	return buf[:n], nil
}

func sameLink(lower, upper string) (bool, error) {
	a, err := os.Readlink(lower)
	if err != nil {
		return false, err
	}
	b, err := os.Readlink(upper)
	return a == b, err
}

func sameContent(lower, upper string) (bool, error) {
	a, err := os.Open(lower)
	if err != nil {
		return false, err
	}
	defer a.Close()
	b, err := os.Open(upper)
	if err != nil {
		return false, err
	}
	defer b.Close()
	bufA, bufB := make([]byte, 1<<16), make([]byte, 1<<16)
	for {
		n, errA := io.ReadFull(a, bufA)
		m, errB := io.ReadFull(b, bufB)
		if n != m || !bytes.Equal(bufA[:n], bufB[:m]) {
			return false, nil
		}
		if ended(errA) || ended(errB) {
			return ended(errA) && ended(errB), nil
		}
		if err := errors.Join(errA, errB); err != nil {
			return false, err
		}
	}
}

func ended(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
