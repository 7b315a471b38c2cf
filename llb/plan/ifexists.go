package plan

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pkg/errors"
)

// mayBeAbsent makes a source optional. A pattern may match nothing, so a path
// becomes a pattern that matches nothing but itself. Where its folder may be
// absent, too, that is made first: symbolic links in the path are then
// followed as they are without the flag.
//
// It fails for the paths that a pattern cannot express; without the error
// they would count as absent.
func (f *Files) mayBeAbsent() error {
	// The client of BuildKit takes the path in this form; a trailing slash or
	// /. means nothing for a source, and .. goes up by name.
	f.Path = path.Join("/", f.Path)
	switch {
	case f.Required != nil: // --parents and a plain path, which is a pattern there anyway
		f.Required = nil
		f.Parents = folder(f.Path)
		return nil
	case len(f.Include) > 0:
		f.mayMatchNothing(path.Join(f.Path, "*"))
		return nil
	case hasWildcards(f.Path):
		f.mayMatchNothing(f.Path)
		return nil
	case f.Path == "/":
		return nil // is always there
	}
	dir, name := path.Split(f.Path)
	if strings.Contains(dir, `\`) {
		// The daemon reads a backslash before a pattern as one when it
		// copies, and as an escape when it looks for the files in its cache.
		return errors.Errorf("--if-exists cannot be used with %s: a folder of the path has a backslash in its name; rename it, or do without the flag", f.Path)
	}
	pattern, ok := patternOf(name)
	if !ok {
		return errors.Errorf("--if-exists cannot be used with %s: the last name of the path is not valid UTF-8", f.Path)
	}
	f.Parents = folder(dir)
	f.Path = dir + pattern
	return nil
}

// mayMatchNothing is for a pattern, which matches nothing in a folder that is
// empty, and also in what is a file and not a folder: that must stay no error.
func (f *Files) mayMatchNothing(pattern string) {
	f.Folder = staticFolder(pattern)
	f.Parents = folder(path.Dir(f.Folder))
}

// folder returns a path as one that may have to be made, empty for the root.
func folder(p string) string {
	if p = path.Join("/", p); p != "/" {
		return p
	}
	return ""
}

// patternOf returns the pattern that matches exactly this file name, for
// example "[n]ame", and whether there is one. A class makes it a pattern. Its
// character is a letter or a digit where the name has one, because these mean
// nothing else in a class on any system.
func patternOf(name string) (string, bool) {
	start, size := classAt(name)
	if size == 0 {
		return "", false
	}
	class := name[start : start+size]
	if strings.Contains(`^-]\`, class) {
		class = `\` + class
	}
	return escapePattern(name[:start]) + "[" + class + "]" + escapePattern(name[start+size:]), true
}

// classAt returns where the character of a name is that a class is made of,
// and its size in bytes, 0 where no character is valid UTF-8.
func classAt(name string) (start, size int) {
	for i := 0; i < len(name); {
		r, n := utf8.DecodeRuneInString(name[i:])
		switch {
		case r == utf8.RuneError && n == 1:
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			return i, n
		case size == 0:
			start, size = i, n
		}
		i += n
	}
	return start, size
}

// escapePattern returns text as a pattern that matches it.
func escapePattern(text string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(text)
}

// staticFolder returns the folder in which a pattern is looked for, empty for the
// root.
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
