package resolve

import (
	"context"
	"net/url"
	"path"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/dfgitutil"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	"github.com/pkg/errors"
)

// Remote is a source that ADD fetches: a Git repository or a file over HTTP.
type Remote struct {
	// URL of the repository or the file.
	URL string
	// Git is set for a repository.
	Git *GitRemote
	// Checksum is what the content must have: a digest over HTTP, a commit
	// for Git. May be empty.
	Checksum string
}

// GitRemote is what is wanted of a Git repository.
type GitRemote struct {
	Ref, SubDir    string
	KeepDir        *bool // nil: nothing said; the folder is then left out
	SkipSubmodules bool
	FetchByCommit  bool
}

// ParseGit reads a Git reference in the forms that docker/dockerfile knows,
// query strings among them. It is nil for anything else; a name that could
// as well be a local path is not a Git reference.
func ParseGit(src string, keepDir *bool, checksum string) (*Remote, error) {
	ref, isGit, err := dfgitutil.ParseGitRef(src)
	if err != nil {
		if isGit {
			return nil, err
		}
		return nil, nil
	}
	if ref.IndistinguishableFromLocal {
		return nil, nil
	}
	if ref.KeepGitDir != nil {
		if keepDir != nil && *keepDir != *ref.KeepGitDir {
			return nil, errors.New("inconsistent keep-git-dir configuration")
		}
		keepDir = ref.KeepGitDir
	}
	if ref.Checksum != "" {
		if checksum != "" && checksum != ref.Checksum {
			return nil, errors.Errorf("checksum mismatch %q != %q", checksum, ref.Checksum)
		}
		checksum = ref.Checksum
	}
	return &Remote{
		URL:      ref.Remote,
		Checksum: checksum,
		Git: &GitRemote{
			Ref:            ref.Ref,
			SubDir:         ref.SubDir,
			KeepDir:        keepDir,
			SkipSubmodules: ref.Submodules != nil && !*ref.Submodules,
			FetchByCommit:  ref.FetchByCommit,
		},
	}, nil
}

// IsGit reports whether ADD takes src for a Git repository.
func IsGit(src string) bool {
	ref, isGit, _ := dfgitutil.ParseGitRef(src)
	return ref != nil && isGit
}

// IsHTTP reports whether ADD takes src for a file over HTTP: a URL that is
// not a Git repository.
func IsHTTP(src string) bool {
	if !strings.HasPrefix(src, "http://") && !strings.HasPrefix(src, "https://") {
		return false
	}
	return !IsGit(src)
}

// Filename returns the name under which a file over HTTP is stored.
func (r *Remote) Filename() string {
	if u, err := url.Parse(r.URL); err == nil {
		if base := path.Base(u.Path); base != "." && base != "/" {
			return base
		}
	}
	return "__unnamed__"
}

// Digest returns the checksum of a file over HTTP, empty without one.
func (r *Remote) Digest() (digest.Digest, error) {
	if r.Checksum == "" {
		return "", nil
	}
	return digest.Parse(r.Checksum)
}

// Identifier returns what BuildKit calls the source: source policies go by it.
func (r *Remote) Identifier() (string, error) {
	if r.Git == nil {
		return r.URL, nil
	}
	st := llb.Git(r.URL, "", r.GitOptions(false)...)
	def, err := st.Marshal(context.Background())
	if err != nil {
		return "", errors.WithStack(err)
	}
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.UnmarshalVT(dt); err != nil {
			return "", errors.WithStack(err)
		}
		if src := op.GetSource(); src != nil {
			return src.Identifier, nil
		}
	}
	return "", errors.Errorf("%s makes no source", r.URL)
}

// GitOptions returns the LLB options that r stands for; advice is the client's
// wish for Git's advice messages.
func (r *Remote) GitOptions(advice bool) []llb.GitOption {
	opts := []llb.GitOption{llb.GitRef(r.Git.Ref)}
	if advice {
		opts = append(opts, llb.GitAdvice(true))
	}
	if r.Git.KeepDir != nil && *r.Git.KeepDir {
		opts = append(opts, llb.KeepGitDir())
	}
	if r.Checksum != "" {
		opts = append(opts, llb.GitChecksum(r.Checksum))
	}
	if r.Git.SubDir != "" {
		opts = append(opts, llb.GitSubDir(r.Git.SubDir))
	}
	if r.Git.SkipSubmodules {
		opts = append(opts, llb.GitSkipSubmodules())
	}
	if r.Git.FetchByCommit {
		opts = append(opts, llb.GitFetchByCommit())
	}
	return opts
}
