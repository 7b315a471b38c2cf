// Command hellofs mounts a file system that has one file, hello, whose content is a greeting, on the
// folder in its argument, and serves it until it is unmounted. It stands in for the program of
// tonistiigi/hellofs, with which upstream tests that a privileged RUN can use /dev/fuse. Like that one
// it mounts with the program fusermount.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// root is the file system's only folder.
type root struct{ fs.Inode }

// OnAdd puts the file there when the file system is mounted.
func (r *root) OnAdd(ctx context.Context) {
	file := &fs.MemRegularFile{Data: []byte("hello, world\n"), Attr: fuse.Attr{Mode: 0o444}}
	r.AddChild("hello", r.NewPersistentInode(ctx, file, fs.StableAttr{Mode: fuse.S_IFREG}), false)
}

var _ fs.NodeOnAdder = (*root)(nil)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: hellofs FOLDER")
		os.Exit(2)
	}
	server, err := fs.Mount(os.Args[1], &root{}, &fs.Options{MountOptions: fuse.MountOptions{FsName: "helloworld", Name: "hellofs", Options: []string{"ro"}}})
	if err != nil {
		fmt.Fprintln(os.Stderr, "hellofs:", err)
		os.Exit(1)
	}
	server.Wait()
}
