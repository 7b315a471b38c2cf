package lower

import (
	"github.com/moby/buildkit/client/llb"
	"github.com/stagecraft/stagecraft/llb/plan"
)

// squash copies a filesystem into an empty one, which makes one layer of it.
// One copy keeps hard links, owners, modes, times and extended attributes of all
// that is below the root.
func (l *lowerer) squash(st llb.State, s *plan.Stage) llb.State {
	opts := []llb.ConstraintsOpt{llb.WithCustomName(s.Squash.Progress), l.at(s.Loc), llb.Platform(s.Platform)}
	if l.ignoresCache(&plan.Step{IgnoreCache: s.Squash.IgnoreCache, AfterFresh: s.Squash.AfterFresh}) {
		opts = append(opts, llb.IgnoreCache)
	}
	all := &llb.CopyInfo{CopyDirContentsOnly: true}
	return llb.Scratch().File(llb.Copy(st, "/", "/", all), opts...)
}
