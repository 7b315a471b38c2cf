package frontend

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/moby/buildkit/frontend/gateway/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/frontend/answer"
	"github.com/stagecraft/stagecraft/frontend/digests"
	"github.com/stagecraft/stagecraft/frontend/gateway"
	"github.com/stagecraft/stagecraft/frontend/size/measure"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/plan"
	"github.com/stagecraft/stagecraft/llb/stage"
)

const digestsBefore = "BEFORE"

// digestsCall answers with the digests of all steps for the first of the platforms, or with what differs from an
// earlier answer. Nothing is built.
func digestsCall(ctx context.Context, r *request) (answer.Answer, error) {
	var before *digests.Report
	if file := r.option(digestsBefore); file != "" {
		data, err := r.ReadFile(ctx, dockerfile.BesideDockerfile, file)
		if err == nil {
			before, err = digests.ReadBefore(data)
		}
		if err != nil {
			return answer.Answer{}, errors.WithMessagef(err, "--build-arg STAGECRAFT_%s=%s", digestsBefore, file)
		}
	}
	program, err := r.measuringProgram()
	if err != nil {
		return answer.Answer{}, err
	}
	report, err := r.digests(ctx, program)
	if err != nil {
		return answer.Answer{}, err
	}
	status := answer.None
	if before != nil {
		report.Compare(before)
		status = answer.Judge(!report.Failed())
	}
	a, err := answer.New(report, report.Text())
	a.Status = status
	return a, err
}

func (r *request) digests(ctx context.Context, program measure.Program) (*digests.Report, error) {
	var platform *ocispecs.Platform
	if len(r.UI.TargetPlatforms) > 0 {
		platform = &r.UI.TargetPlatforms[0]
	}
	c := r.compilation(ctx, gateway.Goal{Platform: platform})
	target, err := c.compileToBuild(ctx)
	if err != nil {
		return nil, err
	}
	gates, err := c.compileGates(ctx, compiler.Gates(target.Plan))
	if err != nil {
		return nil, err
	}
	in := digests.Input{Platform: stage.NewPlatforms(platform, c.BuildPlatforms).Target}
	if in.Target, err = r.contents(ctx, program, target); err != nil {
		return nil, err
	}
	for _, gate := range gates {
		goal, err := r.contents(ctx, program, gate)
		if err != nil {
			return nil, err
		}
		in.Gates = append(in.Gates, goal)
	}
	return digests.New(in), nil
}

// contents has the daemon list the files that steps take from contexts.
func (r *request) contents(ctx context.Context, program measure.Program, c *compiled) (digests.Goal, error) {
	goal := digests.Goal{Plan: c.Plan, Files: map[plan.StepID][]digests.File{}, Options: r.programOptions()}
	var err error
	if goal.Ignore, err = c.by.ignoreFiles(ctx, c.Plan); err != nil {
		return goal, err
	}
	def, err := c.definition(ctx)
	if err != nil {
		return goal, err
	}
	contents, err := measure.ListContents(ctx, c.Compiled, def, program)
	if err != nil || contents.Definition == nil {
		return goal, err
	}
	res, err := r.Client.Solve(ctx, client.SolveRequest{Evaluate: true, Definition: contents.Definition})
	if err != nil {
		return goal, err
	}
	ref, err := res.SingleRef()
	if err != nil {
		return goal, err
	}
	folders := make([][]digests.File, contents.Count)
	for i := range folders {
		data, err := readAll(ctx, ref, digests.ListFile(i))
		if err != nil {
			return goal, errors.WithMessage(err, "listing files")
		}
		if err := json.Unmarshal(data, &folders[i]); err != nil {
			return goal, errors.WithMessage(err, "listing files")
		}
	}
	for id, taken := range contents.Taken {
		for _, t := range taken {
			files, err := t.Of(folders[t.Folder])
			if err != nil {
				return goal, err
			}
			goal.Files[id] = append(goal.Files[id], files...)
		}
	}
	return goal, nil
}

// readAll reads a file in parts, because a message of the gateway has 16 MiB at most.
func readAll(ctx context.Context, ref client.Reference, name string) ([]byte, error) {
	const part = 4 << 20
	var all []byte
	for {
		data, err := ref.ReadFile(ctx, client.ReadRequest{Filename: name, Range: &client.FileRange{Offset: len(all), Length: part}})
		if err != nil {
			return nil, err
		}
		if all = append(all, data...); len(data) < part {
			return all, nil
		}
	}
}

// ignoreFiles returns the ignore files of the build contexts of a plan, with a digest of what they say.
func (c *compilation) ignoreFiles(ctx context.Context, p *plan.Plan) (map[stage.ContextID]digests.Named, error) {
	files := map[stage.ContextID]digests.Named{}
	for i, other := range p.Graph.Contexts {
		var patterns []string
		var file string
		var err error
		if i == 0 {
			patterns, err = c.Ignore(ctx)
		} else if c.OtherIgnore != nil {
			patterns, file, err = c.OtherIgnore(ctx, other)
		}
		if err != nil {
			return nil, err
		}
		files[stage.ContextID(i)] = digests.Named{Name: cmp.Or(file, ".dockerignore"), Value: digests.Digest(patterns)}
	}
	return files, nil
}

// programOptions returns the options of the client on which all programs depend.
func (r *request) programOptions() []digests.Named {
	ui := &r.UI.Config
	var ulimits []string
	for _, u := range ui.Ulimits {
		ulimits = append(ulimits, fmt.Sprintf("%s=%d:%d", u.Name, u.Soft, u.Hard))
	}
	return []digests.Named{
		{Name: "--network", Value: ui.NetworkMode.String()},
		{Name: "hostname", Value: ui.Hostname},
		{Name: "--ulimit", Value: strings.Join(ulimits, " ")},
		{Name: "--shm-size", Value: fmt.Sprint(ui.ShmSize)},
		{Name: "--cgroup-parent", Value: ui.CgroupParent},
	}
}
