package plan

import "github.com/stagecraft/stagecraft/llb/stage"

// runAgain takes a step out of the cache that FROM --no-cache or RUN --no-cache
// concern.
//
// To have a daemon carry an operation out although its result is cached is not
// enough. It would not take the next step from its cache, whose input is new.
// But for the step after that it finds a result under the operations which led
// there, and these are the same as in the build before: the old files. (With
// --no-cache-filter of the client it is so, as in docker/dockerfile.)
//
// So all that is made from the instructions of a FROM --no-cache runs again,
// too. RUN --no-cache can do better: it is another operation in each build, and
// what is made from it finds nothing under the operations. Then the daemon
// looks at the files, for a COPY and for a mount that is read, and goes on from
// its cache where these are the same.
func (e *stageEval) runAgain(step *Step, in *stage.Instruction) {
	again := e.rerun || e.out.Node.NoCache
	fresh := e.fresh || in.Flags.NoCache
	for _, ref := range in.Refs {
		if s := e.scopes[ref.Node]; s != nil {
			again = again || s.rerun
			fresh = fresh || s.fresh
		}
	}
	switch step.Op.(type) {
	case nil:
		return
	case *Run, *Copy:
		// For --no-cache of the client, docker/dockerfile takes directories from the cache.
		step.IgnoreCache = e.out.IgnoreCache
	}
	step.Fresh = in.Flags.NoCache
	step.AfterFresh = fresh && !step.Fresh
	e.fresh = fresh
	if again {
		step.IgnoreCache = true
		e.rerun = true
	}
}
