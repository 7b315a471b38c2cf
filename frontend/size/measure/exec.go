package measure

import (
	"encoding/json"
	"runtime"

	"github.com/moby/buildkit/solver/pb"
	"github.com/stagecraft/stagecraft/frontend/size/walk"
)

// step is a measuring step in the making.
type step struct {
	spec walk.Spec
	// states are mounted below [walk.Root] under the numbers that they have here.
	states  []*pb.Input
	numbers map[outputKey]int
}

// mount returns the number of a state, [walk.Nothing] for the empty one.
func (s *step) mount(state *pb.Input) int {
	if state == nil {
		return walk.Nothing
	}
	number, ok := s.numbers[key(state)]
	if !ok {
		number = len(s.states)
		s.numbers[key(state)] = number
		s.states = append(s.states, state)
	}
	return number
}

// The outputs of a measuring step: the root filesystem, which nobody wants, and the results.
const (
	rootOutput   = 0
	resultOutput = 1
)

// exec returns the operation of a step, and what the daemon must be capable of. It runs as root, so that it may
// look into all folders, and without a network. The states are read-only, and told apart by how they were made:
// to read their content for a cache key would take longer than to measure them.
func (d *definer) exec(s *step, below *pb.Input) (*pb.Op, []string, error) {
	op := &pb.Op{Platform: &pb.Platform{OS: "linux", Architecture: runtime.GOARCH}}
	mount := func(state *pb.Input) int64 {
		if state == nil {
			return int64(pb.Empty)
		}
		for i, in := range op.Inputs {
			if key(in) == key(state) {
				return int64(i)
			}
		}
		op.Inputs = append(op.Inputs, state)
		return int64(len(op.Inputs) - 1)
	}
	mounts := []*pb.Mount{{Input: mount(d.root), Dest: pb.RootMount, Output: rootOutput}}
	caps := []string{string(pb.CapExecMetaBase), string(pb.CapExecMetaNetwork), string(pb.CapExecMountBind)}
	cache := pb.MountContentCache_DEFAULT
	if d.program.Caps.Supports(pb.CapExecMountContentCache) == nil {
		cache = pb.MountContentCache_OFF
		caps = append(caps, string(pb.CapExecMountContentCache))
	}
	for i, state := range s.states {
		mounts = append(mounts, &pb.Mount{
			Input:        mount(state),
			Dest:         walk.Mount(walk.Root, i),
			Output:       int64(pb.SkipOutput),
			Readonly:     true,
			ContentCache: cache,
		})
	}
	if below != nil {
		s.spec.Below = true
		mounts = append(mounts, &pb.Mount{Input: mount(below), Dest: walk.Below, Output: int64(pb.SkipOutput), Readonly: true})
	}
	mounts = append(mounts, &pb.Mount{Input: int64(pb.Empty), Dest: walk.Out, Output: resultOutput})
	spec, err := json.Marshal(s.spec)
	if err != nil {
		return nil, nil, err
	}
	op.Op = &pb.Op_Exec{Exec: &pb.ExecOp{
		Meta:    &pb.Meta{Args: []string{d.program.Path, Argument, string(spec)}, Cwd: "/"},
		Mounts:  mounts,
		Network: pb.NetMode_NONE,
	}}
	return op, caps, nil
}

// collection puts the results of several steps into one folder.
type collection struct {
	op    *pb.Op
	files *pb.FileOp
}

func (c *collection) add(result *pb.Input, name string) {
	number := len(c.files.Actions)
	for _, a := range c.files.Actions {
		a.Output = int64(pb.SkipOutput)
	}
	c.files.Actions = append(c.files.Actions, &pb.FileAction{SecondaryInput: int64(number), Output: 0, Action: &pb.FileAction_Copy{
		Copy: &pb.FileActionCopy{Src: "/" + walk.ResultFile, Dest: "/" + name, Mode: -1, Timestamp: -1},
	}})
	c.op.Inputs = append(c.op.Inputs, result)
	for i, a := range c.files.Actions {
		a.Input = int64(pb.Empty)
		if i > 0 { // the output of the action before, which counts after the inputs
			a.Input = int64(len(c.op.Inputs) + i - 1)
		}
	}
}
