package llbtest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/plan"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// CheckOperations reports where the operations of a definition and the steps
// of its plan do not belong together as any must: each operation that is not
// from a build context has steps, one of which gave it its name, and each step
// that changes files has an operation of its name.
func CheckOperations(ctx context.Context, c *compiler.Compiled, def *llb.Definition) error {
	made, err := c.Operations(ctx, def)
	if err != nil {
		return err
	}
	named := map[plan.StepID]bool{}
	for _, dt := range def.Def[:max(0, len(def.Def)-1)] { // the last one is the end
		dgst := digest.FromBytes(dt)
		name := def.Metadata[dgst].Description["llb.customname"]
		steps := made[dgst]
		if len(steps) == 0 {
			if !isSource(dt) {
				return fmt.Errorf("no step makes operation %q", name)
			}
			continue
		}
		ok := strings.HasPrefix(name, "[internal]") || name == ""
		for _, id := range steps {
			if fromContext(c.Plan, id) || slices.Contains(namesOf(c.Plan, id), name) {
				named[id], ok = true, true
			}
		}
		if !ok {
			return fmt.Errorf("operation %q belongs to steps of other names: %v", name, steps)
		}
		for _, id := range steps { // the daemon knows one name of several
			named[id] = named[id] || ok
		}
	}
	for id := range carriedOut(c.Plan.Graph) {
		for i, s := range c.Plan.Stage(id).Steps {
			if step := (plan.StepID{Stage: id, Index: i}); s.Op != nil && !named[step] {
				return fmt.Errorf("no operation belongs to %v: %s", step, s.Progress)
			}
		}
	}
	return nil
}

// carriedOut returns the stages whose steps the target needs. What the triggers of
// an image refer to is needed too, but where the image is only copied from,
// they do not fire.
func carriedOut(g *stage.Graph) map[stage.ID]bool {
	reached := map[stage.ID]bool{g.Target: true}
	for todo := []stage.ID{g.Target}; len(todo) > 0; todo = todo[1:] {
		if n := g.Node(todo[0]); n.Kind == stage.External || n.Replaced {
			continue
		}
		for _, e := range g.Out(todo[0]) {
			if e.Kind != stage.After && e.Kind != stage.Config && !reached[e.To] {
				reached[e.To] = true
				todo = append(todo, e.To)
			}
		}
	}
	return reached
}

func isSource(dt []byte) bool {
	var op pb.Op
	return op.UnmarshalVT(dt) == nil && op.GetSource() != nil
}

// fromContext reports whether a step is what a stage takes from a named
// context, whose operations have names of their own.
func fromContext(p *plan.Plan, id plan.StepID) bool {
	b := p.Stage(id.Stage).Base
	return id.Index == plan.BaseStep && b != nil && b.Context != nil
}

// namesOf returns the names that the operations of a step can have.
func namesOf(p *plan.Plan, id plan.StepID) []string {
	step := p.Step(id)
	if step == nil {
		names := []string{p.Stage(id.Stage).Progress}
		if q := p.Stage(id.Stage).Squash; q != nil {
			names = append(names, q.Progress)
		}
		return names
	}
	names := []string{step.Progress}
	if c, ok := step.Op.(*plan.Copy); ok {
		names = append(names, c.LinkProgress)
	}
	return names
}
