package frontend

import (
	"context"

	"github.com/stagecraft/stagecraft/frontend/answer"
	"github.com/stagecraft/stagecraft/frontend/docker"
	"github.com/stagecraft/stagecraft/frontend/gateway"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/plan"
)

// outlineCall lists the args, secrets and agents of the target, and what UNSET
// removes from it.
func outlineCall(ctx context.Context, r *request) (answer.Answer, error) {
	c := r.compilation(ctx, gateway.Goal{}).warning(r.reporter(ctx), nil)
	p, err := c.evaluate(ctx)
	if err != nil {
		return answer.Answer{}, err
	}
	sources := docker.NewSources(r.Dockerfile.Filename, r.Dockerfile.Data)
	asked := c.outline(p, sources)
	for _, gate := range compiler.Gates(p) {
		// A build needs what its gates need.
		g := c.gate(ctx, gate)
		gated, err := g.evaluate(ctx)
		if err != nil {
			return answer.Answer{}, err
		}
		asked.Add(g.outline(gated, sources))
	}
	target := p.Target()
	o := docker.NewOutline(p.Graph.TargetName(target.ID), target.Node.From.DocComment, asked, sources)
	a, err := upstream(o.ToResult())
	if err != nil {
		return a, err
	}
	return o.Extend(a)
}

// outline returns what a plan of the compilation asks for, located in an answer.
func (c *compilation) outline(p *plan.Plan, sources *docker.Sources) plan.Outline {
	return p.Outline().Relocate(func(loc dockerfile.Loc) dockerfile.Loc { return sources.In(c.Files, loc) })
}
