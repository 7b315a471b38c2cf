package measure

import (
	"context"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/plan"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// Image is an image that a base consists of, as the operation that fetches it.
type Image struct {
	Source   *pb.SourceOp
	Platform *pb.Platform
}

// Images are the layers of a compiled Dockerfile whose number the daemon has to tell before a [Definition] can
// be made.
type Images struct {
	*Plan
	// List are the images by the digests of their operations.
	List map[digest.Digest]Image
}

// Plan is what is to be measured of a compiled Dockerfile: its stages, in the order of the plan.
type Plan struct {
	graph    *graph
	segments []*segment
	byStage  map[stage.ID]*segment
}

// segment is what one step measures: the layers of a stage above its base, or those of a base that is no stage.
type segment struct {
	name  string
	below *segment // nil at the bottom
	// parts are the layers together with the steps that made them.
	parts []part
}

type part struct {
	layer
	step plan.StepID
}

// New returns what is to be measured of all stages that a compiled Dockerfile needs. The definition is what was
// solved of it.
func New(ctx context.Context, c *compiler.Compiled, solved *llb.Definition) (*Images, error) {
	p := &Plan{graph: newGraph(solved.Constraints), byStage: map[stage.ID]*segment{}}
	bases := map[outputKey]*segment{}
	for _, s := range c.Plan.Stages {
		if s.Node.Kind != stage.Stage {
			continue
		}
		if err := p.add(ctx, c, s, bases); err != nil {
			return nil, err
		}
	}
	images := &Images{Plan: p, List: map[digest.Digest]Image{}}
	for _, s := range p.segments {
		for _, l := range s.parts {
			if l.image {
				op := p.graph.ops[digest.Digest(l.upper.Digest)]
				images.List[digest.Digest(l.upper.Digest)] = Image{Source: op.GetSource(), Platform: op.Platform}
			}
		}
	}
	return images, nil
}

// add adds a stage, and its base where that is no stage. Stages on the same image share its segment.
func (p *Plan) add(ctx context.Context, c *compiler.Compiled, s *plan.Stage, bases map[outputKey]*segment) error {
	base := plan.StepID{Stage: s.ID, Index: plan.BaseStep}
	before, err := p.after(ctx, c, base)
	if err != nil {
		return err
	}
	own := &segment{name: stageName(s)}
	if s.Base == nil {
		own.below = p.byStage[s.Node.Base]
	} else if before != nil {
		if bases[key(before)] == nil {
			fetched := &segment{name: "base of " + own.name}
			if err := p.fill(fetched, before, nil, base); err != nil {
				return err
			}
			bases[key(before)] = fetched
			p.segments = append(p.segments, fetched)
		}
		own.below = bases[key(before)]
	}
	for i := range s.Steps {
		step := plan.StepID{Stage: s.ID, Index: i}
		now, err := p.after(ctx, c, step)
		if err != nil {
			return err
		}
		if err := p.fill(own, now, before, step); err != nil {
			return err
		}
		before = now
	}
	p.byStage[s.ID] = own
	p.segments = append(p.segments, own)
	return nil
}

func (p *Plan) after(ctx context.Context, c *compiler.Compiled, step plan.StepID) (*pb.Input, error) {
	st, _ := c.After(step) // what the plan does not have is empty, and so it has no layers
	return p.graph.state(ctx, st)
}

func (p *Plan) fill(s *segment, now, before *pb.Input, step plan.StepID) error {
	layers, err := p.graph.layers(now, before)
	for _, l := range layers {
		s.parts = append(s.parts, part{l, step})
	}
	return err
}

func stageName(s *plan.Stage) string {
	switch {
	case s.Node.Label != "":
		return s.Node.Label
	case s.Node.Name != "":
		return s.Node.Name
	default:
		return "the stage"
	}
}
