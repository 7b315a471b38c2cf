package listing

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/stagecraft/stagecraft/frontend/digests"
)

// list returns all that is in a folder, in the order of the paths, which begin with a slash.
func list(root string) ([]digests.File, error) {
	files := []digests.File{}
	err := filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		if err != nil || name == root {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		f, err := describe(name, info)
		f.Path = strings.TrimPrefix(name, root)
		files = append(files, f)
		return err
	})
	return files, err
}

var kinds = map[fs.FileMode]string{
	0: "-", fs.ModeDir: "d", fs.ModeSymlink: "l", fs.ModeNamedPipe: "p", fs.ModeSocket: "s",
	fs.ModeDevice: "b", fs.ModeDevice | fs.ModeCharDevice: "c",
}

func describe(name string, info fs.FileInfo) (digests.File, error) {
	st := info.Sys().(*syscall.Stat_t)
	f := digests.File{Mode: fmt.Sprintf("%s%04o", kinds[info.Mode().Type()], st.Mode&0o7777), UID: st.Uid, GID: st.Gid}
	sum := sha256.New()
	var err error
	switch info.Mode().Type() {
	case 0:
		err = content(sum, name)
	case fs.ModeSymlink:
		var target string
		target, err = os.Readlink(name)
		io.WriteString(sum, target)
	case fs.ModeDevice, fs.ModeDevice | fs.ModeCharDevice:
		fmt.Fprint(sum, st.Rdev)
	}
	if err == nil {
		err = attributes(sum, name)
	}
	f.Digest = "sha256:" + hex.EncodeToString(sum.Sum(nil))
	return f, err
}

func content(sum hash.Hash, name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(sum, file)
	return err
}

// attributes adds extended attributes, apart from those that the machine gives to all files.
func attributes(sum hash.Hash, name string) error {
	buf := make([]byte, 1<<16)
	n, err := unix.Llistxattr(name, buf)
	if errors.Is(err, unix.ENOTSUP) {
		return nil
	}
	if err != nil {
		return &fs.PathError{Op: "llistxattr", Path: name, Err: err}
	}
	var names []string
	for _, attr := range bytes.Split(buf[:n], []byte{0}) {
		if len(attr) > 0 && string(attr) != "security.selinux" {
			names = append(names, string(attr))
		}
	}
	slices.Sort(names)
	for _, attr := range names {
		n, err := unix.Lgetxattr(name, attr, buf)
		if err != nil {
			return &fs.PathError{Op: "lgetxattr", Path: name, Err: err}
		}
		fmt.Fprintf(sum, "\x00%s=%x", attr, buf[:n])
	}
	return nil
}
