package frontend

import (
	"context"
	"maps"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"github.com/pkg/errors"
)

const (
	syntaxArg = "build-arg:BUILDKIT_SYNTAX"
	// cmdline is set by the frontend that forwards: what it forwards to must
	// build, whatever the file says.
	cmdline = "cmdline"
)

// forward passes the build on to the frontend that BUILDKIT_SYNTAX or the
// file's syntax directive names, if there is one and nobody forwarded before.
func (r *request) forward(ctx context.Context) (_ *client.Result, forwarded bool, _ error) {
	if _, ok := r.opts[cmdline]; ok {
		return nil, false, nil
	}
	if line, ok := r.opts[syntaxArg]; ok {
		ref, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		res, err := r.forwardTo(ctx, ref, line)
		if err != nil && len(errdefs.Sources(err)) == 0 {
			err = errors.Wrapf(err, "failed with %s = %s", syntaxArg, line)
		}
		return res, true, err
	}
	if ref, line, loc, ok := parser.DetectSyntax(r.Dockerfile.Data); ok {
		res, err := r.forwardTo(ctx, ref, line)
		if err != nil && len(errdefs.Sources(err)) == 0 {
			err = withSource(err, r.Dockerfile.SourceMap, loc)
		}
		return res, true, err
	}
	return nil, false, nil
}

func (r *request) forwardTo(ctx context.Context, ref, line string) (*client.Result, error) {
	opts := maps.Clone(r.opts)
	opts[cmdline] = line
	opts["source"] = ref
	inputs, err := r.inputs(ctx)
	if err != nil {
		return nil, err
	}
	return r.Client.Solve(ctx, client.SolveRequest{
		Frontend:       "gateway.v0",
		FrontendOpt:    opts,
		FrontendInputs: inputs,
	})
}

// inputs returns the states that the client gave as contexts.
func (r *request) inputs(ctx context.Context) (map[string]*pb.Definition, error) {
	caps := r.UI.BuildOpts().Caps
	if caps.Supports(gwpb.CapFrontendInputs) != nil {
		return nil, nil // a daemon from before there were inputs
	}
	states, err := r.Client.Inputs(ctx)
	if err != nil {
		return nil, errors.Wrap(err, "failed to get frontend inputs")
	}
	inputs := map[string]*pb.Definition{}
	for name, st := range states {
		def, err := st.Marshal(ctx)
		if err != nil {
			return nil, err
		}
		inputs[name] = def.ToPB()
	}
	return inputs, nil
}
