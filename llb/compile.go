// Package llb is the compiler: it turns a Dockerfile into BuildKit's LLB.
//
// The phases are packages of their own, in this order; data goes one way:
//
//	dockerfile.Parse       bytes -> stages and instructions
//	stage.Build            names and indexes -> a graph of stages
//	resolve.Resolve        images, named contexts and triggers -> bases
//	plan.Evaluate          variables, paths, image config -> plain values
//	lower.Lower            plan -> LLB
//
// [Compile] runs them all; [Evaluate] stops before LLB, for questions that
// the plan answers, and [Graph] before the plan.
package llb

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/util/apicaps"
	"github.com/moby/patternmatcher"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/lower"
	"github.com/stagecraft/stagecraft/llb/plan"
	"github.com/stagecraft/stagecraft/llb/resolve"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// Request is one compilation: a Dockerfile, for one platform.
type Request struct {
	// Config are the client's build options. They are only read.
	dockerui.Config
	// Files holds the Dockerfile, and reads the files that it refers to. They
	// belong to this compilation only.
	Files *dockerfile.Files
	// TargetPlatform is nil where the client names none.
	TargetPlatform *ocispecs.Platform
	Sources        resolve.Sources
	// MainContext is the build context, limited to some paths; no paths is
	// all of it.
	MainContext func(ctx context.Context, paths []string) (*llb.State, error)
	// Ignore are the patterns of the ignore file. Nil: there is none.
	Ignore func(context.Context) ([]string, error)
	// OtherContext and OtherIgnore are the same for the build contexts that
	// FROM --context names. Nil: there are none.
	OtherContext func(ctx context.Context, c stage.Context, paths []string) (*llb.State, error)
	OtherIgnore  func(ctx context.Context, c stage.Context) (patterns []string, file string, err error)
	// Gate is the stage to compile in place of the target; see
	// [Compiled.Gates].
	Gate *stage.Ref
	// NoCache reports whether the cache is off for a stage. Nil: nowhere.
	NoCache func(stageName string) bool
	// SourceMap are the files for locations in LLB. Nil leaves them out.
	SourceMap func(dockerfile.FileID) *llb.SourceMap
	// Caps are what the daemon can do; nil means no more than every daemon.
	Caps *apicaps.CapSet
	// Build is a text that no other build has: RUN --no-cache is another
	// operation in each.
	Build string
	// Warn receives the findings of build checks; nil switches them off.
	Warn dockerfile.WarnFunc
	// Checksum returns what sources of ADD must have; see plan.Options. Nil:
	// what the Dockerfile says.
	Checksum func(*resolve.Remote) (string, error)
	// EveryStage checks the stages that the target does not need, too.
	EveryStage bool
	// Tolerant looks at the references of these stages, but has an unresolved
	// node where one leads nowhere.
	Tolerant bool
}

// Compiled is a Dockerfile in LLB.
type Compiled struct {
	*lower.Result
	Plan *plan.Plan
	// Solved is the definition that was sent to the daemon, nil before.
	Solved *llb.Definition
}

// Compile runs all phases.
func Compile(ctx context.Context, req Request) (*Compiled, error) {
	return CompileOf(ctx, req, func(p *plan.Plan) (*plan.Plan, error) { return p, nil })
}

// CompileOf is Compile with another plan in the place of the one that it
// makes, which change gets: what is lowered is what change returns.
func CompileOf(ctx context.Context, req Request, change func(*plan.Plan) (*plan.Plan, error)) (*Compiled, error) {
	r, p, err := req.evaluate(ctx)
	if err != nil {
		return nil, err
	}
	if p, err = change(p); err != nil {
		return nil, err
	}
	res, err := req.lower(ctx, r, p)
	if err != nil {
		return nil, err
	}
	return &Compiled{Result: res, Plan: p}, nil
}

// lower returns the last phase. All it needs besides the plan is where the contexts
// come from.
func (req *Request) lower(ctx context.Context, r *resolve.Resolved, p *plan.Plan) (*lower.Result, error) {
	contexts, err := req.contexts(ctx, r.Graph, p)
	if err != nil {
		return nil, err
	}
	opt := req.lowering(contexts)
	opt.Named = r.Open
	return lower.Lower(p, opt)
}

// contexts returns the build contexts of a plan, limited to what it reads.
func (req *Request) contexts(ctx context.Context, g *stage.Graph, p *plan.Plan) (map[stage.ContextID]llb.State, error) {
	states := map[stage.ContextID]llb.State{}
	for i, c := range g.Contexts {
		id := stage.ContextID(i)
		paths, read := p.Paths[plan.BuildContext(id)]
		if id > 0 && !read {
			continue
		}
		open := func() (*llb.State, error) { return req.MainContext(ctx, paths) }
		if id > 0 {
			open = func() (*llb.State, error) { return req.OtherContext(ctx, c, paths) }
		}
		st, err := open()
		if err != nil {
			return nil, dockerfile.At(err, c.Loc)
		}
		states[id] = *st
	}
	return states, nil
}

// Evaluate runs the phases before LLB.
func Evaluate(ctx context.Context, req Request) (*plan.Plan, error) {
	_, p, err := req.evaluate(ctx)
	return p, err
}

func (req *Request) evaluate(ctx context.Context) (*resolve.Resolved, *plan.Plan, error) {
	r, err := req.resolve(ctx)
	if err != nil {
		return nil, nil, err
	}
	ignore, err := req.ignoreMatchers(ctx, r.bases)
	if err != nil {
		return nil, nil, err
	}
	p, err := plan.Evaluate(r.bases, plan.Options{
		MultiPlatform:  req.MultiPlatformRequested,
		Labels:         req.Labels,
		NoCache:        req.NoCache,
		CacheNamespace: req.CacheIDNamespace,
		Ignore:         ignore,
		Epoch:          r.epoch,
		Checksum:       req.Checksum,
		Everything:     req.EveryStage,
	})
	return r.bases, p, err
}

// Graph runs the phases before the plan: the stages, what they need, and the
// bases of those that the target needs.
func Graph(ctx context.Context, req Request) (*resolve.Resolved, error) {
	r, err := req.resolve(ctx)
	if err != nil {
		return nil, err
	}
	return r.bases, nil
}

// Stages runs the phases before anything is fetched: the stages, and what they
// need as far as no base image has a say in it.
func Stages(ctx context.Context, req Request) (*stage.Graph, error) {
	_, builder, err := req.stages(ctx)
	if err != nil {
		return nil, err
	}
	return builder.Graph, nil
}

// Expanded is Graph with the variables in the instructions that the target
// needs replaced by their values, as far as these can be evaluated: what is
// wrong with an instruction is for a build to say.
func Expanded(ctx context.Context, req Request) (*resolve.Resolved, error) {
	r, err := req.resolve(ctx)
	if err != nil {
		return nil, err
	}
	// The evaluation expands the instructions in place.
	_, _ = plan.Evaluate(r.bases, plan.Options{MultiPlatform: req.MultiPlatformRequested, Epoch: r.epoch})
	return r.bases, nil
}

// resolved is a request after the phases before the plan.
type resolved struct {
	platforms stage.Platforms
	epoch     *time.Time
	bases     *resolve.Resolved
}

func (req *Request) resolve(ctx context.Context) (*resolved, error) {
	r, builder, err := req.stages(ctx)
	if err != nil {
		return nil, err
	}
	r.bases, err = resolve.Resolve(ctx, builder, req.Sources, resolve.Options{
		MultiPlatform: req.MultiPlatformRequested,
		Everything:    req.EveryStage,
	})
	return r, err
}

func (req *Request) stages(ctx context.Context) (*resolved, *stage.Builder, error) {
	parse := dockerfile.Options{Check: req.LinterConfig, Warn: req.Warn}
	file, err := dockerfile.Parse(req.Files, 0, parse)
	if err != nil {
		return nil, nil, err
	}
	r := &resolved{platforms: stage.NewPlatforms(req.TargetPlatform, req.BuildPlatforms)}
	globals, err := stage.EvaluateGlobals(file, r.platforms, req.Target, req.BuildArgs)
	if err != nil {
		return nil, nil, err
	}
	// Before the graph, because FROM may use the value.
	epoch, err := resolve.Epoch(ctx, file, globals, req.Sources)
	if err != nil {
		return nil, nil, err
	}
	globals, r.epoch = epoch.Globals, epoch.Time
	builder, err := stage.Build(file, globals, stage.Options{
		Target:    req.Target,
		Gate:      req.Gate,
		Platforms: r.platforms,
		BuildArgs: globals.BuildArgs,
		Replaces:  req.Sources.HasContext,
		Parse:     parse,

		Everything: req.EveryStage,
		Tolerant:   req.Tolerant,
	})
	return r, builder, err
}

// ignoreMatchers returns the patterns of the ignore files of the build contexts
// that needed stages have.
func (req *Request) ignoreMatchers(ctx context.Context, r *resolve.Resolved) (map[stage.ContextID]plan.Ignore, error) {
	needed := map[stage.ContextID]bool{0: true}
	var all map[stage.ID]bool
	if req.EveryStage {
		all = r.Graph.Asked()
	}
	for id := range r.Graph.Nodes {
		if n := r.Graph.Node(stage.ID(id)); all[n.ID] || r.Reach[n.ID] {
			needed[r.Graph.UnitOf(n).Context] = true
		}
	}
	matchers := map[stage.ContextID]plan.Ignore{}
	for i, c := range r.Graph.Contexts {
		if !needed[stage.ContextID(i)] {
			continue
		}
		patterns, file, err := req.ignorePatterns(ctx, i, c)
		if err != nil {
			return nil, dockerfile.At(err, c.Loc)
		}
		if len(patterns) == 0 {
			continue
		}
		matcher, err := patternmatcher.New(patterns)
		if err != nil {
			return nil, dockerfile.At(err, c.Loc)
		}
		matchers[stage.ContextID(i)] = plan.Ignore{PatternMatcher: matcher, File: file}
	}
	return matchers, nil
}

// ignorePatterns returns the patterns for a build context and the file that has
// them.
func (req *Request) ignorePatterns(ctx context.Context, id int, c stage.Context) ([]string, string, error) {
	if id > 0 && req.OtherIgnore != nil {
		return req.OtherIgnore(ctx, c)
	}
	if req.Ignore == nil {
		return nil, "", nil
	}
	patterns, err := req.Ignore(ctx)
	return patterns, dockerui.DefaultDockerignoreName, err
}

func (req *Request) lowering(contexts map[stage.ContextID]llb.State) lower.Options {
	return lower.Options{
		Contexts:       contexts,
		SourceMap:      req.SourceMap,
		TargetPlatform: stage.NewPlatforms(req.TargetPlatform, req.BuildPlatforms).Target,
		Caps:           req.Caps,
		ResolveMode:    req.ImageResolveMode,
		GitAdvice:      req.GitAdvice,
		Build:          req.Build,
		Hostname:       req.Hostname,
		Network:        req.NetworkMode,
		ExtraHosts:     req.ExtraHosts,
		Proxy:          proxy(req.BuildArgs),
		Ulimits:        req.Ulimits,
		Devices:        req.Devices,
		ShmSize:        req.ShmSize,
		CgroupParent:   req.CgroupParent,
		Resources:      req.LinuxResources,
	}
}

// Gate is a stage that must succeed for the target to count. Compile it with
// Request.Gate, as --target would.
type Gate struct {
	Ref stage.Ref
	// Name of the stage, and of the stage whose --after requires it.
	Name, By string
	// Loc is the FROM with that --after.
	Loc dockerfile.Loc
}

// Gates returns the gates of a plan's target and of all that it needs.
func Gates(p *plan.Plan) []Gate {
	g := p.Graph
	var gates []Gate
	for _, found := range g.Gates() {
		gates = append(gates, Gate{
			Ref:  g.RefOf(found.Stage),
			Name: g.Node(found.Stage).Label,
			By:   g.Node(found.By).Label,
			Loc:  found.Loc,
		})
	}
	return gates
}

// proxy returns the proxies among the build arguments, in either case. They reach
// programs without becoming part of the cache key. Nil without any.
func proxy(buildArgs map[string]string) *llb.ProxyEnv {
	var env llb.ProxyEnv
	fields := map[string]*string{
		"http_proxy":  &env.HTTPProxy,
		"https_proxy": &env.HTTPSProxy,
		"ftp_proxy":   &env.FTPProxy,
		"no_proxy":    &env.NoProxy,
		"all_proxy":   &env.AllProxy,
	}
	found := false
	for _, key := range slices.Sorted(maps.Keys(buildArgs)) {
		if field, ok := fields[strings.ToLower(key)]; ok {
			*field = buildArgs[key]
			found = true
		}
	}
	if !found {
		return nil
	}
	return &env
}
