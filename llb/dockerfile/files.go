package dockerfile

import (
	"bytes"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/pkg/errors"
)

// Root is where the path of a file starts.
type Root int

const (
	// BesideDockerfile is the folder that the client sends the Dockerfile
	// from; with Git it is the fetched tree.
	BesideDockerfile Root = iota
	// InContext is the main build context.
	InContext
)

// Source is one file of a build.
type Source struct {
	Root Root
	Path string // clean, relative to the root
	Data []byte
	// Via is the instruction that first referred to the file.
	Via Loc
	// Escape is the file's escape character, once it is parsed.
	Escape rune
}

// Name returns how messages and progress name the file.
func (s *Source) Name() string {
	if s.Root == InContext {
		return "/" + s.Path
	}
	return s.Path
}

// Files are the files of one compilation: the Dockerfile, and those that it
// includes or takes stages from.
type Files struct {
	sources []Source
	read    func(Root, string) ([]byte, error)
	loaded  int // from read
	budget  budget
	// expect is told what will be read; nil where nobody wants to know.
	expect    func(Root, []string)
	announced map[place]bool
	// found is what the build checks found, and where a file is read with
	// several settings in which of these first.
	found map[string]*linters
}

// NewFiles starts with the Dockerfile itself. read gets the content of other
// files; nil means that there are none.
func NewFiles(name string, data []byte, read func(Root, string) ([]byte, error)) *Files {
	return &Files{found: map[string]*linters{}, sources: []Source{{Path: path.Clean(name), Data: data, Escape: '\\'}}, read: read}
}

// Source returns the file of an ID.
func (f *Files) Source(id FileID) *Source { return &f.sources[id] }

// Len returns how many files the compilation has read.
func (f *Files) Len() int { return len(f.sources) }

// Load reads the file that an instruction at via names: relative to the file
// that the instruction stands in, or with a leading slash from the root of
// the main build context. A file that was read before keeps its ID.
func (f *Files) Load(ref string, via Loc) (FileID, error) {
	root, p, err := f.locate(ref, via.File)
	if err != nil {
		return 0, f.meant(err)
	}
	return f.open(root, p, ref, via)
}

// Step is one file on the way from the Dockerfile to another one. It has a
// meaning in every compilation of the same request, where a FileID has not.
type Step struct {
	Root Root
	Path string
	Via  []parser.Range // of the instruction in the file before
}

// WayTo returns the files from the Dockerfile, which is left out, to a file.
func (f *Files) WayTo(id FileID) []Step {
	if id == 0 {
		return nil
	}
	src := f.Source(id)
	return append(f.WayTo(src.Via.File), Step{Root: src.Root, Path: src.Path, Via: src.Via.Ranges})
}

// Go reads the file at the end of a way that another compilation took.
func (f *Files) Go(way []Step) (FileID, error) {
	id := FileID(0)
	for _, s := range way {
		var err error
		if id, err = f.open(s.Root, s.Path, s.Path, Loc{File: id, Ranges: s.Via}); err != nil {
			return 0, err
		}
	}
	return id, nil
}

// Named returns the name, as Source.Name has it, of the file that a reference
// in the file from means, without reading it.
func (f *Files) Named(ref string, from FileID) (string, error) {
	root, p, err := f.locate(ref, from)
	return (&Source{Root: root, Path: p}).Name(), err
}

// open reads the file of a path, which ref names in messages.
func (f *Files) open(root Root, p, ref string, via Loc) (FileID, error) {
	for id := range f.sources {
		if f.sources[id].Root == root && f.sources[id].Path == p {
			return FileID(id), nil
		}
	}
	if f.read == nil {
		return 0, errors.Errorf("%s cannot be read: there are no files besides the Dockerfile", ref)
	}
	if f.loaded++; f.loaded > maxFiles {
		return 0, errors.Errorf("%s: the build refers to more than %d files", ref, maxFiles)
	}
	data, err := f.read(root, p)
	if err != nil {
		return 0, err
	}
	if err := checkText(data); err != nil {
		return 0, err
	}
	f.sources = append(f.sources, Source{Root: root, Path: p, Data: data, Via: via, Escape: '\\'})
	return FileID(len(f.sources) - 1), nil
}

// loadAgain returns the ID of a file that was read before for one more instruction
// at via, so that its locations tell the way through that.
func (f *Files) loadAgain(id FileID, via Loc) FileID {
	src := f.sources[id]
	src.Via = via
	f.sources = append(f.sources, src)
	return FileID(len(f.sources) - 1)
}

// same reports whether two IDs are of one file.
func (f *Files) same(a, b FileID) bool {
	return f.sources[a].Root == f.sources[b].Root && f.sources[a].Path == f.sources[b].Path
}

// locate returns the root and the path that a reference in a file means.
func (f *Files) locate(ref string, from FileID) (Root, string, error) {
	src := f.Source(from)
	return resolvePath(ref, src.Root, path.Dir(src.Path))
}

// resolvePath returns the root and the path that a reference means in a file of a
// folder.
func resolvePath(ref string, root Root, dir string) (Root, string, error) {
	if err := CheckPath(ref); err != nil {
		return 0, "", err
	}
	if strings.HasPrefix(ref, "/") {
		p := path.Clean(ref)[1:]
		if strings.Contains("/"+ref+"/", "/../") && escapes(strings.TrimPrefix(ref, "/")) {
			return 0, "", errors.Errorf("%s is outside the build context", ref)
		}
		if p == "" {
			return 0, "", errors.Errorf("%s is the root of the build context, not a file", ref)
		}
		return InContext, p, nil
	}
	p := path.Join(dir, ref)
	if !escapes(p) {
		return root, p, nil
	}
	if root == InContext {
		return 0, "", errors.Errorf("%s is outside the build context", ref)
	}
	return 0, "", &outsideError{ref: ref, path: p}
}

var errEmpty = errors.New("the file is empty")

// checkText is an error for what cannot be a Dockerfile.
func checkText(data []byte) error {
	if len(data) == 0 {
		return errEmpty
	}
	if name := encoding(data); name != "" && name != binaryFile {
		return errors.New("the file is " + encodedIn(name))
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return errors.New("the file is " + notText)
	}
	if utf8.Valid(data) {
		return nil
	}
	line := 1
	for rest := data; ; line++ {
		text, after, _ := bytes.Cut(rest, []byte("\n"))
		if !utf8.Valid(text) {
			return errors.Errorf("line %d of the file is not UTF-8", line)
		}
		rest = after
	}
}

// escapes reports whether a relative path leads out of where it starts.
func escapes(p string) bool {
	p = path.Clean(p)
	return p == ".." || strings.HasPrefix(p, "../")
}

// Place names a location within a sentence: "line 3", or "svc/Dockerfile:3"
// in another file than the Dockerfile.
func (f *Files) Place(loc Loc) string {
	if loc.File == 0 {
		return fmt.Sprintf("line %d", loc.Line())
	}
	return f.FullPlace(loc)
}

// FullPlace names a location together with its file, such as "Dockerfile:3".
func (f *Files) FullPlace(loc Loc) string {
	name := f.Source(loc.File).Name()
	if line := loc.Line(); line > 0 {
		return fmt.Sprintf("%s:%d", name, line)
	}
	return name
}

// Way returns how a build came to a location, such as
// "Dockerfile:12 -> svc/Dockerfile:3". For the Dockerfile itself it is empty.
func (f *Files) Way(loc Loc) string {
	if loc.File == 0 {
		return ""
	}
	via := f.Source(loc.File).Via
	way := f.Way(via)
	if way == "" {
		way = f.FullPlace(via)
	}
	return way + " -> " + f.FullPlace(loc)
}

// IsPath reports whether a stage reference means a file: "./x", "../x" or "/x".
// docker/dockerfile knows no reference that starts so.
func IsPath(ref string) bool {
	return strings.HasPrefix(ref, "./") || strings.HasPrefix(ref, "../") || strings.HasPrefix(ref, "/")
}

// SplitPath splits "./path/Dockerfile#stage". Without a stage it is empty.
func SplitPath(ref string) (file, stage string) {
	file, stage, _ = strings.Cut(ref, "#")
	return file, stage
}

// outsideError is about a path that leads out of the Dockerfile's folder.
type outsideError struct{ ref, path string }

func (e *outsideError) Error() string {
	return e.ref + " is outside the folder that the Dockerfile is sent from; a path from the root of the build context starts with a slash"
}

// meant completes an outsideError where the build context, which is often a
// folder above the Dockerfile's, has the file.
func (f *Files) meant(err error) error {
	var outside *outsideError
	if !errors.As(err, &outside) || f.read == nil {
		return err
	}
	p := outside.path
	for strings.HasPrefix(p, "../") {
		p = strings.TrimPrefix(p, "../")
	}
	if _, missing := f.read(InContext, p); missing != nil {
		return err
	}
	return errors.Errorf("%s is outside the folder that the Dockerfile is sent from; write /%s, which starts at the root of the build context", outside.ref, p)
}

// CheckPath is an error for a path with a control character. The client could
// not be asked for the file: paths travel in a header, which has none.
func CheckPath(ref string) error {
	for _, r := range ref {
		if r < ' ' || r == 0x7f {
			return errors.Errorf("%q has a control character (%U), and a file with one in its path cannot be asked for; remove the character, or rename the file", ref, r)
		}
	}
	return nil
}
