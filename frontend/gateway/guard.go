package gateway

import (
	"context"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	"github.com/stagecraft/stagecraft/llb/crash"
)

// guarded returns f for a flightcontrol group, which runs it in a goroutine
// of its own.
func guarded[T any](f func(context.Context) (T, error)) func(context.Context) (T, error) {
	return func(ctx context.Context) (T, error) {
		return crash.Guard(func() (T, error) { return f(ctx) })
	}
}

// guardedClient makes errors of the panics of a client: dockerui calls it in
// goroutines that are not ours.
type guardedClient struct{ client.Client }

func (g guardedClient) ResolveImageConfig(ctx context.Context, ref string, opt sourceresolver.Opt) (_ string, _ digest.Digest, _ []byte, err error) {
	defer crash.Recover(&err)
	return g.Client.ResolveImageConfig(ctx, ref, opt)
}

func (g guardedClient) ResolveSourceMetadata(ctx context.Context, op *pb.SourceOp, opt sourceresolver.Opt) (_ *sourceresolver.MetaResponse, err error) {
	defer crash.Recover(&err)
	return g.Client.ResolveSourceMetadata(ctx, op, opt)
}

func (g guardedClient) Solve(ctx context.Context, req client.SolveRequest) (_ *client.Result, err error) {
	defer crash.Recover(&err)
	return g.Client.Solve(ctx, req)
}

func (g guardedClient) Inputs(ctx context.Context) (_ map[string]llb.State, err error) {
	defer crash.Recover(&err)
	return g.Client.Inputs(ctx)
}

func (g guardedClient) Warn(ctx context.Context, dgst digest.Digest, msg string, opts client.WarnOpts) (err error) {
	defer crash.Recover(&err)
	return g.Client.Warn(ctx, dgst, msg, opts)
}
