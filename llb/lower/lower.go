package lower

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/plan"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// Options is what the client's request says about all operations.
type Options struct {
	// Contexts are the build contexts, already limited to the plan's paths;
	// the main one is 0.
	Contexts map[stage.ContextID]llb.State
	// Named opens the named context that a node stands on, of which some
	// paths are read; no paths is all of it.
	Named func(id stage.ID, paths []string) llb.State
	// SourceMap tells locations in a file; nil leaves them out.
	SourceMap func(dockerfile.FileID) *llb.SourceMap
	// TargetPlatform is the default of operations without one of their own.
	TargetPlatform ocispecs.Platform
	// Caps are what the daemon can do; nil means no more than every daemon.
	Caps        *apicaps.CapSet
	ResolveMode llb.ResolveMode
	GitAdvice   bool

	// Build is a text that no other build has, for RUN --no-cache.
	Build string

	Hostname     string
	Network      pb.NetMode
	ExtraHosts   []llb.HostIP
	Proxy        *llb.ProxyEnv
	Ulimits      []*pb.Ulimit
	Devices      []*pb.CDIDevice
	ShmSize      int64 // bytes, 0 for the daemon's default
	CgroupParent string
	Resources    *pb.LinuxResources
}

func (o *Options) supports(c apicaps.CapID) bool {
	return o.Caps != nil && o.Caps.Supports(c) == nil
}

// Result is the lowered target.
type Result struct {
	// State of the target, with the defaults to marshal it.
	State llb.State
	// Scan are further filesystems for the SBOM, by their names there.
	Scan map[string]llb.State
	// IgnoreCache says that the cache is off for the target or a scanned stage.
	IgnoreCache bool
	// Unsupported says what the daemon is too old for, nil where it can build
	// all. To ask for the LLB alone, as convertllb does, is no error.
	Unsupported error

	order    []stage.ID // of the plan
	steps    map[stage.ID][]llb.State
	contexts []llb.State
	defaults []llb.ConstraintsOpt
}

// Lower makes the LLB of a plan. Nothing is sent to the daemon: marshal the
// state for that.
func Lower(p *plan.Plan, opt Options) (*Result, error) {
	l := &lowerer{plan: p, opt: opt, states: map[stage.ID]llb.State{}, steps: map[stage.ID][]llb.State{}}
	for _, s := range p.Stages {
		if err := l.stage(s); err != nil {
			return nil, err
		}
	}
	return l.result(), nil
}

type lowerer struct {
	plan *plan.Plan
	opt  Options
	// states are the stages as far as they are made, and steps the same after
	// their bases and each of their steps.
	states map[stage.ID]llb.State
	steps  map[stage.ID][]llb.State
	// env are the variables of the operation before, and envStates the states
	// with none of them, with the first, with two, and so on.
	env       []stage.Var
	envStates []llb.State
}

// stage makes the filesystem of a stage.
func (l *lowerer) stage(s *plan.Stage) error {
	st := l.base(s)
	if s.Squash != nil {
		st = l.squash(st, s)
	}
	states := make([]llb.State, 0, len(s.Steps)+1)
	states = append(states, st)
	for i := range s.Steps {
		l.states[s.ID] = st // a trigger may copy from its own stage
		step := &s.Steps[i]
		var err error
		switch op := step.Op.(type) {
		case nil:
		case *plan.Run:
			st = l.run(st, step, op)
		case *plan.Copy:
			st, err = l.copy(st, step, op)
		case *plan.Mkdir:
			st = l.mkdir(st, step, op, s.Platform)
		default:
			err = errors.Errorf("no lowering for %T", op)
		}
		if err != nil {
			return dockerfile.At(err, step.Loc)
		}
		states = append(states, st)
	}
	l.states[s.ID], l.steps[s.ID] = st, states
	return nil
}

// source returns the filesystem of a node, or a build context.
func (l *lowerer) source(id stage.ID, context stage.ContextID) llb.State {
	if id == stage.None {
		return l.opt.Contexts[context]
	}
	return l.states[id]
}

func (l *lowerer) result() *Result {
	target := l.plan.Target()
	defaults := []llb.ConstraintsOpt{llb.Platform(l.opt.TargetPlatform)}
	if l.opt.Caps != nil {
		defaults = append(defaults, llb.WithCaps(*l.opt.Caps))
	}
	res := &Result{
		State:       l.states[target.ID].SetMarshalDefaults(defaults...),
		Scan:        map[string]llb.State{},
		IgnoreCache: target.IgnoreCache,
		Unsupported: l.requires(),
		steps:       l.steps,
		defaults:    defaults,
	}
	for _, s := range l.plan.Stages {
		res.order = append(res.order, s.ID)
	}
	for _, id := range slices.Sorted(maps.Keys(l.opt.Contexts)) {
		res.contexts = append(res.contexts, l.opt.Contexts[id])
	}
	if target.ScanContext {
		res.Scan["context"] = l.opt.Contexts[target.Context]
	}
	for _, s := range l.plan.Stages {
		if s.ScanStage && s != target && s.Needed {
			res.Scan[s.Label] = l.states[s.ID]
			res.IgnoreCache = res.IgnoreCache || s.IgnoreCache
		}
	}
	return res
}

// at returns the location of an operation in its source file.
func (l *lowerer) at(loc dockerfile.Loc) llb.ConstraintsOpt {
	var sm *llb.SourceMap
	if l.opt.SourceMap != nil {
		sm = l.opt.SourceMap(loc.File)
	}
	return sm.Location(Ranges(loc.Ranges))
}

// Ranges returns the parser's ranges in the form of the protocol.
func Ranges(ranges []parser.Range) []*pb.Range {
	list := make([]*pb.Range, len(ranges))
	for i, r := range ranges {
		list[i] = &pb.Range{Start: position(r.Start), End: position(r.End)}
	}
	return list
}

func position(p parser.Position) *pb.Position {
	return &pb.Position{Line: int32(p.Line), Character: int32(p.Character)}
}

// instruction notes the source code of an operation, for clients and for
// tools that read definitions.
func instruction(code string) llb.ConstraintsOpt {
	return llb.WithDescription(map[string]string{"com.docker.dockerfile.v1.command": code})
}

// internal returns the name of a step that no instruction stands for.
func internal(name string) llb.ConstraintsOpt {
	return llb.WithCustomName("[internal] " + name)
}

// Marshal returns the definition of a lowered target.
func (r *Result) Marshal(ctx context.Context) (*llb.Definition, error) {
	def, err := r.State.Marshal(ctx)
	if err != nil {
		return nil, fmt.Errorf("failed to marshal LLB definition: %w", err)
	}
	return def, nil
}
