package frontend

import (
	"context"
	"fmt"
	"maps"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/stagecraft/stagecraft/frontend/gateway"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/plan"
)

// compilation is the compiler at work on the request, for one goal. It knows the files that were read, and so what errors
// and warnings point at.
type compilation struct {
	compiler.Request
	request *request
	goal    gateway.Goal
	maps    map[dockerfile.FileID]*llb.SourceMap
	// report shows findings, and warned are those that it has shown; nil
	// where none are.
	report reporter
	warned findings
	// passed are the results of the target's gates, once these are built.
	passed []client.Reference
}

// findings are the findings of build checks that the client knows of.
type findings map[string]bool

// compilation prepares the compiler. Findings of the build checks are left
// out; see warning.
func (r *request) compilation(ctx context.Context, goal gateway.Goal) *compilation {
	caps := r.UI.BuildOpts().LLBCaps
	src := r.For(goal)
	c := &compilation{request: r, goal: goal, maps: map[dockerfile.FileID]*llb.SourceMap{0: r.Dockerfile.SourceMap}}
	files := dockerfile.NewFiles(r.Dockerfile.Filename, r.Dockerfile.Data, func(root dockerfile.Root, path string) ([]byte, error) {
		return r.ReadFile(ctx, root, path)
	})
	files.Announce(func(root dockerfile.Root, paths []string) { r.ExpectFiles(ctx, root, paths) })
	c.Request = compiler.Request{
		Config:         r.UI.Config,
		Files:          files,
		TargetPlatform: goal.Platform,
		Sources:        src,
		MainContext:    src.MainContext,
		Ignore:         r.UI.DockerIgnorePatterns,
		OtherContext:   src.OtherContext,
		OtherIgnore:    src.OtherIgnore,
		NoCache:        r.UI.IsNoCache,
		SourceMap:      c.sourceMap,
		Caps:           &caps,
		Build:          r.UI.BuildOpts().SessionID,
	}
	if r.lock != nil {
		c.Checksum = r.lock.Checksum
	}
	if goal.Gate != nil {
		c.Target, c.Gate = goal.Gate.Name, &goal.Gate.Ref
	}
	return c
}

// warning makes the compilation report what the build checks find, while the
// build runs, but not what another compilation of the same files reported.
func (c *compilation) warning(report reporter, before findings) *compilation {
	before = maps.Clone(before)
	c.report, c.warned = report, findings{}
	c.Warn = func(file dockerfile.FileID, rule, description, url, msg string, where []parser.Range) {
		line := 0
		if len(where) > 0 {
			line = where[0].Start.Line
		}
		finding := c.finding(file, rule, msg, where)
		if before[finding] {
			return
		}
		c.warned[finding] = true
		short := linter.LintFormatShort(rule, msg, line)
		if file != 0 {
			short = fmt.Sprintf("%s: %s (%s:%d)", rule, msg, c.Files.Source(file).Name(), line)
		}
		report(c.sourceMap(file), short, description, url, where)
	}
	return c
}

// finding identifies a finding across compilations.
func (c *compilation) finding(file dockerfile.FileID, rule, msg string, where []parser.Range) string {
	return fmt.Sprintf("%s:%v %s %s", c.Files.Source(file).Name(), where, rule, msg)
}

// compiled is what a compilation came to.
type compiled struct {
	*compiler.Compiled
	by *compilation
}

// compile runs the compiler, with its errors located for the client.
func (c *compilation) compile(ctx context.Context) (*compiled, error) {
	result, err := compiler.Compile(ctx, c.Request)
	if err != nil {
		return nil, c.locate(err)
	}
	if err := c.request.checkPlan(result.Plan); err != nil {
		return nil, err
	}
	return &compiled{Compiled: result, by: c}, nil
}

// compileToBuild is compile for what the daemon will build: an error, too,
// where it is too old for that.
func (c *compilation) compileToBuild(ctx context.Context) (*compiled, error) {
	result, err := c.compile(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.request.checkLock(ctx, result); err != nil {
		return nil, err
	}
	return result, c.locate(result.Unsupported)
}

// definition returns the LLB of the goal.
func (c *compiled) definition(ctx context.Context) (*llb.Definition, error) {
	def, err := c.Marshal(ctx)
	return def, c.by.locate(err)
}

// solve has the daemon build the goal. It comes back at once, and the daemon
// builds when somebody reads the result; evaluate waits for the build.
func (c *compiled) solve(ctx context.Context, evaluate bool) (client.Reference, error) {
	def, err := c.definition(ctx)
	if err != nil {
		return nil, err
	}
	c.Solved = def
	r := c.by.request
	res, err := r.Client.Solve(ctx, client.SolveRequest{
		Evaluate:     evaluate,
		Definition:   def.ToPB(),
		CacheImports: r.UI.CacheImports,
	})
	if err != nil {
		return nil, err
	}
	return res.SingleRef()
}

// evaluate runs the compiler up to the plan.
func (c *compilation) evaluate(ctx context.Context) (*plan.Plan, error) {
	p, err := compiler.Evaluate(ctx, c.Request)
	if err != nil {
		return nil, c.locate(err)
	}
	return p, nil
}

// sourceMap returns a file of the compilation as BuildKit shows it.
func (c *compilation) sourceMap(id dockerfile.FileID) *llb.SourceMap {
	if sm, ok := c.maps[id]; ok {
		return sm
	}
	src := c.Files.Source(id)
	sm := llb.NewSourceMap(nil, src.Name(), "Dockerfile", src.Data)
	c.maps[id] = sm
	return sm
}
