package plan

import (
	"path"
	"strings"
	"unicode/utf8"
)

// mayBeAbsent makes a source optional. A pattern may match nothing, so a path
// becomes a pattern that matches nothing but itself. Where its folder may be
// absent, too, that is made first: symbolic links in the path are then
// followed as they are without the flag.
func (f *Files) mayBeAbsent() {
	f.Required = nil // --parents goes by patterns anyway
	if len(f.Include) > 0 {
		f.Parents = staticFolder(path.Join(f.Path, "x"))
		return
	}
	f.Parents = staticFolder(f.Path)
	if hasWildcards(f.Path) {
		return
	}
	dir, name := path.Split(f.Path)
	if name == "" {
		return // the root is always there
	}
	_, size := utf8.DecodeRuneInString(name)
	first, rest := name[:size], name[size:]
	if first == `\` {
		return // an escape; no such name is of interest
	}
	if strings.ContainsAny(first, `^-]!`) {
		first = `\` + first
	}
	f.Path = dir + "[" + first + "]" + rest
}

// staticFolder is the folder in which a path or a pattern is looked for,
// empty for the root.
func staticFolder(p string) string {
	parts := strings.Split(strings.TrimPrefix(p, "/"), "/")
	dir := ""
	for _, part := range parts[:len(parts)-1] {
		if hasWildcards(part) {
			break
		}
		dir += "/" + part
	}
	return dir
}
