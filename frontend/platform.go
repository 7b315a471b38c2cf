package frontend

import (
	"context"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/util/bkmaps"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagecraft/stagecraft/frontend/gateway"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/crash"
)

// buildPlatforms builds for all platforms of the request at once.
func (r *request) buildPlatforms(ctx context.Context) (*built, error) {
	if caps := r.UI.BuildOpts().Caps; len(r.UI.TargetPlatforms) > 1 {
		// Else the client's library would say so after the build.
		if err := caps.Supports(gwpb.CapReturnMap); err != nil {
			return nil, err
		}
	}
	b := &built{request: r}
	var err error
	if b.summary, err = r.newSummary(); err != nil {
		return nil, err
	}
	report := r.reporter(ctx)
	b.ResultBuilder, err = r.UI.Build(ctx, func(ctx context.Context, p *ocispecs.Platform, index int) (_ *dockerui.BuildResult, err error) {
		defer crash.Recover(&err)
		c := r.compilation(ctx, gateway.Goal{Platform: p})
		if index == 0 { // the others would find the same
			c = c.warning(report, nil)
		}
		compiled, err := c.compileToBuild(ctx)
		if err != nil {
			return nil, err
		}
		ref, err := b.summary.solve(ctx, c, compiled)
		if err != nil {
			return nil, err
		}
		b.compiled.Store(platformID(p), compiled.Compiled)
		b.gates.Store(platformID(p), c.passed)
		target := compiled.Plan.Target()
		return &dockerui.BuildResult{
			Reference: ref,
			Image:     &target.Image,
			BaseImage: target.Original,
			Epoch:     compiled.Plan.Epoch,
		}, nil
	})
	return b, err
}

// built is a result that attestations may still be added to.
type built struct {
	*dockerui.ResultBuilder
	request  *request
	compiled bkmaps.SyncMap[string, *compiler.Compiled] // by platformID
	summary  *summary
	gates    bkmaps.SyncMap[string, []client.Reference] // by platformID
}

// platformID returns how results name a platform; nil is this machine's.
func platformID(p *ocispecs.Platform) string {
	if p == nil {
		return platforms.FormatAll(platforms.Normalize(platforms.DefaultSpec()))
	}
	return platforms.FormatAll(platforms.Normalize(*p))
}
