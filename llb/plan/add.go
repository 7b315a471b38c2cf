package plan

import (
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/resolve"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// add evaluates ADD: files of the context, which it unpacks, files over HTTP,
// and Git repositories.
func (e *stageEval) add(step *Step, in *stage.Instruction, c *instructions.AddCommand) error {
	t := &transfer{stageEval: e, keyword: "ADD", in: c, from: stage.None, unpack: true}
	if c.Unpack != nil {
		t.unpack = *c.Unpack
	}
	r := &remotes{pin: e.opt.Checksum, keepGitDir: c.KeepGitDir, checksum: c.Checksum, unpack: c.Unpack != nil && *c.Unpack}
	t.remote = r.source
	t.check = func() error { return checkAddChecksum(c) }
	err := t.evaluate(step, title(e.lex, c.String(), &e.env), c.SourcesAndDest, attributes{
		chown: c.Chown, chmod: c.Chmod, link: c.Link, excludes: c.ExcludePatterns,
	})
	if err != nil {
		return err
	}
	for _, src := range c.SourcePaths {
		if !isWeb(src) {
			e.readOf(stage.None, src)
		}
	}
	return nil
}

func checkAddChecksum(c *instructions.AddCommand) error {
	switch {
	case c.Checksum == "":
		return nil
	case len(c.SourcePaths) != 1:
		return errors.New("checksum can't be specified for multiple sources")
	case !resolve.IsHTTP(c.SourcePaths[0]) && !resolve.IsGit(c.SourcePaths[0]):
		return errors.New("checksum requires HTTP(S) or Git sources")
	}
	return nil
}

// remotes makes the remote sources of one ADD. What the query string of a Git
// reference says holds for the sources behind it, too: so it is in
// docker/dockerfile, and changing it would change cache keys.
type remotes struct {
	keepGitDir *bool
	checksum   string
	unpack     bool
	pin        func(*resolve.Remote) (string, error)
}

// pinned gives a source the checksum that the client wants it to have, where
// the Dockerfile says nothing.
func (r *remotes) pinned(src *resolve.Remote) (*resolve.Remote, error) {
	if r.pin == nil || src.Checksum != "" {
		return src, nil
	}
	var err error
	src.Checksum, err = r.pin(src)
	return src, err
}

// source returns the source of a URL or a Git repository, nil for a path.
func (r *remotes) source(src string) (CopySource, error) {
	git, err := resolve.ParseGit(src, r.keepGitDir, r.checksum)
	if err != nil {
		return nil, err
	}
	if git != nil {
		r.keepGitDir, r.checksum = git.Git.KeepDir, git.Checksum
		git, err := r.pinned(git)
		return &Checkout{git}, err
	}
	if !resolve.IsHTTP(src) {
		return nil, nil
	}
	file, err := r.pinned(&resolve.Remote{URL: src, Checksum: r.checksum})
	if err != nil {
		return nil, err
	}
	if _, err := file.Digest(); err != nil {
		return nil, err
	}
	// What comes over HTTP is not unpacked unless the user says so.
	return &Download{Remote: file, Unpack: r.unpack}, nil
}

// refuseRemote is the error of COPY for what only ADD can fetch.
func refuseRemote(src string) error {
	git, err := resolve.ParseGit(src, nil, "")
	switch {
	case err != nil:
		return err
	case git != nil:
		return errors.New("source can't be a git ref for COPY")
	case resolve.IsHTTP(src):
		return errors.New("source can't be a URL for COPY")
	}
	return nil
}
