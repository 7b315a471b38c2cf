package frontend

import (
	"context"
	"maps"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/frontend/answer"
	"github.com/stagecraft/stagecraft/frontend/docker"
	"github.com/stagecraft/stagecraft/frontend/gateway"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/plan"
)

// checkCall lists the findings of the build checks: of all stages, unless the
// client names a target: of what that needs, and of its gates. An error of the
// build is one of the findings.
func checkCall(ctx context.Context, r *request) (answer.Answer, error) {
	c := r.compilation(ctx, gateway.Goal{})
	c.EveryStage = c.Target == ""
	check := docker.NewCheck(c.sourceMap(0))
	if p, known, ok := c.check(ctx, check, nil); ok && !c.EveryStage {
		for _, gate := range compiler.Gates(p) {
			_, found, ok := c.gate(ctx, gate).check(ctx, check, maps.Clone(known))
			if !ok {
				break
			}
			maps.Copy(known, found)
		}
	}
	results, version := check.Results()
	a, err := upstream(results.ToResult(nil))
	a.Version = version
	return a, err
}

// check collects the findings of a compilation but for those found before. It
// ends with the first that has an error.
func (c *compilation) check(ctx context.Context, check *docker.Check, before findings) (*plan.Plan, findings, bool) {
	found := findings{}
	c.Warn = func(file dockerfile.FileID, rule, description, url, msg string, where []parser.Range) {
		if finding := c.finding(file, rule, msg, where); !before[finding] {
			found[finding] = true
			check.Warn(c.sourceMap(file), rule, description, url, msg, where)
		}
	}
	p, err := compiler.Evaluate(ctx, c.Request)
	if err == nil {
		return p, found, true
	}
	var where [][]parser.Range
	if located := new(parser.LocationError); errors.As(err, &located) {
		where = located.Locations
	}
	check.Fail(errorText(c.withWay(err), c.request.opts), c.sourceMap(dockerfile.FileOf(err)), where)
	return nil, nil, false
}
