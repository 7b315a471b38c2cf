package gateway

import (
	"context"
	"fmt"
	"sync"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/util/flightcontrol"
)

// folders are the build contexts of a request. Where platforms or gates want
// the same files of one, they get the same operation, which sends them once.
type folders struct {
	states flightcontrol.CachedGroup[*llb.State]
	target sync.Map // keys of what some target wants
}

func (f *folders) open(ctx context.Context, goal Goal, name string, paths []string, open func(context.Context) (*llb.State, error)) (*llb.State, error) {
	key := fmt.Sprintf("%s %q", name, paths)
	if goal.Gate != nil {
		if _, ok := f.target.Load(key); !ok {
			key += " of a gate"
		}
	}
	st, err := f.states.Do(ctx, key, guarded(open))
	if err == nil && goal.Gate == nil {
		// Not before it is there: a gate of another platform would open it as
		// its own copy, and the target's operation would be another.
		f.target.Store(key, true)
	}
	return st, err
}

// ownCopy returns the options for a local folder. The daemon keeps a copy of what
// was sent under a hint, and makes it what is wanted now. With one copy for
// the target and its gates, which want different files, each build would have
// them sent again.
func (g Goal) ownCopy(hint string) []llb.LocalOption {
	if g.Gate == nil {
		return nil
	}
	return []llb.LocalOption{llb.SharedKeyHint(g.copyName(hint))}
}

func (g Goal) copyName(hint string) string {
	if g.Gate == nil {
		return hint
	}
	return hint + " for " + g.Gate.Name
}
