package lower

import (
	"context"

	"github.com/moby/buildkit/client/llb"
	digest "github.com/opencontainers/go-digest"
	"github.com/stagecraft/stagecraft/llb/plan"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// Stage returns the filesystem of an evaluated stage, or of an image that an
// instruction refers to, ready to be marshaled. False: the plan does not have
// it.
func (r *Result) Stage(id stage.ID) (llb.State, bool) {
	return r.After(plan.StepID{Stage: id, Index: len(r.steps[id]) - 2})
}

// After returns the filesystem of a stage after one of its steps, ready to be
// marshaled; after [plan.BaseStep] it is the base. A step that changes only
// the config leaves what was there before. False: the plan does not have it.
func (r *Result) After(step plan.StepID) (llb.State, bool) {
	states, i := r.steps[step.Stage], step.Index-plan.BaseStep
	if i < 0 || i >= len(states) {
		return llb.State{}, false
	}
	return states[i].SetMarshalDefaults(r.defaults...), true
}

// Operations returns which steps of the plan make an operation, in the order
// of the plan: several where stages do the same. A step may make several
// operations, or none. What no step makes, a build context and the end of a
// definition, is absent.
//
// The digests are those of def, which is a state of this result that was
// marshaled: each marshaling gives local sources another digest, and so all
// that stands on them.
func (r *Result) Operations(ctx context.Context, def *llb.Definition) (map[digest.Digest][]plan.StepID, error) {
	w := &walk{constraints: def.Constraints, seen: map[llb.Vertex]bool{}, made: map[digest.Digest][]plan.StepID{}}
	for _, st := range r.contexts {
		if err := w.add(ctx, st.Output(), nil); err != nil {
			return nil, err
		}
	}
	for _, id := range r.order {
		for i, st := range r.steps[id] {
			step := plan.StepID{Stage: id, Index: i + plan.BaseStep}
			if err := w.add(ctx, st.Output(), &step); err != nil {
				return nil, err
			}
		}
	}
	return w.made, nil
}

// walk goes through the operations of one state after the other. What it has
// not seen before belongs to the step that made the state.
type walk struct {
	constraints *llb.Constraints
	seen        map[llb.Vertex]bool
	made        map[digest.Digest][]plan.StepID
}

func (w *walk) add(ctx context.Context, out llb.Output, step *plan.StepID) error {
	if out == nil {
		return nil // the empty filesystem
	}
	v := out.Vertex(ctx, w.constraints)
	if v == nil || w.seen[v] {
		return nil
	}
	w.seen[v] = true
	for _, in := range v.Inputs() {
		if err := w.add(ctx, in, step); err != nil {
			return err
		}
	}
	dgst, _, _, _, err := v.Marshal(ctx, w.constraints)
	if err != nil {
		return err
	}
	if step != nil {
		w.made[dgst] = append(w.made[dgst], *step)
	}
	return nil
}
