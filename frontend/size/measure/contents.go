package measure

import (
	"context"
	"runtime"
	"strconv"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	"github.com/stagecraft/stagecraft/frontend/digests"
	"github.com/stagecraft/stagecraft/frontend/size/walk"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/plan"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// ListArgument is the first argument of the program when it is to list files. The second is the number of folders.
const ListArgument = "list"

// Contents are the folders from outside that steps take files of.
type Contents struct {
	// Definition lists them; nil where there are none. List N is in [digests.ListFile].
	*pb.Definition
	// Taken are what each step takes of which folder.
	Taken map[plan.StepID][]Taken
	// Count of folders.
	Count int
}

// Taken is a part of a numbered folder.
type Taken struct {
	Folder int
	digests.Selection
}

// ListContents returns the LLB that lists what the steps of a compiled Dockerfile take from contexts.
func ListContents(ctx context.Context, c *compiler.Compiled, marshaled *llb.Definition, program Program) (*Contents, error) {
	l := &lister{graph: newGraph(marshaled.Constraints), compiled: c, numbers: map[outputKey]int{}}
	l.out.Taken = map[plan.StepID][]Taken{}
	for _, s := range c.Plan.Stages {
		if err := l.stage(ctx, s); err != nil {
			return nil, err
		}
	}
	l.out.Count = len(l.folders)
	if l.out.Count == 0 {
		return &l.out, nil
	}
	root, err := l.graph.state(ctx, program.Image)
	if err != nil {
		return nil, err
	}
	op := &pb.Op{Platform: &pb.Platform{OS: "linux", Architecture: runtime.GOARCH}, Inputs: append([]*pb.Input{root}, l.folders...)}
	mounts := []*pb.Mount{{Input: 0, Dest: pb.RootMount, Output: rootOutput}}
	for i := range l.folders {
		mounts = append(mounts, &pb.Mount{Input: int64(i + 1), Dest: walk.Mount(walk.Root, i), Output: int64(pb.SkipOutput), Readonly: true})
	}
	mounts = append(mounts, &pb.Mount{Input: int64(pb.Empty), Dest: walk.Out, Output: resultOutput})
	op.Op = &pb.Op_Exec{Exec: &pb.ExecOp{
		Meta:    &pb.Meta{Args: []string{program.Path, ListArgument, strconv.Itoa(l.out.Count)}, Cwd: "/"},
		Mounts:  mounts,
		Network: pb.NetMode_NONE,
	}}
	dgst, err := l.graph.add(op, "listing files of contexts", string(pb.CapExecMetaBase), string(pb.CapExecMetaNetwork), string(pb.CapExecMountBind))
	if err != nil {
		return nil, err
	}
	l.out.Definition, err = l.graph.definition(&pb.Input{Digest: string(dgst), Index: resultOutput})
	return &l.out, err
}

type lister struct {
	graph    *graph
	compiled *compiler.Compiled
	out      Contents
	folders  []*pb.Input
	numbers  map[outputKey]int
}

func (l *lister) stage(ctx context.Context, s *plan.Stage) error {
	if s.Base != nil && s.Base.Context != nil {
		id := plan.StepID{Stage: s.ID, Index: plan.BaseStep}
		in, err := l.after(ctx, id)
		if err != nil {
			return err
		}
		// What comes from an image has a digest already.
		if op := l.op(in); op != nil && op.GetSource() != nil && !isImage(op.GetSource()) {
			l.take(id, in, digests.Selection{Path: "/"})
		}
	}
	for i := range s.Steps {
		id := plan.StepID{Stage: s.ID, Index: i}
		if len(s.Steps[i].Reads) == 0 {
			continue
		}
		in, err := l.after(ctx, id)
		if err != nil {
			return err
		}
		switch op := s.Steps[i].Op.(type) {
		case *plan.Copy:
			l.copy(id, op, in)
		case *plan.Run:
			l.run(id, op, in)
		}
	}
	return nil
}

func (l *lister) after(ctx context.Context, id plan.StepID) (*pb.Input, error) {
	st, _ := l.compiled.After(id)
	return l.graph.state(ctx, st)
}

func (l *lister) op(in *pb.Input) *pb.Op {
	if in == nil {
		return nil
	}
	return l.graph.ops[digest.Digest(in.Digest)]
}

// copy finds the folders of a copy: its actions are in the order of its sources.
func (l *lister) copy(id plan.StepID, op *plan.Copy, in *pb.Input) {
	made := l.op(in)
	if made.GetMerge() != nil { // --link lays it over the rest
		made = l.op(made.Inputs[len(made.Inputs)-1])
	}
	actions := made.GetFile().GetActions()
	for i, src := range op.Sources {
		if files, ok := src.(*plan.Files); ok && files.From == stage.None && i < len(actions) {
			l.take(id, input(made, actions[i].SecondaryInput), digests.Selection{Path: files.Path, Include: files.Include, Excludes: op.Excludes})
		}
	}
}

func (l *lister) run(id plan.StepID, op *plan.Run, in *pb.Input) {
	made := l.op(in)
	for _, m := range op.Mounts {
		if m.Kind != plan.BindMount || m.From != stage.None {
			continue
		}
		for _, mounted := range made.GetExec().GetMounts() {
			if mounted.Dest == m.Target {
				l.take(id, input(made, mounted.Input), digests.Selection{Path: m.Path})
			}
		}
	}
}

func (l *lister) take(id plan.StepID, folder *pb.Input, s digests.Selection) {
	if folder == nil {
		return
	}
	number, ok := l.numbers[key(folder)]
	if !ok {
		number = len(l.folders)
		l.numbers[key(folder)] = number
		l.folders = append(l.folders, folder)
	}
	l.out.Taken[id] = append(l.out.Taken[id], Taken{number, s})
}
