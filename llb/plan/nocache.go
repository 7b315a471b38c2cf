package plan

import "github.com/stagecraft/stagecraft/llb/stage"

// runAgain takes a step out of the cache that FROM --no-cache or RUN --no-cache
// concern, and all that is made from it. The daemon would not take the next
// step from its cache, whose input is new. But for the step after that it
// finds a result under the operations which led there, and these are the same
// as in the build before: the old files. For --no-cache-filter of the client it
// stays so, as in docker/dockerfile.
func (e *stageEval) runAgain(step *Step, in *stage.Instruction) {
	again := e.rerun || e.out.Node.NoCache || in.Flags.NoCache
	for _, ref := range in.Refs {
		if s := e.stageNode(ref.Node); s != nil && s.scope.rerun {
			again = true
		}
	}
	switch step.Op.(type) {
	case nil:
		return
	case *Run, *Copy:
		// For --no-cache of the client, docker/dockerfile takes directories from the cache.
		step.IgnoreCache = e.out.IgnoreCache
	}
	if again {
		step.IgnoreCache = true
		e.rerun = true
	}
}
