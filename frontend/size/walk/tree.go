package walk

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// tree is the filesystem that layers make together: the regular files, and the folders that have some.
type tree struct {
	root   *node
	layers []Measured
	// links are the files with several names in the present layer, by their inode.
	links map[uint64]*content
}

// node is a name in the filesystem: a folder or a regular file.
type node struct {
	children map[string]*node // of a folder
	file     *content         // of a file
}

// content is a regular file, which may have several names.
type content struct {
	bytes int64
	layer int
	names int
}

func newTree() *tree { return &tree{root: &node{}} }

// begin starts a layer on top.
func (t *tree) begin() {
	t.layers = append(t.layers, Measured{})
	t.links = map[uint64]*content{}
}

func (t *tree) top() *Measured { return &t.layers[len(t.layers)-1] }

// put makes a regular file, in place of whatever has its name. Inode is 0 for a file with one name.
func (t *tree) put(path string, bytes int64, inode uint64) {
	t.remove(path)
	c := t.links[inode]
	if c == nil || inode == 0 {
		c = &content{bytes: bytes, layer: len(t.layers) - 1}
		t.top().Add(Amount{bytes, 1})
		if inode != 0 {
			t.links[inode] = c
		}
	}
	t.name(path, c)
}

// name gives a file a name. What was a file on the way there is a folder from now on.
func (t *tree) name(path string, c *content) {
	n := t.root
	for name := range strings.SplitSeq(path, "/") {
		if n.file != nil {
			t.drop(n)
		}
		if n.children == nil {
			n.children = map[string]*node{}
		}
		next := n.children[name]
		if next == nil {
			next = &node{}
			n.children[name] = next
		}
		n = next
	}
	n.file = c
	c.names++
}

// remove removes a file, or a folder with all that is in it.
func (t *tree) remove(path string) {
	n := t.root
	names := strings.Split(path, "/")
	for _, name := range names[:len(names)-1] {
		if n = n.children[name]; n == nil {
			return
		}
	}
	last := names[len(names)-1]
	if gone := n.children[last]; gone != nil {
		t.drop(gone)
		delete(n.children, last)
	}
}

// folder makes room for a folder: a file of that name is gone.
func (t *tree) folder(path string) {
	n := t.root
	for name := range strings.SplitSeq(path, "/") {
		if n = n.children[name]; n == nil {
			return
		}
	}
	if n.file != nil {
		t.remove(path)
	}
}

// drop notes that nobody sees n any more. The last name of a file counts.
func (t *tree) drop(n *node) {
	if n.file != nil {
		if n.file.names--; n.file.names == 0 {
			t.top().Covers.Add(Amount{n.file.bytes, 1})
		}
		n.file = nil
	}
	for _, child := range n.children {
		t.drop(child)
	}
	n.children = nil
}

// each calls f for all names of files in the order of their paths.
func (t *tree) each(f func(path string, c *content)) { each(t.root, "", f) }

func each(n *node, path string, f func(string, *content)) {
	if n.file != nil {
		f(path, n.file)
	}
	for _, name := range slices.Sorted(maps.Keys(n.children)) {
		each(n.children[name], strings.TrimPrefix(path+"/"+name, "/"), f)
	}
}

// visible returns the files, each under its first name.
func (t *tree) visible() []File {
	var files []File
	seen := map[*content]bool{}
	t.each(func(path string, c *content) {
		if !seen[c] {
			seen[c] = c.names > 1
			files = append(files, File{shown(path), c.bytes, c.layer})
		}
	})
	return files
}

// shown returns a path as text for people.
func shown(path string) string {
	path = "/" + path
	if utf8.ValidString(path) {
		return path
	}
	quoted := fmt.Sprintf("%+q", path)
	return quoted[1 : len(quoted)-1]
}

// result makes the answer.
func (t *tree) result() *Result {
	files := t.visible()
	r := &Result{Layers: t.layers}
	r.Paths, r.Depth = fold(files, MaxPaths)
	bySize := slices.Clone(files)
	slices.SortStableFunc(bySize, func(a, b File) int { return cmp.Compare(b.Bytes, a.Bytes) })
	r.Largest = bySize[:min(len(bySize), maxLargest)]
	return r
}

// fold cuts paths at a depth where there are no more than limit of them, and returns that depth, 0 for none.
func fold(files []File, limit int) ([]File, int) {
	if len(files) <= limit {
		return files, 0
	}
	deepest := 0
	for _, f := range files {
		deepest = max(deepest, strings.Count(f.Path, "/"))
	}
	for depth := deepest - 1; depth > 1; depth-- {
		if folded := Fold(files, depth); len(folded) <= limit {
			return folded, depth
		}
	}
	return Fold(files, 1), 1
}

// Fold returns files with everything below depth folders as one entry. A folder has a slash at its end. Files
// are in the order of their paths; so is what is returned.
func Fold(files []File, depth int) []File {
	var folded []File
	at := map[string]int{}
	shares := map[string]map[int]int64{} // by folder and layer
	for _, f := range files {
		parts := strings.SplitAfterN(f.Path, "/", depth+2)
		if len(parts) < depth+2 || parts[depth+1] == "" {
			folded = append(folded, f)
			continue
		}
		dir := strings.Join(parts[:depth+1], "")
		i, ok := at[dir]
		if !ok {
			i = len(folded)
			at[dir], shares[dir] = i, map[int]int64{}
			folded = append(folded, File{Path: dir})
		}
		folded[i].Bytes += f.Bytes
		shares[dir][f.Layer] += f.Bytes
	}
	for dir, layers := range shares {
		most := slices.MaxFunc(slices.Sorted(maps.Keys(layers)), func(a, b int) int { return cmp.Compare(layers[a], layers[b]) })
		folded[at[dir]].Layer = most
	}
	return folded
}
