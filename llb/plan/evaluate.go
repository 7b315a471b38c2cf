package plan

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/moby/patternmatcher"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/crash"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/resolve"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// Options is what the client's request says about the evaluation.
type Options struct {
	MultiPlatform bool
	Labels        map[string]string
	// NoCache reports whether the cache is off for a stage; nil: nowhere.
	NoCache func(stageName string) bool
	// CacheNamespace comes before the ids of cache mounts.
	CacheNamespace string
	// Ignore are the patterns of the ignore file of each build context, nil
	// without any.
	Ignore map[stage.ContextID]Ignore
	Epoch  *time.Time
	// Checksum returns what a source of ADD must have that the Dockerfile
	// gives no checksum: a digest over HTTP, a commit for Git. Nil: anything.
	Checksum func(*resolve.Remote) (string, error)
	// Everything evaluates the stages that the target does not need, too.
	Everything bool
}

// Ignore is what an ignore file says.
type Ignore struct {
	*patternmatcher.PatternMatcher
	// File is the name of the file, for messages.
	File string
}

// Evaluate makes the plan for the graph's target. The instructions of the
// graph are expanded in place: a resolved graph is evaluated once.
func Evaluate(r *resolve.Resolved, opt Options) (*Plan, error) {
	ev := &evaluator{
		opt:      opt,
		resolved: r,
		reads:    map[Source]pathSet{},
		built:    r.Graph.Built(r.Graph.Target),
		scopes:   map[stage.ID]*scope{},
		lexers:   map[rune]*shell.Lex{},
		plan: &Plan{
			Graph:    r.Graph,
			TargetID: r.Graph.Target,
			Epoch:    opt.Epoch,
			byID:     map[stage.ID]*Stage{},
		},
	}
	set := r.Reach
	if opt.Everything {
		set = r.Graph.Asked()
	}
	if opt.NoCache != nil {
		if err := r.Graph.Ambiguous(set, opt.NoCache); err != nil {
			return nil, errors.WithMessage(err, "--no-cache-filter")
		}
	}
	var failed error
	at := stage.ID(len(r.Graph.Nodes))
	var externals []*stageEval
	for _, id := range r.Graph.Order(set) {
		n := r.Graph.Node(id)
		e := ev.start(n)
		e.configOnly = !ev.built[id] && !opt.Everything
		switch {
		case n.Kind == stage.External:
			externals = append(externals, e)
		case n.Replaced && !opt.Everything:
			// Its instructions are not carried out.
		case id < at:
			// A stage may be evaluated before an earlier one, which copies from it. The
			// earlier one's mistake is the one to report.
			if err := e.evaluate(n); err != nil {
				failed, at = err, id
			}
		}
	}
	if failed != nil {
		return nil, failed
	}
	if opt.Everything {
		// Checks look at what will not happen, too: the triggers of images that are
		// only copied from, behind all that happens.
		slices.SortFunc(externals, func(a, b *stageEval) int { return cmp.Compare(a.out.ID, b.out.ID) })
		for _, e := range externals {
			if err := e.evaluate(e.out.Node); err != nil {
				return nil, err
			}
		}
	}
	ev.finish()
	// The checks are complete only now: with error=true they fail the build.
	for i := range r.Graph.Units {
		if err := r.Graph.Units[i].File.LintError(); err != nil {
			return nil, err
		}
	}
	return ev.plan, nil
}

type evaluator struct {
	opt      Options
	resolved *resolve.Resolved
	plan     *Plan
	reads    map[Source]pathSet
	built    map[stage.ID]bool // what the target needs the files of
	scopes   map[stage.ID]*scope
	lexers   map[rune]*shell.Lex // by escape character; see lexer
}

// lexer returns the lexer for an escape character. One serves all
// instructions, since they are evaluated one after the other.
func (ev *evaluator) lexer(escape rune) *shell.Lex {
	lex, ok := ev.lexers[escape]
	if !ok {
		lex = shell.NewLex(escape)
		ev.lexers[escape] = lex
	}
	return lex
}

// scope is what a stage leaves to the stages that are built from it, besides
// its image config.
type scope struct {
	env stage.Env
	// assigned are the variables that ARG and ENV gave a value so far.
	assigned map[string]*Assigned
	// declared are the ARGs so far, for the history of RUN.
	declared []instructions.KeyValuePairOptional
	// workdirSet says that a WORKDIR of this file made paths absolute.
	workdirSet bool
	// pathUnset says that this build took PATH out of the config on purpose.
	pathUnset bool
	// rerun says that the filesystem comes from a step that always runs; see
	// runAgain.
	rerun bool
	// fresh says that it comes from a RUN --no-cache.
	fresh bool
	// platform that LLB knows the filesystem to have, nil for none.
	platform *ocispecs.Platform
	// root is the node whose base the filesystem goes back to.
	root stage.ID
}

// evaluator of one stage.
type stageEval struct {
	*evaluator
	*scope
	out      *Stage
	unit     *stage.Unit
	lex      *shell.Lex // with the escape character of the current instruction
	dir      string     // of the next instruction, with slashes on every platform
	progress counter
	// configOnly says that nothing but the image config of the stage is needed.
	configOnly bool
	lint       *linter.Linter  // under the comments of the current instruction
	loc        dockerfile.Loc  // of the current instruction
	outside    []Read          // by the current instruction
	asked      map[string]bool // variables, by the current instruction
	// The instructions of which only the last one counts.
	lastCmd, lastEntrypoint, lastHealthcheck once
}

// start adds a stage to the plan, with what it inherits.
func (ev *evaluator) start(n *stage.Node) *stageEval {
	unit := ev.plan.Graph.UnitOf(n)
	out := &Stage{
		ID: n.ID, Node: n, Kind: n.Kind, Label: n.Label, Ref: n.Ref, From: n.From.SourceCode, Loc: n.Loc,
		Context: unit.Context, Parent: n.Base, Base: ev.resolved.Base(n.ID), Needed: ev.built[n.ID],
	}
	for _, e := range ev.plan.Graph.Out(n.ID) {
		out.Needs = append(out.Needs, e.To)
	}
	ev.plan.Stages = append(ev.plan.Stages, out)
	ev.plan.byID[n.ID] = out
	e := &stageEval{
		evaluator: ev,
		scope:     &scope{},
		out:       out,
		unit:      unit,
		progress:  counter{label: n.Label, total: announced(n), platform: ev.opt.MultiPlatform},
	}
	ev.scopes[n.ID] = e.scope
	e.at(n.Loc, n.From.Comments)
	e.inherit(n)
	return e
}

// evaluate goes through the instructions of the stage, which has been started.
func (e *stageEval) evaluate(n *stage.Node) error {
	if err := e.startFrom(); err != nil {
		return dockerfile.At(err, n.Loc)
	}
	e.squash(n)
	for i := range n.Steps {
		if err := e.instruction(&n.Steps[i]); err != nil {
			return dockerfile.At(err, n.Steps[i].Loc)
		}
	}
	if !e.configOnly {
		e.scanForSBOM()
	}
	if e.out.Platform.OS == "" {
		// Only a context that is no image leaves this open, and only for the
		// stage right on it.
		e.out.Platform = e.unit.Platforms.Target
	}
	return nil
}

// at sets what depends on where an instruction stands.
func (e *stageEval) at(loc dockerfile.Loc, comments []string) {
	e.loc = loc
	e.lex = e.lexer(e.unit.File.Escape(loc))
	e.lint = e.unit.File.Lint(loc).WithMergedConfigFromComments(comments)
}

// instruction evaluates one instruction. Malformed words can make the shell
// lexer panic; that is an error of the instruction.
func (e *stageEval) instruction(in *stage.Instruction) (err error) {
	defer func() {
		if crashed := new(crash.Error); errors.As(err, &crashed) {
			err = errors.WithMessagef(err, "%s cannot be evaluated", in.Name())
		}
	}()
	defer crash.Recover(&err)
	e.at(in.Loc, in.Comments())
	e.progress.onBuild = in.OnBuild
	e.outside, e.asked = nil, map[string]bool{}
	if e.configOnly && changesFiles(in) {
		e.out.Steps = append(e.out.Steps, Step{Loc: in.Loc, Code: in.Text()})
		return nil
	}
	if err := e.checkReferences(in); err != nil {
		return err
	}
	if err := e.expand(in); err != nil {
		return err
	}
	step := Step{Loc: in.Loc}
	if code, ok := in.Command.(fmt.Stringer); ok {
		step.Code = code.String()
	}
	switch c := in.Command.(type) {
	case *instructions.AddCommand:
		err = e.add(&step, in, c)
	case *instructions.ArgCommand:
		err = e.arg(c, in.Loc)
	case *instructions.CmdCommand:
		e.cmd(c)
	case *instructions.CopyCommand:
		err = e.copy(&step, in, c)
	case *instructions.EntrypointCommand:
		e.entrypoint(c)
	case *instructions.EnvCommand:
		e.setEnv(c, step.Code)
	case *instructions.ExposeCommand:
		err = e.expose(c)
	case *instructions.HealthCheckCommand:
		e.healthcheck(c)
	case *instructions.LabelCommand:
		e.label(c)
	case *instructions.MaintainerCommand:
		e.maintainer(c)
	case *instructions.OnbuildCommand:
		e.onbuild(c)
	case *instructions.RunCommand:
		err = e.run(&step, in, c)
	case *instructions.ShellCommand:
		e.shell(c)
	case *instructions.StopSignalCommand:
		err = e.stopSignal(c)
	case *instructions.UserCommand:
		e.user(c)
	case *dockerfile.ConfigCommand:
		err = e.takeOver(c, in)
	case *dockerfile.FileCommand:
		err = e.setFromFile(c, in)
	case *dockerfile.UnsetCommand:
		err = e.unset(c, in.Loc)
	case *instructions.VolumeCommand:
		err = e.volume(c)
	case *instructions.WorkdirCommand:
		err = e.workdir(&step, in, c)
	default:
		err = errors.Errorf("%s is not supported by this version of Stagecraft", in.Name())
	}
	if err != nil {
		return err
	}
	step.Reads, step.Vars = e.outside, e.vars(&step)
	e.runAgain(&step, in)
	e.out.Steps = append(e.out.Steps, step)
	return nil
}

// changesFiles reports whether an instruction does nothing but to the files of
// a stage.
func changesFiles(in *stage.Instruction) bool {
	switch in.Command.(type) {
	case *instructions.AddCommand, *instructions.CopyCommand, *instructions.RunCommand:
		return true
	}
	return false
}

// finish completes the result: labels and platform that the client asked
// for, and the paths that are read of each source.
func (ev *evaluator) finish() {
	target := ev.plan.Target()
	ev.read(Source{Base: ev.scopes[target.ID].root}, "/") // the result is all of it
	ev.plan.Paths = map[Source][]string{}
	for src, paths := range ev.reads {
		ev.plan.Paths[src] = paths.list()
	}
	img := &target.Image
	if len(ev.opt.Labels) > 0 && img.Config.Labels == nil {
		img.Config.Labels = map[string]string{}
	}
	for k, v := range ev.opt.Labels {
		img.Config.Labels[k] = v
	}
	setTargetPlatform(img, ev.plan.Graph.UnitOf(target.Node).Platforms)
}
