package dockerfile

import (
	"path"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// A file that comes from the client is a transfer. What a file is known to
// need is announced before the first of it is read, so that it can come in
// one transfer.

// Announce makes the files tell which of them will be read before they are.
// expect gets the paths below a root, each once. It fetches what it can and
// reports no errors: these belong to the instruction that loads a file.
func (f *Files) Announce(expect func(Root, []string)) { f.expect = expect }

// Expect announces the files that references of a file name. A reference
// that means no file is left to the one who loads it.
func (f *Files) Expect(refs []string, from FileID) {
	src := f.Source(from)
	f.announce(src.Root, path.Dir(src.Path), refs)
}

// place is where a file is, as a key.
type place struct {
	root Root
	path string
}

// announce is Expect for a file in a folder. It returns what is new.
func (f *Files) announce(root Root, dir string, refs []string) []place {
	if f.expect == nil || f.read == nil {
		return nil
	}
	var found []place
	paths := map[Root][]string{}
	for _, ref := range refs {
		root, p, err := resolvePath(ref, root, dir)
		if err != nil || f.announced[place{root, p}] || len(f.announced) >= maxFiles {
			continue
		}
		if f.announced == nil {
			f.announced = map[place]bool{}
		}
		f.announced[place{root, p}] = true
		found = append(found, place{root, p})
		paths[root] = append(paths[root], p)
	}
	for _, root := range []Root{BesideDockerfile, InContext} {
		if len(paths[root]) > 0 {
			f.expect(root, paths[root])
		}
	}
	return found
}

// lookAhead announces what a file includes, and what these files include in
// turn, level by level.
func (f *Files) lookAhead(tree *parser.Result, id FileID) {
	src := f.Source(id)
	level := f.announce(src.Root, path.Dir(src.Path), includes(tree))
	for depth := 1; len(level) > 0 && depth < maxIncludes; depth++ {
		var next []place
		for _, at := range level {
			data, err := f.read(at.root, at.path)
			if err != nil || checkText(data) != nil {
				return // the build ends here, or before
			}
			tree, err := parseTree(data)
			if err != nil {
				return
			}
			next = append(next, f.announce(at.root, path.Dir(at.path), includes(tree))...)
		}
		level = next
	}
}

// includes returns the paths that a file includes.
func includes(tree *parser.Result) []string {
	var refs []string
	for _, node := range tree.AST.Children {
		if ref := argument(node); strings.EqualFold(node.Value, "include") && checkInclude(node, ref) == nil {
			refs = append(refs, ref)
		}
	}
	return refs
}
