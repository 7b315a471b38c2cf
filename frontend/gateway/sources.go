package gateway

import (
	"cmp"
	"context"
	"maps"
	"strings"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/resolve"
)

// Sources is the compiler's outside world for one goal: the daemon, and the
// client that it asks.
type Sources struct {
	*Session
	goal Goal
}

var _ resolve.Sources = &Sources{}

// Image asks the daemon for an image; each is looked up once in a session.
func (s *Sources) Image(ctx context.Context, ref string, p ocispecs.Platform, log string) (resolve.Image, error) {
	ref, err := s.pinned(ref)
	if err != nil {
		return resolve.Image{}, err
	}
	found, dgst, config, err := s.Client.ResolveImageConfig(ctx, ref, sourceresolver.Opt{
		LogName: log,
		ImageOpt: &sourceresolver.ResolveImageOpt{
			Platform:    &p,
			ResolveMode: s.UI.ImageResolveMode.String(),
		},
	})
	return resolve.Image{Ref: found, Digest: dgst, Config: config}, err
}

// HasContext reports whether the client gave a named context.
func (s *Sources) HasContext(name string, p *ocispecs.Platform) (bool, error) {
	nc, _, err := s.namedContext(name, p)
	return nc != nil, err
}

// Context opens a named context, nil where it has no content.
func (s *Sources) Context(ctx context.Context, name string, p *ocispecs.Platform) (*resolve.Context, error) {
	nc, limit, err := s.namedContext(name, p)
	if err != nil || nc == nil {
		return nil, err
	}
	st, img, err := nc.Load(ctx)
	if err != nil || st == nil {
		return nil, err
	}
	return resolve.NewContext(ctx, st, img, func(paths []string) {
		*limit = append(*limit, followPaths(paths)...)
	})
}

// namedContext finds what the client gave under a name, nil for nothing.
// What is sent of a local folder is known only after the plan: limit is read
// when the state is marshaled.
func (s *Sources) namedContext(name string, p *ocispecs.Platform) (_ *dockerui.NamedContext, limit *[]llb.LocalOption, _ error) {
	if p == nil {
		p = s.goal.Platform
	}
	if isLabel(name) {
		name = s.fileStageContext(name)
	}
	limit = new([]llb.LocalOption)
	*limit = s.goal.ownCopy(namedHint(s.opts, name))
	nc, err := s.openNamed(name, dockerui.ContextOpt{
		Platform:       p,
		ResolveMode:    s.UI.ImageResolveMode.String(),
		AsyncLocalOpts: func() []llb.LocalOption { return *limit },
	})
	return nc, limit, err
}

// openNamed returns what the client gave under a name, nil for nothing. dockerui
// notes in the options what a source policy makes of a context, and several
// are loaded at once: each has options of its own.
func (s *Session) openNamed(name string, opt dockerui.ContextOpt) (*dockerui.NamedContext, error) {
	if nc, err := s.UI.NamedContext(name, opt); nc == nil || err != nil {
		return nil, err
	}
	own := WithOpts(&pinning{s.Client, s}, maps.Clone(s.Client.BuildOpts().Opts))
	ui, err := dockerui.NewClient(own)
	if err != nil {
		return nil, err
	}
	return ui.NamedContext(name, opt)
}

// fileStageContext returns the name under which the client may have given a context
// in place of a stage of another file.
func (s *Sources) fileStageContext(label string) string {
	byReference, ok := contextReference(label)
	if ok && s.givesContext(byReference) {
		return byReference
	}
	return contextAlias(label)
}

func (s *Sources) givesContext(name string) bool {
	for key := range s.opts {
		if given, _, _ := strings.Cut(key, "::"); given == "context:"+name {
			return true
		}
	}
	return false
}

// namedHint returns what dockerui gives the daemon as the name of its copy of a
// local named context.
func namedHint(opts map[string]string, name string) string {
	return "context:" + name + "-" + opts["sharedkey:localdir:"+name]
}

// Modified returns the time of the last change of a source.
func (s *Sources) Modified(ctx context.Context, what resolve.EpochSource) (*time.Time, error) {
	st, err := s.epochState(ctx, what)
	if err != nil || st == nil {
		return nil, err
	}
	return s.lastChange(ctx, *st, what.Log)
}

func (s *Sources) epochState(ctx context.Context, what resolve.EpochSource) (*llb.State, error) {
	switch {
	case what.MainContext:
		return s.UI.MainContext(ctx)
	case what.Context != "":
		nc, err := s.openNamed(what.Context, dockerui.ContextOpt{})
		if err != nil || nc == nil {
			return nil, err
		}
		st, _, err := nc.Load(ctx)
		return st, err
	case what.Remote != nil:
		return s.remoteState(what.Remote)
	default:
		return nil, errors.New("no source to take SOURCE_DATE_EPOCH from")
	}
}

// remoteState returns a source of ADD as the operation that fetches it.
func (s *Sources) remoteState(r *resolve.Remote) (*llb.State, error) {
	if r.Git != nil {
		st := llb.Git(r.URL, "", r.GitOptions(s.UI.GitAdvice)...)
		return &st, nil
	}
	sum, err := r.Digest()
	if err != nil {
		return nil, err
	}
	st := llb.HTTP(r.URL, llb.Filename(r.Filename()), llb.Checksum(sum))
	return &st, nil
}

// Digest returns what a source of ADD has now.
func (s *Sources) Digest(ctx context.Context, what *resolve.Remote, log string) (string, error) {
	st, err := s.remoteState(what)
	if err != nil {
		return "", err
	}
	op, err := s.singleSource(ctx, *st)
	if err != nil || op == nil {
		return "", err
	}
	return s.SourceDigest(ctx, op, log)
}

// SourceDigest returns what a source operation has now: the digest of an image
// or a file, the commit of a Git reference. Empty without an error: the daemon
// does not tell.
func (s *Session) SourceDigest(ctx context.Context, op *pb.SourceOp, log string) (string, error) {
	md, err := s.Client.ResolveSourceMetadata(ctx, op, sourceresolver.Opt{LogName: log})
	switch {
	case err != nil:
		return "", err
	case md.Git != nil:
		return cmp.Or(md.Git.CommitChecksum, md.Git.Checksum), nil
	case md.HTTP != nil:
		return md.HTTP.Digest.String(), nil
	}
	return "", nil
}

// followPaths limits a local folder to some paths and what they link to; no
// paths is all of it.
func followPaths(paths []string) []llb.LocalOption {
	if len(paths) == 0 {
		return nil
	}
	return []llb.LocalOption{llb.FollowPaths(paths)}
}
