package frontend

import (
	"context"

	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/stagecraft/stagecraft/llb/crash"
)

// Build answers one request of BuildKit's gateway: it builds, or answers a
// subrequest, or passes the build on to the frontend that the Dockerfile
// names. Errors of the Dockerfile carry its source and ranges.
func Build(ctx context.Context, c client.Client) (*client.Result, error) {
	res, err := build(ctx, c)
	return res, outgoingError(err, c.BuildOpts().Opts)
}

func build(ctx context.Context, c client.Client) (_ *client.Result, err error) {
	defer crash.Recover(&err)
	req, err := newRequest(ctx, c)
	if err != nil {
		return nil, err
	}
	if res, forwarded, err := req.forward(ctx); forwarded {
		return res, err
	}
	if err := req.unsupported; err != nil {
		return nil, err
	}
	if err := req.checkOptions(); err != nil {
		return nil, err
	}
	if err := req.useLock(ctx); err != nil {
		return nil, err
	}
	if res, asked, err := req.call(ctx); asked {
		return res, err
	}
	scanner, err := req.scanner(ctx)
	if err != nil {
		return nil, err
	}
	withGates, err := req.cachesGates()
	if err != nil {
		return nil, err
	}
	built, err := req.buildPlatforms(ctx)
	if err != nil {
		return nil, err
	}
	if err := built.scan(ctx, scanner); err != nil {
		return nil, err
	}
	if withGates {
		built.cacheGates()
	}
	res, err := built.Finalize()
	if err != nil {
		return nil, err
	}
	return res, built.summary.addTo(res)
}
