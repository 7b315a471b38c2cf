package plan

import (
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/util/system"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/stage"
	mode "github.com/tonistiigi/dchapes-mode"
)

// copy evaluates COPY: files of the context, of a stage or of an image.
func (e *stageEval) copy(step *Step, in *stage.Instruction, c *instructions.CopyCommand) error {
	from := stage.None
	if len(in.Refs) > 0 {
		from = in.Refs[0].Node
	}
	if from != stage.None && !e.isThere(from) {
		return errors.Errorf("cannot copy from stage %q: that stage depends on this one", c.From)
	}
	t := &transfer{stageEval: e, keyword: "COPY", in: c, from: from, parents: c.Parents, ifExists: in.Flags.IfExists, keepRoot: in.Flags.KeepRoot}
	err := t.evaluate(step, titleOf(e.lex, in.Pieces(e.unit.File.Escape(in.Loc)), &e.env), c.SourcesAndDest, attributes{
		chown: c.Chown, chmod: c.Chmod, link: c.Link, excludes: c.ExcludePatterns,
	})
	if err != nil {
		return err
	}
	for _, src := range c.SourcePaths {
		e.readOf(from, src)
	}
	return nil
}

// transfer is what COPY and ADD have in common.
type transfer struct {
	*stageEval
	keyword string
	in      instructions.Command
	from    stage.ID
	parents bool
	// ifExists skips paths that are not there.
	ifExists bool
	// keepRoot keeps owner and mode of the folder that is copied.
	keepRoot bool
	// remote makes the source of a URL or a Git repository, nil for a path.
	// Only ADD has it; COPY refuses both.
	remote func(src string) (CopySource, error)
	// check looks at the flags that only ADD has. May be nil.
	check  func() error
	unpack bool
}

// attributes are the flags that say what copied files look like.
type attributes struct {
	chown, chmod string
	link         bool
	excludes     []string
}

func (t *transfer) evaluate(step *Step, title string, paths instructions.SourcesAndDest, attr attributes) error {
	dest, err := t.resolveDest(paths.DestPath)
	if err != nil {
		return err
	}
	op := &Copy{
		Dest:     dest,
		Chown:    attr.chown,
		Excludes: attr.excludes,
		Link:     attr.link,
		KeepRoot: t.keepRoot,
		Platform: t.out.Platform,
	}
	if attr.link && namesOwner(attr.chown) {
		// There is no /etc/passwd in the layer that is copied into.
		return errors.Errorf("--chown=%s: user and group names can't be resolved when used with --link, use numeric uid[:gid] instead", attr.chown)
	}
	if op.Chmod, err = parseChmod(attr.chmod); err != nil {
		return err
	}
	if t.keepRoot {
		if err := t.checkKeepRoot(paths, dest); err != nil {
			return err
		}
	}
	if t.check != nil {
		if err := t.check(); err != nil {
			return err
		}
	}
	step.Progress = t.progress.next(title, &t.out.Platform, &t.env)
	op.LinkProgress = t.progress.current("LINK "+title, &t.out.Platform, &t.env)

	for _, src := range paths.SourcePaths {
		s, err := t.source(src)
		if err != nil {
			return err
		}
		op.Sources = append(op.Sources, s)
	}
	for _, content := range paths.SourceContents {
		s, err := t.inline(content, len(op.Sources) == 0)
		if err != nil {
			return err
		}
		op.Sources = append(op.Sources, s)
	}
	step.Op = op
	t.commitOp(t.history(paths, attr))
	return nil
}

// checkKeepRoot refuses what --keep-root cannot be had with: it is about one
// folder, and about the one that it becomes.
func (t *transfer) checkKeepRoot(paths instructions.SourcesAndDest, dest string) error {
	switch {
	case t.parents:
		return errors.New("--keep-root does not go with --parents, which keeps the folders on the way anyway")
	case t.ifExists:
		return errors.New("--keep-root does not go with --if-exists: the folder must be there")
	case len(paths.SourcePaths) != 1 || len(paths.SourceContents) > 0 || hasWildcards(paths.SourcePaths[0]):
		return errors.New("--keep-root requires exactly one folder to copy, without wildcards; write a COPY for each")
	case path.Clean(dest) == "/":
		return errors.New("--keep-root cannot change the root of a filesystem; copy to a folder in it, or do without the flag")
	}
	return nil
}

func (t *transfer) source(src string) (CopySource, error) {
	if t.remote != nil {
		if s, err := t.remote(src); s != nil || err != nil {
			return s, err
		}
	} else if err := refuseRemote(src); err != nil {
		return nil, err
	}
	t.checkIgnored(src)
	return t.files(src)
}

// files are paths of the source. With --parents, the part of a path behind a
// /./ is kept below the destination.
func (t *transfer) files(src string) (*Files, error) {
	os := t.out.Platform.OS
	f := &Files{From: t.from, Context: t.unit.Context, Unpack: t.unpack}
	if t.parents {
		root, pattern, pivot := strings.Cut(src, "/./")
		if !pivot {
			root, pattern = "/", src
		}
		pattern, err := system.NormalizePath("/", pattern, os, false)
		if err != nil {
			return nil, errors.Wrap(err, "removing drive letter")
		}
		f.Include = []string{strings.TrimPrefix(pattern, "/")}
		if !hasWildcards(root) && !hasWildcards(pattern) {
			required, err := system.NormalizePath("/", filepath.Join(root, pattern), os, false)
			if err != nil {
				return nil, errors.Wrap(err, "removing drive letter")
			}
			f.Required = []string{required}
		}
		src = root
	}
	var err error
	if f.Path, err = system.NormalizePath("/", src, os, false); err != nil {
		return nil, errors.Wrap(err, "removing drive letter")
	}
	if t.ifExists {
		if err := f.mayBeAbsent(); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (t *transfer) inline(content instructions.SourceContent, first bool) (*Inline, error) {
	os := t.out.Platform.OS
	name, err := system.CheckSystemDriveAndRemoveDriveLetter(content.Path, os, false)
	if err != nil {
		return nil, errors.Wrap(err, "removing drive letter")
	}
	s := &Inline{Name: name, Path: filepath.ToSlash(name), Data: content.Data}
	if first {
		s.Path = system.ToSlash(name, os)
	}
	return s, nil
}

// history returns the instruction as the image's history has it.
func (t *transfer) history(paths instructions.SourcesAndDest, attr attributes) string {
	words := []string{t.keyword}
	if t.ifExists {
		words = append(words, "--if-exists")
	}
	if t.keepRoot {
		words = append(words, "--keep-root")
	}
	if t.parents {
		words = append(words, "--parents")
	}
	if attr.chown != "" {
		words = append(words, "--chown="+attr.chown)
	}
	if attr.chmod != "" {
		words = append(words, "--chmod="+attr.chmod)
	}
	words = append(words, paths.SourcePaths...)
	for _, content := range paths.SourceContents {
		words = append(words, "<<"+content.Path)
	}
	return strings.Join(append(words, paths.DestPath), " ")
}

// parseChmod reads --chmod: octal, or symbolic as chmod(1) has it.
func parseChmod(s string) (*Chmod, error) {
	if s == "" {
		return nil, nil
	}
	invalid := errors.Errorf("invalid chmod parameter: '%v'. it should be octal string and between 0 and 07777", s)
	if n, err := strconv.ParseUint(s, 8, 32); err == nil {
		if n > 0o7777 {
			return nil, invalid
		}
		return &Chmod{Mode: fs.FileMode(n)}, nil
	}
	if _, err := mode.Parse(s); err != nil {
		var number *strconv.NumError
		if errors.As(err, &number) { // it was meant as a number
			return nil, invalid
		}
		return nil, err
	}
	return &Chmod{Symbolic: s}, nil
}

// namesOwner reports whether --chown has a name where a number could stand.
func namesOwner(chown string) bool {
	if chown == "" {
		return false
	}
	opt, ok := llb.WithUser(chown).(llb.ChownOpt)
	if !ok {
		return false
	}
	return opt.User != nil && opt.User.Name != "" || opt.Group != nil && opt.Group.Name != ""
}

// hasWildcards reports whether a path is a pattern; a backslash escapes.
func hasWildcards(p string) bool {
	for i := 0; i < len(p); i++ {
		switch p[i] {
		case '*', '?', '[':
			return true
		case '\\':
			i++
		}
	}
	return false
}
