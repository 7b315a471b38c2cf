package stage

import (
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/moby/buildkit/util/suggest"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// addUnitReferences adds what the stages of a unit refer to: first what they
// are built from and gated by, then what their instructions name.
func (g *Graph) addUnitReferences(unit UnitID) error {
	for i, id := range g.Units[unit].Stages {
		flags := &g.Units[unit].File.Stages[i].Flags
		if err := g.addBase(id, flags); err != nil {
			return dockerfile.At(err, g.Node(id).Loc)
		}
		if err := g.addGates(id, flags.After); err != nil {
			return dockerfile.At(err, g.Node(id).Loc)
		}
	}
	for _, id := range g.Units[unit].Stages {
		for i := range g.Nodes[id].Steps {
			// Loading another file may move the nodes: the step is copied.
			in := g.Nodes[id].Steps[i]
			vars := func() *staticVars { return g.staticVars(id, g.Nodes[id].Steps[:i], false) }
			if err := g.addReferences(id, &in, vars); err != nil {
				return dockerfile.At(err, in.Loc)
			}
			g.Nodes[id].Steps[i] = in
		}
	}
	return nil
}

// addBase follows a FROM that names a stage of another file.
func (g *Graph) addBase(id ID, flags *dockerfile.FromFlags) error {
	ref := g.Node(id).Ref
	if !dockerfile.IsPath(ref) {
		if flags.Context != "" {
			return errors.Errorf("--context is the build context of another file's stages, and %s is no file: write FROM --context=%s ./path/Dockerfile#stage", ref, flags.Context)
		}
		return nil
	}
	base, err := g.fileStage(ref, id, flags.Context, g.Node(id).Loc)
	if err != nil {
		return err
	}
	n := g.Node(id)
	if n.Replaced {
		return nil // a named context takes the place of the stage and its base
	}
	n.Base = base
	n.Declared = declared(n)
	g.connect(Edge{From: id, To: base, Kind: Base, Loc: n.Loc})
	return nil
}

// addGates adds the stages that must succeed for this one to count.
func (g *Graph) addGates(id ID, names []string) error {
	if g.Node(id).Replaced {
		return nil // nothing of the stage is built
	}
	for _, name := range names {
		gate, err := g.gate(id, name)
		if err != nil {
			return err
		}
		g.connect(Edge{From: id, To: gate, Kind: After, Loc: g.Node(id).Loc})
	}
	return nil
}

func (g *Graph) gate(id ID, name string) (ID, error) {
	if dockerfile.IsPath(name) {
		return g.fileStage(name, id, "", g.Node(id).Loc)
	}
	if gate, ok := g.Visible(name, id); ok {
		return gate, nil
	}
	names := g.unitNames(id)
	switch _, notNumber := strconv.Atoi(name); {
	case notNumber == nil:
		return None, errors.Errorf("--after=%s: an index means a stage in COPY --from only; write the stage's name, and give it one with AS where it has none", name)
	case strings.Contains(name, "$"):
		return None, errors.Errorf("--after=%s: variables are not expanded here; %s", name, knownStages(names))
	}
	err := errors.Errorf("--after=%s: there is no stage of this name; %s", name, knownStages(names))
	return None, suggest.WrapError(err, name, names, false)
}

func knownStages(names []string) string {
	if len(names) == 0 {
		return "no stage of this file has a name"
	}
	return "known stages are " + strings.Join(names, ", ")
}

// unitNames are the names of the stages in the file of a node.
func (g *Graph) unitNames(id ID) []string {
	var names []string
	for _, s := range g.UnitOf(g.Node(id)).Stages {
		if name := g.Node(s).Name; name != "" {
			names = append(names, name)
		}
	}
	return names
}

// addReferences finds what an instruction of a stage refers to and adds the
// edges; references that no stage declares become nodes.
func (g *Graph) addReferences(from ID, in *Instruction, vars func() *staticVars) error {
	switch c := in.Command.(type) {
	case *instructions.CopyCommand:
		if c.From == "" {
			return nil
		}
		ref, err := g.copySource(from, c.From, in, vars)
		if err != nil {
			return err
		}
		in.Refs = []Reference{ref}
		to := ref.Node
		g.connect(Edge{From: from, To: to, Kind: Copy, Loc: in.Loc, Paths: slices.Clone(c.SourcePaths), OnBuild: in.OnBuild, last: g.upstreamEnd(to, c.From, from)})
	case *instructions.RunCommand:
		for _, m := range writtenMounts(c) {
			ref, err := g.mountSource(from, m.From, in, vars)
			if err != nil {
				return err
			}
			in.Refs = append(in.Refs, ref)
			to := ref.Node
			var paths []string
			if m.From != "" && m.Source != "" {
				paths = []string{m.Source}
			}
			g.connect(Edge{From: from, To: to, Kind: Mount, Loc: in.Loc, Paths: paths, OnBuild: in.OnBuild, Implied: m.From == "", last: g.upstreamEnd(to, m.From, from)})
		}
	}
	return nil
}

// writtenMounts are the mounts of a RUN as they are written. The parser reads
// no more than from of them before they are expanded, so they are expanded to
// themselves; the plan expands the text anew.
func writtenMounts(c *instructions.RunCommand) []*instructions.Mount {
	verbatim := func(word string) (string, error) { return word, nil }
	// Values that are variables may be no valid ones yet: what is wrong with
	// a mount is for the plan to say.
	_ = c.Expand(verbatim)
	return instructions.GetMounts(c)
}

// copySource is what COPY --from means: an index, a stage, or an image.
func (g *Graph) copySource(from ID, written string, in *Instruction, vars func() *staticVars) (Reference, error) {
	ref := Reference{Flag: CopyFrom, Written: written, Expanded: written}
	lex := shell.NewLex(g.UnitOf(g.Node(from)).File.Escape(in.Loc))
	res, err := lex.ProcessWordWithMatches(written, &Env{})
	if err != nil && !strings.Contains(written, "$") {
		return ref, err
	}
	if err != nil || res.Result != written {
		if !strings.Contains(written, "$") {
			return ref, errors.Errorf("--from=%s: quotes and escapes have no meaning here, write the plain name of a stage or an image", written)
		}
		if err := vars().reference(lex, &ref); err != nil {
			return ref, err
		}
	}
	if index, err := strconv.Atoi(ref.Expanded); err == nil {
		ref.Node, err = g.byIndex(from, index)
		return ref, err
	}
	ref.Node, err = g.source(from, ref.Expanded, in, in.Loc)
	return ref, err
}

// byIndex counts the stages of a file; in the Dockerfile itself images that
// were referred to before count on, as in docker/dockerfile.
func (g *Graph) byIndex(from ID, index int) (ID, error) {
	unit := g.UnitOf(g.Node(from))
	switch {
	case index >= 0 && index < len(unit.Stages):
		return unit.Stages[index], nil
	case index >= 0 && g.Node(from).Unit == 0 && index < len(g.Nodes) && g.Node(ID(index)).Unit == 0:
		return ID(index), nil
	}
	return None, errors.Errorf("invalid stage index %d", index)
}

// mountSource is what a mount's from means. A mount without one stands on the
// empty image, or on a stage that somebody called scratch.
func (g *Graph) mountSource(from ID, written string, in *Instruction, vars func() *staticVars) (Reference, error) {
	ref := Reference{Flag: MountFrom, Written: written, Expanded: written}
	var err error
	if expr, ok := in.Flags.MountFrom[written]; ok {
		ref.Written = expr
		lex := shell.NewLex(g.UnitOf(g.Node(from)).File.Escape(in.Loc))
		if err := vars().reference(lex, &ref); err != nil {
			return ref, err
		}
	}
	name := ref.Expanded
	if name == "" {
		if id, ok := g.latest(Scratch, from); ok {
			ref.Node = id
			return ref, nil
		}
		name = Scratch
	}
	// docker/dockerfile gives the fetch of such an image no location.
	ref.Node, err = g.source(from, name, in, dockerfile.Loc{})
	return ref, err
}

// source is a stage or an image. fetch is the location that an image gets.
func (g *Graph) source(from ID, ref string, in *Instruction, fetch dockerfile.Loc) (ID, error) {
	if dockerfile.IsPath(ref) {
		return g.fileStage(ref, from, "", in.Loc)
	}
	if last, ok := g.latest(ref, from); ok && g.lastCounts(last, from, in) {
		return last, nil
	}
	if id, ok := g.Visible(ref, from); ok {
		return id, nil
	}
	return g.addExternal(from, ref, in.Loc, fetch), nil
}

// lastCounts says that a name means its last stage even where that is not an
// earlier one. In docker/dockerfile it always does, which is an error but for
// three cases: circles are looked for before triggers fire, so that one may
// copy from its own stage; a stage that a named context replaces is there from
// the start; and its own instructions are never evaluated, but what they name
// is built.
func (g *Graph) lastCounts(last, from ID, in *Instruction) bool {
	return last == from && in.OnBuild || g.Node(last).Replaced || g.Node(from).Replaced
}

// upstreamEnd is Edge.last for a reference to a stage by its name.
func (g *Graph) upstreamEnd(to ID, ref string, from ID) ID {
	if n := g.Node(to); n.Kind == External || !strings.EqualFold(n.Name, ref) || n.Unit != g.Node(from).Unit {
		return to
	}
	last, _ := g.latest(ref, from)
	return last
}

func (g *Graph) addExternal(from ID, ref string, use, loc dockerfile.Loc) ID {
	id := ID(len(g.Nodes))
	g.Nodes = append(g.Nodes, Node{ID: id, Kind: External, Unit: g.Node(from).Unit, Ref: ref, Base: None, Loc: loc, Use: use})
	return id
}

// StageTriggers returns the ONBUILD instructions of a stage, which fire in
// stages that are built from it.
func (g *Graph) StageTriggers(id ID) []string {
	var triggers []string
	for _, in := range g.Node(id).Steps {
		switch c := in.Command.(type) {
		case *instructions.OnbuildCommand:
			triggers = append(triggers, c.Expression)
		case *dockerfile.UnsetCommand:
			if c.What == "ONBUILD" {
				triggers = nil
			}
		}
	}
	return triggers
}

// AddTriggers puts the ONBUILD triggers of a stage's base in front of its
// instructions, with the edges that they need. It reports whether the stage
// now refers to something that may still have to be resolved. Errors have the
// location of the stage's FROM.
func (g *Graph) AddTriggers(id ID, triggers []string) (bool, error) {
	loc, where := g.Node(id).Loc, g.Node(id).Where()
	var steps []Instruction
	refers := false
	vars := func() *staticVars { return g.staticVars(id, steps, true) }
	for _, text := range triggers {
		parsed, err := g.UnitOf(g.Node(id)).File.ParseTrigger(text, loc)
		if err != nil {
			if word, _, _ := strings.Cut(text, " "); strings.EqualFold(word, "include") {
				// The file that is wrong is this build's, not the base's.
				err = errors.WithMessagef(err, "a trigger of %s", g.Node(id).Ref)
			}
			return false, relocate(err, where)
		}
		for _, p := range parsed {
			in := Instruction{Instruction: p}
			if err := g.addReferences(id, &in, vars); err != nil {
				return false, relocate(err, where)
			}
			refers = refers || len(in.Refs) > 0
			steps = append(steps, in)
		}
	}
	n := g.Node(id)
	n.Declared += len(steps)
	n.Triggers += len(steps)
	n.Steps = append(steps, n.Steps...)
	return refers, nil
}

// relocate gives an error the location of the FROM that fired a trigger in
// place of a location inside the trigger, which no file has. An error in
// another file keeps its own.
func relocate(err error, loc dockerfile.Loc) error {
	var known *parser.LocationError
	if errors.As(err, &known) && dockerfile.FileOf(err) != loc.File {
		return err
	}
	return dockerfile.InFile(parser.SetLocation(err, loc.Ranges), loc.File)
}
