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
	"github.com/moby/buildkit/frontend/dockerfile/linter"
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
	// Dockerfile is the text to compile.
	Dockerfile []byte
	// TargetPlatform is nil where the client names none.
	TargetPlatform *ocispecs.Platform
	Sources        resolve.Sources
	// MainContext is the build context, limited to some paths; no paths is
	// all of it.
	MainContext func(ctx context.Context, paths []string) (*llb.State, error)
	// Ignore are the patterns of the ignore file. Nil: there is none.
	Ignore func(context.Context) ([]string, error)
	// NoCache reports whether the cache is off for a stage. Nil: nowhere.
	NoCache func(stageName string) bool
	// SourceMap is the file for locations in LLB. Nil leaves them out.
	SourceMap *llb.SourceMap
	// Caps are what the daemon can do; nil means no more than every daemon.
	Caps *apicaps.CapSet
	// Warn receives the findings of build checks; nil switches them off.
	Warn linter.LintWarnFunc
	// EveryStage checks the stages that the target does not need, too.
	EveryStage bool
}

// Compiled is a Dockerfile in LLB.
type Compiled struct {
	*lower.Result
	Plan *plan.Plan
}

// Compile runs all phases.
func Compile(ctx context.Context, req Request) (*Compiled, error) {
	p, err := Evaluate(ctx, req)
	if err != nil {
		return nil, err
	}
	buildContext, err := req.MainContext(ctx, p.Paths[plan.MainContext])
	if err != nil {
		return nil, err
	}
	res, err := lower.Lower(p, req.lowering(*buildContext))
	if err != nil {
		return nil, err
	}
	return &Compiled{Result: res, Plan: p}, nil
}

// Evaluate runs the phases before LLB.
func Evaluate(ctx context.Context, req Request) (*plan.Plan, error) {
	r, err := req.resolve(ctx)
	if err != nil {
		return nil, err
	}
	ignore, err := req.ignoreMatcher(ctx)
	if err != nil {
		return nil, err
	}
	return plan.Evaluate(r.file, r.bases, plan.Options{
		Platforms:      r.platforms,
		MultiPlatform:  req.MultiPlatformRequested,
		Globals:        r.globals,
		BuildArgs:      r.buildArgs,
		Labels:         req.Labels,
		NoCache:        req.NoCache,
		CacheNamespace: req.CacheIDNamespace,
		Ignore:         ignore,
		Epoch:          r.epoch,
		Everything:     req.EveryStage,
	})
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

// resolved is a request after the phases before the plan.
type resolved struct {
	file      *dockerfile.File
	platforms stage.Platforms
	globals   *stage.Globals
	buildArgs map[string]string // the client's, with the epoch resolved
	epoch     *time.Time
	bases     *resolve.Resolved
}

func (req *Request) resolve(ctx context.Context) (*resolved, error) {
	file, err := dockerfile.Parse(req.Dockerfile, dockerfile.Options{Check: req.LinterConfig, Warn: req.Warn})
	if err != nil {
		return nil, err
	}
	r := &resolved{
		file:      file,
		platforms: stage.NewPlatforms(req.TargetPlatform, req.BuildPlatforms),
		buildArgs: maps.Clone(req.BuildArgs),
	}
	if r.globals, err = stage.EvaluateGlobals(file, r.platforms, req.Target, r.buildArgs); err != nil {
		return nil, err
	}
	// Before the graph, because FROM may use the value.
	if r.epoch, err = resolve.Epoch(ctx, file, r.globals, r.buildArgs, req.Sources); err != nil {
		return nil, err
	}
	graph, err := stage.Build(file, r.globals, stage.Options{Target: req.Target, Replaces: req.Sources.HasContext})
	if err != nil {
		return nil, err
	}
	r.bases, err = resolve.Resolve(ctx, file, graph, req.Sources, resolve.Options{
		Platforms:     r.platforms,
		MultiPlatform: req.MultiPlatformRequested,
		Everything:    req.EveryStage,
	})
	return r, err
}

func (req *Request) ignoreMatcher(ctx context.Context) (*patternmatcher.PatternMatcher, error) {
	if req.Ignore == nil {
		return nil, nil
	}
	patterns, err := req.Ignore(ctx)
	if err != nil || len(patterns) == 0 {
		return nil, err
	}
	return patternmatcher.New(patterns)
}

func (req *Request) lowering(buildContext llb.State) lower.Options {
	return lower.Options{
		Context:        buildContext,
		SourceMap:      func(dockerfile.FileID) *llb.SourceMap { return req.SourceMap },
		TargetPlatform: stage.NewPlatforms(req.TargetPlatform, req.BuildPlatforms).Target,
		Caps:           req.Caps,
		ResolveMode:    req.ImageResolveMode,
		GitAdvice:      req.GitAdvice,
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

// proxy are the proxies among the build arguments, in either case. They reach
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
