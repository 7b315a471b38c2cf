package plan

import (
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/resolve"
)

// RemoteUse is a source of ADD that is fetched: a file over HTTP or a Git
// repository, and the step that adds it.
type RemoteUse struct {
	*resolve.Remote
	Step StepID
	Loc  dockerfile.Loc
}

// Remotes returns what ADD fetches, in the order of the plan: one for each
// source of each step. Variables in it have their values.
func (p *Plan) Remotes() []RemoteUse {
	var uses []RemoteUse
	for _, s := range p.Stages {
		for i := range s.Steps {
			c, ok := s.Steps[i].Op.(*Copy)
			if !ok {
				continue
			}
			for _, src := range c.Sources {
				if r := remoteOf(src); r != nil {
					uses = append(uses, RemoteUse{r, StepID{s.ID, i}, s.Steps[i].Loc})
				}
			}
		}
	}
	return uses
}

// remoteOf returns the remote that a source is, nil for files that are there
// already.
func remoteOf(src CopySource) *resolve.Remote {
	switch src := src.(type) {
	case *Download:
		return src.Remote
	case *Checkout:
		return src.Remote
	default:
		return nil
	}
}
