package walk

import (
	"io/fs"
	"os"
	"path"
	"syscall"

	"golang.org/x/sys/unix"
)

// differ finds out what a layer changes, from the states before and after it.
type differ struct {
	tree *tree
	// lower and upper are the roots of the states; lower is empty for the empty filesystem.
	lower, upper string
	// overlay says that the upper state is an overlay of folders. A file that a layer does not touch is then
	// the same inode in both states, and a folder that is the same inode has nothing new below it.
	overlay bool
	// unpacked is Layer.Unpacked.
	unpacked bool
	// other says that the upper state stands on another result of the step that the lower one is a result of, with
	// the same files at other times; see standsOn. A file that differs in its time alone is then not the layer's.
	other bool
}

// measure adds a layer to a tree.
func measure(t *tree, root string, l Layer) error {
	d := &differ{tree: t, upper: Mount(root, l.Upper), unpacked: l.Unpacked}
	if l.Lower != Nothing {
		d.lower = Mount(root, l.Lower)
	}
	var st unix.Statfs_t
	if err := unix.Statfs(d.upper, &st); err != nil {
		return &fs.PathError{Op: "statfs", Path: d.upper, Err: err}
	}
	d.overlay = st.Type == unix.OVERLAYFS_SUPER_MAGIC
	d.other = d.foreign()
	t.begin()
	if d.lower == "" {
		return d.add("")
	}
	return d.both("")
}

// add adds all that is in a folder of the upper state.
func (d *differ) add(dir string) error {
	entries, err := os.ReadDir(path.Join(d.upper, dir))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := d.addEntry(path.Join(dir, e.Name()), e); err != nil {
			return err
		}
	}
	return nil
}

func (d *differ) addEntry(name string, e fs.DirEntry) error {
	d.tree.top().Changes++
	switch {
	case e.IsDir():
		d.tree.folder(name)
		return d.add(name)
	case e.Type().IsRegular():
		info, err := e.Info()
		if err != nil {
			return err
		}
		d.put(name, info)
	default:
		d.tree.remove(name)
	}
	return nil
}

func (d *differ) put(name string, info fs.FileInfo) {
	var inode uint64
	if st := stat(info); st.Nlink > 1 {
		inode = st.Ino
	}
	d.tree.put(name, info.Size(), inode)
}

// both compares a folder that both states have.
func (d *differ) both(dir string) error {
	lower, err := os.ReadDir(path.Join(d.lower, dir))
	if err != nil {
		return err
	}
	upper, err := os.ReadDir(path.Join(d.upper, dir))
	if err != nil {
		return err
	}
	for len(lower) > 0 || len(upper) > 0 {
		switch {
		case len(upper) == 0 || len(lower) > 0 && lower[0].Name() < upper[0].Name():
			d.tree.top().Changes++
			d.tree.remove(path.Join(dir, lower[0].Name()))
			lower = lower[1:]
		case len(lower) == 0 || upper[0].Name() < lower[0].Name():
			if err := d.addEntry(path.Join(dir, upper[0].Name()), upper[0]); err != nil {
				return err
			}
			upper = upper[1:]
		default:
			if err := d.entry(path.Join(dir, upper[0].Name()), lower[0], upper[0]); err != nil {
				return err
			}
			lower, upper = lower[1:], upper[1:]
		}
	}
	return nil
}

// entry compares what both states have under a name.
func (d *differ) entry(name string, lower, upper fs.DirEntry) error {
	before, err := lower.Info()
	if err != nil {
		return err
	}
	after, err := upper.Info()
	if err != nil {
		return err
	}
	untouched := sameInode(stat(before), stat(after))
	switch {
	case before.IsDir() && after.IsDir():
		if untouched && d.overlay {
			return nil
		}
		if !untouched {
			d.tree.top().Changes++
		}
		return d.both(name)
	case untouched:
		return nil
	case !d.unpacked || !d.overlay || d.other:
		same, err := d.same(name, before, after)
		if same || err != nil {
			return err
		}
	}
	if before.IsDir() {
		d.tree.remove(name)
	}
	return d.addEntry(name, upper)
}

func stat(info fs.FileInfo) *syscall.Stat_t { return info.Sys().(*syscall.Stat_t) }

// sameInode reports whether two names are one inode, seen through two mounts: the devices differ then.
func sameInode(a, b *syscall.Stat_t) bool {
	return a.Ino == b.Ino && a.Ctim == b.Ctim && a.Mode == b.Mode && a.Mtim == b.Mtim && a.Size == b.Size && a.Rdev == b.Rdev
}
