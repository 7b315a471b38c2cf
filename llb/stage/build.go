package stage

import (
	"slices"

	"github.com/containerd/platforms"
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
	// Everything follows the references of all stages, not only of those
	// that the target needs; Tolerant does so, too, and where the target does
	// not need what leads nowhere puts an unresolved node.
	Everything, Tolerant bool
}

// Builder is a graph that still grows: what triggers bring, and what these
// need, joins it while bases are resolved. After that it is only read.
type Builder struct {
	*Graph
	lexers map[rune]*shell.Lex // by escape character; see lexer
	opt    Options
	units  map[UnitKey]UnitID
	// failed are units that could not be loaded.
	failed map[UnitKey]error
	// followed are the stages whose references by path or variable, and
	// whose gates, are in the graph.
	followed map[ID]bool
	// stands are the externals in whose place a named context stands for a
	// stage of a file that was not read, by their name.
	stands map[string]ID
	// stood are the names of the stages that stands are for.
	stood map[ID]names
	// expected are the stages whose files were announced.
	expected map[ID]bool
	// parsed are the files that units with settings are views of.
	parsed map[dockerfile.FileID]*parsed
	// excused are unresolved nodes that only replaced stages refer to.
	excused map[ID]bool
	// settings counts the units with settings of their own.
	settings int
	// tolerant puts an unresolved node where a reference leads nowhere.
	tolerant bool
}

// Build makes the graph of a file, and of the parts of other files that its
// target needs.
func Build(f *dockerfile.File, globals *Globals, opt Options) (*Builder, error) {
	b := &Builder{
		Graph:    &Graph{Files: f.Files, Contexts: []Context{{}}},
		opt:      opt,
		units:    map[UnitKey]UnitID{},
		failed:   map[UnitKey]error{},
		followed: map[ID]bool{},
		stands:   map[string]ID{},

		stood:    map[ID]names{},
		parsed:   map[dockerfile.FileID]*parsed{f.ID: parsedFile(f)},
		expected: map[ID]bool{}, excused: map[ID]bool{},
	}
	root := Unit{File: f, Globals: globals, Platforms: opt.Platforms}
	root.Key = UnitKey{File: b.Files.Source(f.ID).Name()}
	// The target is looked for before the references, so that a misspelt one
	// is the first thing that a user hears of; in other files it is after them.
	named := opt.Gate == nil && !isLabel(opt.Target)
	if err := b.addUnit(root, func() error {
		if !named {
			return nil
		}
		return b.findTarget()
	}); err != nil {
		return nil, err
	}
	if !named {
		if err := b.findTarget(); err != nil {
			return nil, err
		}
	}
	if err := b.Grow(); err != nil {
		return nil, err
	}
	if err := b.checkCycles(); err != nil {
		return nil, err
	}
	if len(b.Nodes) == 1 {
		// One stage and nothing else: progress needs no stage names.
		b.Nodes[0].Label = ""
	}
	return b, nil
}

// addStages adds the stages of a unit as nodes, without their references.
func (g *Builder) addStages(unit UnitID) error {
	b := g.in(unit)
	g.Nodes = slices.Grow(g.Nodes, len(b.File.Stages))
	b.checkDefaultBases()
	for i := range b.File.Stages {
		if err := b.addStage(i, b.File.Stages[i].Instrs); err != nil {
			return err
		}
	}
	return nil
}

// in prepares to add stages to a unit.
func (g *Builder) in(unit UnitID) *unitBuilder {
	u := &g.Units[unit]
	return &unitBuilder{Builder: g, unit: unit, Unit: u, lex: g.lexer(u.File.Escape(dockerfile.Loc{File: u.File.ID}))}
}

// at returns the stage of an index in a unit. With settings of its own, it joins
// the graph when it is asked for.
func (g *Builder) at(unit UnitID, index int) (ID, error) {
	if id := g.Units[unit].ids[index]; id != None {
		return id, nil
	}
	instrs, err := g.Units[unit].File.Instructions(index)
	if err != nil {
		return None, err
	}
	if err := g.in(unit).addStage(index, instrs); err != nil {
		return None, err
	}
	return g.Units[unit].ids[index], nil
}

// nameStages makes room for the stages of the unit's file.
func (u *Unit) nameStages() {
	u.ids = slices.Repeat([]ID{None}, len(u.File.Stages))
	u.named = stagesByName(u.File)
}

// stagesByName returns the indices of the stages of each name.
func stagesByName(f *dockerfile.File) map[string][]int {
	named := map[string][]int{}
	for i := range f.Stages {
		if name := f.Stages[i].Name; name != "" {
			named[name] = append(named[name], i)
		}
	}
	return named
}

// lexer returns the lexer for an escape character. One serves all references,
// since they are looked at one after the other.
func (g *Builder) lexer(escape rune) *shell.Lex {
	if g.lexers == nil {
		g.lexers = map[rune]*shell.Lex{}
	}
	lex, ok := g.lexers[escape]
	if !ok {
		lex = shell.NewLex(escape)
		g.lexers[escape] = lex
	}
	return lex
}

// unitBuilder adds the stages of one file.
type unitBuilder struct {
	*Builder
	*Unit
	unit UnitID
	lex  *shell.Lex // for the current stage
}

func (b *unitBuilder) addStage(index int, instrs []dockerfile.Instruction) error {
	s := &b.File.Stages[index]
	n := Node{Unit: b.unit, Index: index, Name: s.Name, Base: None, NoCache: s.Flags.NoCache, Squash: s.Flags.Squash, From: s.Stage, Loc: s.Loc}
	n.Label = b.label(nameOr(s.Name, index))
	b.lex = b.lexer(b.File.Escape(s.Loc)) // an INCLUDE'd file has its own

	ref, err := b.expandRef(s)
	if err != nil {
		return err
	}
	n.Ref = ref.Result
	if n.Squash && n.Ref == Scratch {
		return dockerfile.At(errors.New("--squash=all requires a stage or an image with files; scratch has none"), s.Loc)
	}
	used := ref.Matched
	if s.Platform != "" {
		platform, matched, err := b.expandPlatform(s)
		if err != nil {
			return err
		}
		n.Platform = platform
		used = union(used, matched)
	}
	n.Steps = make([]Instruction, len(instrs))
	for i, in := range instrs {
		n.Steps[i].Instruction = in
	}
	if n.Replacement, err = b.replacement(&n); err != nil {
		return err
	}
	n.Replaced = n.Replacement != ""
	base := None
	if earlier, ok := b.earlier(n.Ref, index); ok && !ours(&n, &s.Flags) {
		if base, err = b.at(b.unit, earlier); err != nil {
			return err
		}
	}
	if n.Replaced {
		// Nothing of the stage is built, but the outline has the args of what
		// it would have been built from, as in docker/dockerfile.
		if base != None {
			n.UsedArgs = b.fromArgs(base)
		}
	} else {
		n.Open, n.Base = ours(&n, &s.Flags), base
		n.UsedArgs = sortedKeys(used)
	}
	n.ID = ID(len(b.Nodes))
	b.Nodes = append(b.Nodes, n)
	b.Unit.Stages = append(b.Unit.Stages, n.ID)
	b.ids[index] = n.ID
	if n.Base != None {
		b.connect(Edge{From: n.ID, To: n.Base, Kind: Base, Loc: s.Loc, at: atBase})
	}
	return nil
}

// fromArgs returns the global args in the FROMs that a stage goes back to.
func (b *unitBuilder) fromArgs(id ID) []string {
	used := map[string]struct{}{}
	for ; id != None; id = b.Nodes[id].Base {
		for _, name := range b.Nodes[id].UsedArgs {
			used[name] = struct{}{}
		}
	}
	return sortedKeys(used)
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

// expandPlatform returns the platform of FROM --platform and the args in it.
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
