package lower

import (
	"github.com/moby/buildkit/client/llb"
	"github.com/stagecraft/stagecraft/llb/plan"
)

// base returns the filesystem that a stage starts with.
func (l *lowerer) base(s *plan.Stage) llb.State {
	switch b := s.Base; {
	case b == nil:
		return l.states[s.Parent]
	case b.Context != nil:
		return l.opt.Named(s.ID, l.plan.Paths[plan.Source{Base: s.ID}])
	case b.Ref != "":
		return llb.Image(b.Ref,
			instruction(s.From),
			llb.Platform(*b.Platform),
			l.opt.ResolveMode,
			llb.WithCustomName(s.Progress),
			l.at(s.Loc),
		)
	default:
		return llb.Scratch()
	}
}
