package llbtest

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/gitutil/gitobject"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagecraft/stagecraft/llb/resolve"
)

// sources is resolve.Sources over dockerui: a small version of the frontend's,
// which package llb's tests must not import.
type sources struct {
	ui     *dockerui.Client
	target *ocispecs.Platform
}

func (s *sources) Image(ctx context.Context, ref string, p ocispecs.Platform, log string) (resolve.Image, error) {
	found, dgst, config, err := s.ui.GatewayClient().ResolveImageConfig(ctx, ref, sourceresolver.Opt{
		LogName:  log,
		ImageOpt: &sourceresolver.ResolveImageOpt{Platform: &p, ResolveMode: s.ui.ImageResolveMode.String()},
	})
	return resolve.Image{Ref: found, Digest: dgst, Config: config}, err
}

func (s *sources) HasContext(name string, p *ocispecs.Platform) (bool, error) {
	nc, err := s.named(name, p, nil)
	return nc != nil, err
}

func (s *sources) named(name string, p *ocispecs.Platform, local func() []llb.LocalOption) (*dockerui.NamedContext, error) {
	if strings.ContainsAny(name, "#({[") {
		return nil, nil // no stage but those of the Dockerfile itself has a context here
	}
	if p == nil {
		p = s.target
	}
	return s.ui.NamedContext(name, dockerui.ContextOpt{
		Platform:       p,
		ResolveMode:    s.ui.ImageResolveMode.String(),
		AsyncLocalOpts: local,
	})
}

func (s *sources) Context(ctx context.Context, name string, p *ocispecs.Platform) (*resolve.Context, error) {
	var paths []string
	nc, err := s.named(name, p, func() []llb.LocalOption { return followPaths(paths) })
	if err != nil || nc == nil {
		return nil, err
	}
	st, img, err := nc.Load(ctx)
	if err != nil || st == nil {
		return nil, err
	}
	return resolve.NewContext(ctx, st, img, func(p []string) { paths = p })
}

func followPaths(paths []string) []llb.LocalOption {
	if len(paths) == 0 {
		return nil
	}
	return []llb.LocalOption{llb.FollowPaths(paths)}
}

func (s *sources) Modified(ctx context.Context, what resolve.EpochSource) (*time.Time, error) {
	st, err := s.epochState(ctx, what)
	if err != nil {
		return nil, err
	}
	op, err := onlySource(ctx, st)
	if err != nil || op == nil {
		return nil, err
	}
	opt := sourceresolver.Opt{LogName: what.Log}
	if strings.HasPrefix(op.Identifier, "git://") {
		opt.GitOpt = &sourceresolver.ResolveGitOpt{ReturnObject: true}
	}
	md, err := s.ui.GatewayClient().ResolveSourceMetadata(ctx, op, opt)
	if err != nil {
		return nil, err
	}
	switch {
	case md.Git != nil:
		object, err := gitobject.Parse(md.Git.CommitObject)
		if err != nil {
			return nil, err
		}
		commit, err := object.ToCommit()
		if err != nil {
			return nil, err
		}
		return commit.Committer.When, nil
	case md.HTTP != nil:
		return md.HTTP.LastModified, nil
	}
	return nil, nil
}

// Digest is asked for by subrequests of the frontend only.
func (s *sources) Digest(context.Context, *resolve.Remote, string) (string, error) {
	return "", errors.New("the compiler asks for no digest")
}

func (s *sources) epochState(ctx context.Context, what resolve.EpochSource) (*llb.State, error) {
	switch {
	case what.MainContext:
		return s.ui.MainContext(ctx)
	case what.Context != "":
		nc, err := s.ui.NamedContext(what.Context, dockerui.ContextOpt{})
		if err != nil || nc == nil {
			return nil, cmp.Or(err, errors.New("there is no such context"))
		}
		st, _, err := nc.Load(ctx)
		return st, err
	case what.Remote.Git != nil:
		st := llb.Git(what.Remote.URL, "", what.Remote.GitOptions(s.ui.GitAdvice)...)
		return &st, nil
	case what.Remote != nil:
		dgst, err := what.Remote.Digest()
		st := llb.HTTP(what.Remote.URL, llb.Filename(what.Remote.Filename()), llb.Checksum(dgst))
		return &st, err
	}
	return nil, errors.New("an epoch source without a source")
}

// onlySource returns the source operation of a state, nil unless there is one.
func onlySource(ctx context.Context, st *llb.State) (*pb.SourceOp, error) {
	def, err := st.Marshal(ctx)
	if err != nil {
		return nil, err
	}
	var found *pb.SourceOp
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.UnmarshalVT(dt); err != nil {
			return nil, err
		}
		if src := op.GetSource(); src != nil {
			if found != nil {
				return nil, nil
			}
			found = src
		}
	}
	return found, nil
}
