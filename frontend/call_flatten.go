package frontend

import (
	"context"

	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/frontend/answer"
	"github.com/stagecraft/stagecraft/frontend/flatten"
	"github.com/stagecraft/stagecraft/frontend/gateway"
	compiler "github.com/stagecraft/stagecraft/llb"
)

// flattenCall answers with one plain Dockerfile that builds the same, if it is
// the same for all platforms: docs/flatten.md.
func flattenCall(ctx context.Context, r *request) (answer.Answer, error) {
	partial := r.option("FLATTEN")
	if partial != "" && partial != "partial" {
		return answer.Answer{}, errors.Errorf("STAGECRAFT_FLATTEN=%s: the only value is partial, which leaves comments for what docker/dockerfile has no words for", partial)
	}
	var report *flatten.Report
	for _, goal := range r.goals() {
		next, err := r.flatten(ctx, goal, partial != "")
		if err != nil {
			return answer.Answer{}, err
		}
		if report != nil && report.Dockerfile != next.Dockerfile {
			return answer.Answer{}, errors.New("the platforms need different files, because a reference depends on the platform: flatten for one --platform at a time")
		}
		report = next
	}
	return answer.NewDocument(report, report.Dockerfile)
}

// flatten flattens for one platform. What cannot be had is done without: the
// answer needs no registry, but for the triggers of base images.
func (r *request) flatten(ctx context.Context, goal gateway.Goal, partial bool) (*flatten.Report, error) {
	c, again := r.compilation(ctx, goal), r.compilation(ctx, goal)
	again.Sources = gateway.Tolerate(c.Sources)
	c.Sources = again.Sources
	c.Tolerant = true // what nothing needs is written as well
	resolved, err := compiler.Graph(ctx, c.Request)
	if err != nil {
		return nil, c.locate(err)
	}
	ignores, err := r.For(goal).OwnIgnores(ctx, resolved.Graph.Contexts)
	if err != nil {
		return nil, err
	}
	report, err := flatten.New(flatten.Input{
		Graph: resolved.Graph, Target: c.Target != "", BuildArgs: c.BuildArgs, OwnIgnore: ignores, Partial: partial, Pin: r.pinned,
	})
	if err != nil || partial {
		return report, c.locate(err)
	}
	return report, again.locate(report.Verify(ctx, again.Request))
}
