package digests

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/plan"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// Input is what a report is made of.
type Input struct {
	Platform ocispecs.Platform
	Target   Goal
	// Gates are the gates of the target, each planned alone.
	Gates []Goal
}

// Goal is what would be built: the target or a gate.
type Goal struct {
	Plan *plan.Plan
	// Files are those that steps take from contexts.
	Files map[plan.StepID][]File
	// Ignore are the ignore files in effect, by build context: their names and a digest of what they say.
	Ignore map[stage.ContextID]Named
	// Options are what the client says about all programs.
	Options []Named
}

// Named is a name with a value.
type Named struct{ Name, Value string }

// New makes the report.
func New(in Input) *Report {
	r := &Report{
		Version:  SchemaVersion,
		Target:   name(in.Target.Plan.Target().Node),
		Platform: platforms.FormatAll(platforms.Normalize(in.Platform)),
		Steps:    []Step{},
	}
	stages := map[string]*tail{}
	for _, goal := range append([]Goal{in.Target}, in.Gates...) {
		b := &builder{Goal: goal, report: r, stages: stages, ids: map[stage.ID]*tail{}}
		for _, s := range goal.Plan.Stages {
			b.stage(s)
		}
	}
	return r
}

type builder struct {
	Goal
	report *Report
	// stages are what stages end with, by name, for all goals, and ids for this one.
	stages map[string]*tail
	ids    map[stage.ID]*tail
}

// tail is the end of a stage, or of a part of it.
type tail struct {
	// on are the steps that the next one stands on.
	on []int
	// config are the instructions that later programs depend on without being steps: SHELL and USER, and WORKDIR,
	// which is one, too.
	config map[string]Fact
}

func (t *tail) clone() *tail {
	c := &tail{on: slices.Clone(t.on), config: map[string]Fact{}}
	for k, v := range t.config {
		c.config[k] = v
	}
	return c
}

// stage adds the steps of a stage, or of an image that an instruction refers to.
func (b *builder) stage(s *plan.Stage) {
	label := name(s.Node)
	key := fmt.Sprint(s.Node.Kind, label)
	if known := b.stages[key]; known != nil {
		b.ids[s.ID] = known // of another goal
		return
	}
	t := &tail{config: map[string]Fact{}}
	if s.Base == nil {
		if base := b.ids[s.Node.Base]; base != nil {
			t = base.clone()
		}
	} else if s.Base.Ref != "" || s.Base.Context != nil {
		t.on = []int{b.base(s, label)}
	}
	for i := range s.Steps {
		b.step(s, label, plan.StepID{Stage: s.ID, Index: i}, t)
	}
	b.ids[s.ID], b.stages[key] = t, t
}

// base adds the fetch of an image or a named context.
func (b *builder) base(s *plan.Stage, label string) int {
	id := plan.StepID{Stage: s.ID, Index: plan.BaseStep}
	loc := s.Node.Where()
	if len(loc.Ranges) == 0 {
		loc = s.Node.Use
	}
	st := Step{Stage: label, Kind: "base", Code: cmp.Or(s.Node.From.SourceCode, s.Node.Ref), Files: b.Files[id]}
	b.at(&st, loc)
	image := cmp.Or(s.Base.Ref, s.Node.Ref)
	if s.Base.Context == nil || len(st.Files) == 0 {
		st.Facts = append(st.Facts, Fact{Cause: CauseBase, Name: s.Node.Ref, Value: image, File: st.File, Line: st.Line})
	}
	if s.Base.Platform != nil {
		st.Facts = append(st.Facts, Fact{Cause: CausePlatform, Value: format(*s.Base.Platform), File: st.File, Line: st.Line})
	}
	globals := b.Plan.Graph.UnitOf(s.Node).Globals
	for _, name := range s.Node.UsedArgs {
		if arg, ok := globals.Args[name]; ok {
			st.Facts = append(st.Facts, Fact{Cause: CauseArgument, Name: name, Value: arg.Value,
				File: b.Plan.Graph.Files.Source(arg.Loc.File).Name(), Line: arg.Loc.Line()})
		}
	}
	return b.add(st, nil)
}

// step adds a step that changes files. Of the others SHELL and USER are remembered.
func (b *builder) step(s *plan.Stage, label string, id plan.StepID, t *tail) {
	step := &s.Steps[id.Index]
	word, _, _ := strings.Cut(step.Code, " ")
	word = strings.ToUpper(word)
	st := Step{Stage: label, Code: step.Code, Files: b.Files[id]}
	b.at(&st, step.Loc)
	switch word {
	case "SHELL", "USER", "WORKDIR":
		t.config[word] = Fact{Cause: CauseInstruction, Name: word, Value: step.Code, File: st.File, Line: st.Line}
	}
	if step.Op == nil {
		return
	}
	for _, v := range step.Vars {
		st.Facts = append(st.Facts, b.variable(v))
	}
	platform := format(s.Platform)
	linked := false
	st.On = slices.Clone(t.on)
	var shape any
	switch op := step.Op.(type) {
	case *plan.Run:
		st.Kind = "run"
		if op.Platform != nil {
			platform = format(*op.Platform)
		}
		shape = b.run(&st, op, t)
	case *plan.Copy:
		st.Kind = "copy"
		linked = op.Link && op.Chmod == nil
		shape = b.copy(&st, op, t)
	case *plan.Mkdir:
		st.Kind = "workdir"
		shape = *op
		if user, ok := t.config["USER"]; ok {
			st.Facts = append(st.Facts, user)
		}
	}
	st.Facts = append(st.Facts, Fact{Cause: CausePlatform, Value: platform, File: st.File, Line: st.Line})
	for _, read := range step.Reads {
		if read.From.Base == stage.None {
			if ignore, ok := b.Ignore[read.From.Context]; ok {
				st.Facts = append(st.Facts, Fact{Cause: CauseIgnore, Name: ignore.Name, Value: ignore.Value, File: ignore.Name, Line: 1})
				break
			}
		}
	}
	before := st.On
	if linked {
		st.On = nil // a copy into a layer of its own stands on nothing
	}
	i := b.add(st, shape)
	t.on = []int{i}
	if linked {
		t.on = append(slices.Clone(before), i)
	}
}

func (b *builder) at(st *Step, loc dockerfile.Loc) {
	st.File, st.Line = b.Plan.Graph.Files.Source(loc.File).Name(), loc.Line()
}

func (b *builder) variable(v *plan.Assigned) Fact {
	f := Fact{Cause: CauseEnvironment, Name: v.Name, Value: v.Value, Code: v.Code,
		File: b.Plan.Graph.Files.Source(v.Loc.File).Name(), Line: v.Loc.Line()}
	if v.Arg {
		f.Cause = CauseArgument
	}
	for _, u := range v.Uses {
		f.Uses = append(f.Uses, u.Name)
	}
	return f
}

// add adds a step with the digests of what it is made from.
func (b *builder) add(st Step, shape any) int {
	facts := slices.Clone(st.Facts)
	slices.SortFunc(facts, func(x, y Fact) int { return cmp.Or(cmp.Compare(x.Cause, y.Cause), cmp.Compare(x.Name, y.Name)) })
	var words []string
	for _, f := range facts {
		if f.Cause != CauseIgnore && f.Cause != CauseInstruction { // these show in the files and the shape
			words = append(words, string(f.Cause), f.Name, f.Value)
		}
	}
	st.Own = digest(st.Kind, words, shape, st.Files)
	st.Files, st.Folded = Fold(st.Files)
	var below []string
	for _, i := range append(slices.Clone(st.On), st.Copies...) {
		below = append(below, b.report.Steps[i].Digest)
	}
	st.Digest = digest(st.Own, below)
	b.report.Steps = append(b.report.Steps, st)
	return len(b.report.Steps) - 1
}

// Digest returns the digest of a value.
func Digest(value any) string { return digest(value) }

func digest(parts ...any) string {
	data, err := json.Marshal(parts)
	if err != nil { // only values of plain types come here
		data = fmt.Appendf(nil, "%+v", parts)
	}
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func format(p ocispecs.Platform) string { return platforms.FormatAll(platforms.Normalize(p)) }

// name returns a stage as progress names it.
func name(n *stage.Node) string {
	switch {
	case n.Label != "":
		return n.Label
	case n.Name != "":
		return n.Name
	case n.Kind == stage.Stage:
		return fmt.Sprintf("stage-%d", n.ID)
	default:
		return n.Ref
	}
}
