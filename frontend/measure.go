package frontend

import (
	"context"
	"encoding/json"
	"os"

	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	digest "github.com/opencontainers/go-digest"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/frontend/size"
	"github.com/stagecraft/stagecraft/frontend/size/measure"
	"github.com/stagecraft/stagecraft/frontend/size/walk"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// size builds the target for the first of the platforms, with its gates, and measures all stages that were built.
func (r *request) size(ctx context.Context) (*size.Report, error) {
	program, err := r.measuringProgram()
	if err != nil {
		return nil, err
	}
	c := r.compilation(ctx, r.goal()).warning(r.reporter(ctx), nil)
	target, err := c.compileToBuild(ctx)
	if err != nil {
		return nil, err
	}
	_, gates, err := c.solveNow(ctx, target)
	if err != nil {
		return nil, err
	}
	return c.sizeOf(ctx, program, target, gates)
}

// sizeOf measures what was built.
func (c *compilation) sizeOf(ctx context.Context, program measure.Program, target *compiled, gates []*compiled) (*size.Report, error) {
	in := size.Input{Platform: stage.NewPlatforms(c.TargetPlatform, c.BuildPlatforms).Target}
	var err error
	if in.Target, err = c.request.measure(ctx, program, target.Compiled); err != nil {
		return nil, err
	}
	for _, gate := range gates {
		measured, err := c.request.measure(ctx, program, gate.Compiled)
		if err != nil {
			return nil, err
		}
		in.Gates = append(in.Gates, measured)
	}
	return size.New(in), nil
}

// measuringProgram is this program in its image, to be run as a step of a build.
func (r *request) measuringProgram() (measure.Program, error) {
	image, err := r.Frontend()
	if err != nil {
		return measure.Program{}, err
	}
	if image == nil {
		return measure.Program{}, errors.New("sizes are measured by a step that runs the frontend's own image, and this daemon does not tell which image that is; " +
			"upgrade to Docker Engine 23 or BuildKit 0.11, or newer")
	}
	path, err := os.Executable()
	return measure.Program{Image: *image, Path: path, Caps: r.UI.BuildOpts().LLBCaps}, err
}

// measure has the daemon measure the stages of what was solved before.
func (r *request) measure(ctx context.Context, program measure.Program, c *compiler.Compiled) (size.Goal, error) {
	goal := size.Goal{Plan: c.Plan, Results: map[stage.ID]*walk.Result{}}
	images, err := measure.New(ctx, c, c.Solved)
	if err != nil {
		return goal, err
	}
	layers := map[digest.Digest]int{}
	for dgst, image := range images.List {
		if layers[dgst], err = r.Layers(ctx, image.Source, image.Platform); err != nil {
			return goal, err
		}
	}
	def, err := images.Define(ctx, program, layers)
	if err != nil || def.Definition == nil {
		return goal, err
	}
	goal.Chains = def.Stages
	res, err := r.Client.Solve(ctx, client.SolveRequest{Evaluate: true, Definition: def.Definition})
	if err != nil {
		return goal, errors.WithMessage(err, "measuring")
	}
	ref, err := res.SingleRef()
	if err != nil {
		return goal, err
	}
	for id, chain := range def.Stages {
		data, err := dockerui.ReadFile(ctx, ref, chain.File)
		if err != nil {
			return goal, errors.WithMessage(err, "measuring")
		}
		goal.Results[id] = &walk.Result{}
		if err := json.Unmarshal(data, goal.Results[id]); err != nil {
			return goal, errors.WithMessage(err, "measuring")
		}
	}
	return goal, nil
}
