package stage

import (
	"fmt"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/moby/buildkit/util/suggest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// Options is what the client's request says about the graph.
type Options struct {
	// Target is the name of the wanted stage; empty is the last one.
	Target string
	// Gate is the wanted stage where a gate is lowered on its own; it wins
	// over Target.
	Gate *Ref
	// Platforms and BuildArgs give the global args of other files their
	// values.
	Platforms Platforms
	BuildArgs map[string]string
	// Replaces reports whether the client gave a named context in place of
	// a stage of this name. Nil: there are none.
	Replaces func(name string, platform *ocispecs.Platform) (bool, error)
	// Parse are the options for other files.
	Parse dockerfile.Options
}

// Build makes the graph of a file and of those that it refers to.
func Build(f *dockerfile.File, globals *Globals, opt Options) (*Graph, error) {
	g := &Graph{Files: f.Files, Contexts: []Context{{}}, builder: builder{opt: opt}}
	root := g.addUnit(Unit{File: f, Globals: globals}, unitKey{})
	if err := g.addStages(root); err != nil {
		return nil, err
	}
	g.Stages = len(g.Nodes)
	if opt.Gate == nil && !isFileTarget(opt.Target) {
		// Before anything else, so that a misspelt target is the first thing
		// that a user hears of.
		if err := g.findTarget(); err != nil {
			return nil, err
		}
	}
	if err := g.addUnitReferences(root); err != nil {
		return nil, err
	}
	if err := g.findTarget(); err != nil {
		return nil, err
	}
	if err := g.checkCycles(); err != nil {
		return nil, err
	}
	if len(g.Nodes) == 1 {
		// One stage and nothing else: progress needs no stage names.
		g.Nodes[0].Label = ""
	}
	return g, nil
}

// builder is what the graph needs in order to grow.
type builder struct {
	opt  Options
	keys map[unitKey]UnitID
	// loading are the units whose references are being followed, outermost
	// first.
	loading []UnitID
}

// addStages adds the stages of a unit as nodes, without their references.
func (g *Graph) addStages(unit UnitID) error {
	u := &g.Units[unit]
	b := &unitBuilder{Graph: g, unit: unit, Unit: u, lex: shell.NewLex(u.File.Escape(dockerfile.Loc{File: u.File.ID})), named: map[string]ID{}}
	b.checkDefaultBases()
	for i := range u.File.Stages {
		if err := b.addStage(&u.File.Stages[i]); err != nil {
			return err
		}
	}
	g.Units[unit].Stages = b.Unit.Stages
	g.Units[unit].nameStages(g)
	return nil
}

func (u *Unit) nameStages(g *Graph) {
	u.named = map[string][]ID{}
	for _, id := range u.Stages {
		if name := g.Node(id).Name; name != "" {
			u.named[name] = append(u.named[name], id)
		}
	}
}

// unitBuilder adds the stages of one file.
type unitBuilder struct {
	*Graph
	*Unit
	unit UnitID
	lex  *shell.Lex
	// named is the latest stage of each name so far: FROM sees earlier
	// stages only, by their exact lower-case name.
	named map[string]ID
}

func (b *unitBuilder) addStage(s *dockerfile.Stage) error {
	id := ID(len(b.Nodes))
	n := Node{ID: id, Unit: b.unit, Name: s.Name, Base: None, NoCache: s.Flags.NoCache, From: s.Stage, Loc: s.Loc}
	n.Label = b.label(s.Name)
	// An INCLUDE'd file has an escape character of its own.
	b.lex = shell.NewLex(b.File.Escape(s.Loc))

	ref, err := b.expandRef(s)
	if err != nil {
		return err
	}
	n.Ref = ref.Result
	used := ref.Matched
	if s.Platform != "" {
		platform, matched, err := b.expandPlatform(s)
		if err != nil {
			return err
		}
		n.Platform = platform
		used = union(used, matched)
	}
	for _, in := range s.Instrs {
		n.Steps = append(n.Steps, Instruction{Instruction: in})
	}
	if n.Replaced, err = b.replaced(&n); err != nil {
		return err
	}
	if n.Replaced {
		// Nothing of the stage is built, but the outline has the args of what
		// it would have been built from, as in docker/dockerfile.
		if base, ok := b.named[n.Ref]; ok {
			n.UsedArgs = b.fromArgs(base)
		}
	} else {
		if n.Label == "" {
			n.Label = b.label(fmt.Sprintf("stage-%d", len(b.Unit.Stages)))
		}
		if base, ok := b.named[n.Ref]; ok {
			n.Base = base
		}
		n.UsedArgs = sortedKeys(used)
		n.Declared = declared(&n)
	}
	if s.Name != "" {
		b.named[s.Name] = id
	}
	b.Nodes = append(b.Nodes, n)
	b.Unit.Stages = append(b.Unit.Stages, id)
	if n.Base != None {
		b.connect(Edge{From: id, To: n.Base, Kind: Base, Loc: s.Loc})
	}
	return nil
}

// fromArgs are the global args in the FROMs that a stage goes back to.
func (b *unitBuilder) fromArgs(id ID) []string {
	used := map[string]struct{}{}
	for ; id != None; id = b.Nodes[id].Base {
		for _, name := range b.Nodes[id].UsedArgs {
			used[name] = struct{}{}
		}
	}
	return sortedKeys(used)
}

// label is a stage's name from outside of its file.
func (b *unitBuilder) label(name string) string {
	if b.unit == 0 || name == "" {
		return name
	}
	return trimPath(b.Files.Source(b.File.ID).Name()) + "#" + name
}

// replaced asks for a named context in place of a stage with a name.
func (b *unitBuilder) replaced(n *Node) (bool, error) {
	if n.Name == "" || n.Name == Scratch || n.Name == "context" || b.opt.Replaces == nil {
		return false, nil // scratch and context mean something else already
	}
	return b.opt.Replaces(n.Outside(), n.Platform)
}

// expandRef is FROM's argument with the global args in it expanded.
func (b *unitBuilder) expandRef(s *dockerfile.Stage) (shell.ProcessWordResult, error) {
	res, err := b.lex.ProcessWordWithMatches(s.BaseName, &b.Globals.Env)
	b.checkFromArgs(s, res.Unmatched)
	if err != nil {
		return res, dockerfile.At(err, s.Loc)
	}
	if res.Result == "" {
		return res, dockerfile.At(errors.Errorf("base name (%s) should not be blank", s.BaseName), s.Loc)
	}
	return res, nil
}

// expandPlatform is the platform of FROM --platform and the args in it.
func (b *unitBuilder) expandPlatform(s *dockerfile.Stage) (*ocispecs.Platform, map[string]struct{}, error) {
	env := &b.Globals.Env
	res, err := b.lex.ProcessWordWithMatches(s.Platform, env)
	b.checkFromArgs(s, res.Unmatched)
	b.checkRedundantPlatform(s, res)
	b.checkConstantPlatform(s, res)
	if err != nil {
		return nil, nil, dockerfile.At(errors.Wrapf(err, "failed to process arguments for platform %s", res.Result), s.Loc)
	}
	if res.Result == "" {
		err := errors.Errorf("empty platform value from expression %s", s.Platform)
		return nil, nil, suggestFor(dockerfile.At(err, s.Loc), res.Unmatched, env.Keys())
	}
	p, err := platforms.Parse(res.Result)
	if err != nil {
		err = suggestFor(err, res.Unmatched, env.Keys())
		return nil, nil, dockerfile.At(errors.Wrapf(err, "failed to parse platform %s", s.Platform), s.Loc)
	}
	return &p, res.Matched, nil
}

// suggestFor adds the name that the user may have meant by one of keys.
func suggestFor(err error, keys map[string]struct{}, options []string) error {
	for _, k := range sortedKeys(keys) {
		if ok, suggested := suggest.WrapErrorMaybe(err, k, options, true); ok {
			return suggested
		}
	}
	return err
}

// declared is how many lines of progress the stage of a node announces.
func declared(n *Node) int {
	total := 0
	if n.Ref != Scratch && n.Base == None {
		total++
	}
	for _, in := range n.Steps {
		switch in.Command.(type) {
		case *instructions.AddCommand, *instructions.CopyCommand, *instructions.RunCommand, *instructions.WorkdirCommand:
			total++
		}
	}
	return total
}
