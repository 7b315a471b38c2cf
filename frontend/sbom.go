package frontend

import (
	"context"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/attestations/sbom"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/result"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/crash"
)

// scanner returns the SBOM generator that the client asks for, nil for none.
func (r *request) scanner(ctx context.Context) (sbom.Scanner, error) {
	if r.UI.SBOM == nil {
		return nil, nil
	}
	platform := r.UI.BuildPlatforms[0]
	return sbom.CreateSBOMScanner(ctx, r.Client, r.UI.SBOM.Generator, platform, sourceresolver.Opt{
		ImageOpt: &sourceresolver.ResolveImageOpt{
			ResolveMode: r.opts["image-resolve-mode"],
			Platform:    &platform,
		},
	}, r.UI.SBOM.Parameters)
}

// scan adds an SBOM for each platform.
func (b *built) scan(ctx context.Context, scanner sbom.Scanner) error {
	if scanner == nil {
		return nil
	}
	return b.EachPlatform(ctx, func(ctx context.Context, id string, _ ocispecs.Platform) (err error) {
		defer crash.Recover(&err)
		compiled, ok := b.compiled.Load(id)
		if !ok {
			return errors.Errorf("no scan targets for %s", id)
		}
		var opts []llb.ConstraintsOpt
		if compiled.IgnoreCache {
			opts = append(opts, llb.IgnoreCache)
		}
		att, err := scanner(ctx, id, compiled.State, compiled.Scan, opts...)
		if err != nil {
			return err
		}
		solved, err := result.ConvertAttestation(&att, func(st *llb.State) (client.Reference, error) {
			def, err := st.Marshal(ctx)
			if err != nil {
				return nil, err
			}
			res, err := b.request.Client.Solve(ctx, client.SolveRequest{Definition: def.ToPB()})
			if err != nil {
				return nil, err
			}
			return res.Ref, nil
		})
		if err != nil {
			return err
		}
		b.AddAttestation(id, *solved)
		return nil
	})
}
