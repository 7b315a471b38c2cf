package frontend

import (
	"context"

	"github.com/stagecraft/stagecraft/frontend/answer"
	"github.com/stagecraft/stagecraft/frontend/diagram"
	"github.com/stagecraft/stagecraft/frontend/gateway"
	"github.com/stagecraft/stagecraft/frontend/view"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// The subrequests that draw the stages: docs/graph.md.

// graphCall answers with the graph as JSON and, for people, as draw has it.
func graphCall(draw func(*diagram.Graph) string) func(context.Context, *request) (answer.Answer, error) {
	return func(ctx context.Context, r *request) (answer.Answer, error) {
		g, err := r.graph(ctx)
		if err != nil {
			return answer.Answer{}, err
		}
		return answer.New(g, draw(g))
	}
}

// graph returns the view of the stages for the first of the target platforms.
// Findings of the build checks are left to --call=check.
func (r *request) graph(ctx context.Context) (*diagram.Graph, error) {
	c := r.compilation(ctx, r.goal())
	src := gateway.Tolerate(c.Sources)
	c.Sources = src
	c.Tolerant = true
	resolved, err := compiler.Expanded(ctx, c.Request)
	if err != nil {
		return nil, c.locate(err)
	}
	return diagram.New(view.New(resolved, view.Options{
		Platform:   stage.NewPlatforms(c.TargetPlatform, c.BuildPlatforms).Target,
		FileName:   func(id dockerfile.FileID) string { return c.Files.Source(id).Name() },
		Unresolved: src.Unresolved,
	})), nil
}
