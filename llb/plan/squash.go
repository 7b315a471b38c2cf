package plan

import (
	"github.com/stagecraft/stagecraft/llb/stage"
)

// Squash is FROM --squash=all.
type Squash struct {
	// Progress is the name of the step.
	Progress string
	// IgnoreCache and AfterFresh are as for a Step.
	IgnoreCache, AfterFresh bool
}

// squash makes one layer of all that the stage has from its base: the history
// keeps what was done, but only the last entry stands for a layer.
func (e *stageEval) squash(n *stage.Node) {
	if !n.Squash || n.Replaced {
		return
	}
	img := &e.out.Image
	for i := range img.History {
		img.History[i].EmptyLayer = true
	}
	title := title(e.lex, n.From.SourceCode, &e.unit.Globals.Env)
	e.out.Squash = &Squash{
		Progress:    e.progress.next(title, &e.out.Platform, &e.env),
		IgnoreCache: e.rerun || e.out.IgnoreCache,
		AfterFresh:  e.fresh,
	}
	e.commitOp("FROM --squash=all " + n.Ref)
	e.readOf(n.ID, "/")
}
