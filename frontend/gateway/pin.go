package gateway

import (
	"context"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/gateway/client"
	digest "github.com/opencontainers/go-digest"
)

// pinned returns the reference to look up for an image.
func (s *Session) pinned(ref string) (string, error) {
	if s.Pin == nil {
		return ref, nil
	}
	return s.Pin(ref)
}

// pinning is a client for dockerui, which looks up the images of named
// contexts by itself.
type pinning struct {
	client.Client
	session *Session
}

func (p *pinning) ResolveImageConfig(ctx context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	ref, err := p.session.pinned(ref)
	if err != nil {
		return "", "", nil, err
	}
	return p.Client.ResolveImageConfig(ctx, ref, opt)
}

// OwnSources returns the identifiers of what is built itself: the build
// context and the Dockerfile.
func (s *Session) OwnSources(ctx context.Context) (map[string]bool, error) {
	own := map[string]bool{}
	main, err := s.UI.MainContext(ctx)
	if err != nil {
		return nil, err
	}
	for _, st := range []*llb.State{main, s.Dockerfile.State} {
		op, err := s.singleSource(ctx, *st)
		if err != nil {
			return nil, err
		}
		if op != nil {
			own[op.Identifier] = true
		}
	}
	return own, nil
}
