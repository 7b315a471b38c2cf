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

// addPlainReferences adds what the instructions of a unit name as
// docker/dockerfile has it, in the order of the file.
func (g *Builder) addPlainReferences(unit UnitID) error {
	for _, id := range g.Units[unit].Stages {
		for i := range g.Nodes[id].Steps {
			// An image may move the nodes: the step is copied.
			in := g.Nodes[id].Steps[i]
			if err := g.addReferences(id, i, &in, func(m *mention) bool { return !m.ours }); err != nil {
				return dockerfile.At(err, in.Loc)
			}
			g.Nodes[id].Steps[i] = in
		}
	}
	return nil
}

// addGates adds the stages that must succeed for this one to count.
func (g *Builder) addGates(id ID, names []string) error {
	for _, name := range names {
		loc := g.Node(id).Loc
		gate, err := g.gate(id, name)
		if gate, err = g.orUnresolved(gate, err, id, name, loc); err != nil {
			return err
		}
		g.connect(Edge{From: id, To: gate, Kind: After, Loc: loc, at: atGate, ref: name})
	}
	return nil
}

func (g *Builder) gate(id ID, name string) (ID, error) {
	if dockerfile.IsPath(name) {
		return g.fileStage(name, id, "", Settings{}, g.Node(id).Loc)
	}
	if index, ok := g.UnitOf(g.Node(id)).visible(name, g.Node(id).Index); ok {
		return g.at(g.Node(id).Unit, index)
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

// unitNames returns the names of the stages in the file of a node.
func (g *Graph) unitNames(id ID) []string { return g.UnitOf(g.Node(id)).stageNames() }

// mention is one place where an instruction names a stage or an image.
type mention struct {
	kind EdgeKind
	// platform is what --target-platform has for it.
	platform Reference
	// name is what stands there for the parser, and Reference what the file
	// has.
	name string
	Reference
	paths   []string
	implied bool
	// ours is what docker/dockerfile has no words for: it is followed only
	// where it is needed.
	ours, hasVariables bool
}

// mentions returns those of an instruction.
func mentions(in *Instruction) []mention {
	switch c := in.Command.(type) {
	case *instructions.CopyCommand:
		if c.From == "" {
			return nil
		}
		platform := in.Flags.TargetPlatform
		return []mention{{
			kind: Copy, name: c.From, paths: slices.Clone(c.SourcePaths),
			Reference:    Reference{Node: None, Flag: CopyFrom, Written: c.From, Expanded: c.From},
			platform:     Reference{Node: None, Flag: CopyPlatform, Written: platform, Expanded: platform},
			ours:         strings.Contains(c.From, "$") || dockerfile.IsPath(c.From) || platform != "",
			hasVariables: strings.Contains(c.From+platform, "$"),
		}}
	case *instructions.RunCommand:
		var list []mention
		for _, mount := range writtenMounts(c) {
			m := mention{
				kind: Mount, name: mount.From, implied: mount.From == "",
				Reference: Reference{Node: None, Flag: MountFrom, Written: mount.From, Expanded: mount.From},
				ours:      dockerfile.IsPath(mount.From),
			}
			if expr, ok := in.Flags.MountFrom[mount.From]; ok {
				m.Written, m.ours, m.hasVariables = expr, true, true
			}
			if mount.From != "" && mount.Source != "" {
				m.paths = []string{mount.Source}
			}
			list = append(list, m)
		}
		return list
	case *dockerfile.ConfigCommand:
		return []mention{{
			kind: Config, name: c.From, ours: true, hasVariables: strings.Contains(c.From, "$"),
			Reference: Reference{Node: None, Flag: CopyFrom, Written: c.From, Expanded: c.From},
		}}
	}
	return nil
}

// addReferences adds the edges for what an instruction of a stage refers to,
// as far as it is wanted; references that no stage declares become nodes. at
// is the place of the instruction.
func (g *Builder) addReferences(from ID, at int, in *Instruction, wanted func(*mention) bool) error {
	list := mentions(in)
	if in.Refs == nil {
		for i := range list {
			in.Refs = append(in.Refs, list[i].Reference)
			if list[i].platform.Written != "" {
				in.Refs = append(in.Refs, list[i].platform)
			}
		}
	}
	for i := range list {
		m := &list[i]
		if in.Refs[i].Node != None || !wanted(m) {
			continue
		}
		if m.hasVariables {
			if err := g.openBases(from); err != nil {
				return err
			}
		}
		err := g.refer(from, m, in, func() *staticVars { return g.staticVars(from, g.Nodes[from].Steps[:at], in.OnBuild) })
		if m.Node, err = g.orUnresolved(m.Node, err, from, m.Written, in.Loc); err != nil {
			return err
		}
		in.Refs[i] = m.Reference
		if m.platform.Written != "" {
			m.platform.Node = m.Node
			in.Refs[i+1] = m.platform
		}
		e := Edge{From: from, To: m.Node, Kind: m.kind, Loc: in.Loc, Paths: m.paths, OnBuild: in.OnBuild, Implied: m.implied, at: at, ref: m.Expanded}
		if e.last = g.upstreamEnd(m.Node, m.name, from); e.OnBuild {
			e.at = atTrigger
		}
		g.connect(e)
	}
	return nil
}

// writtenMounts returns the mounts of a RUN as they are written. The parser reads
// no more than from of them before they are expanded, so they are expanded to
// themselves; the plan expands the text again.
func writtenMounts(c *instructions.RunCommand) []*instructions.Mount {
	verbatim := func(word string) (string, error) { return word, nil }
	// Values that are variables may be no valid ones yet: what is wrong with
	// a mount is for the plan to say.
	_ = c.Expand(verbatim)
	return instructions.GetMounts(c)
}

// refer finds the node that is mentioned.
func (g *Builder) refer(from ID, m *mention, in *Instruction, vars func() *staticVars) error {
	if m.kind == Mount {
		return g.mountSource(from, m, in, vars)
	}
	set, err := g.copyPlatform(from, &m.platform, in, vars)
	if err != nil {
		return err
	}
	return g.copySource(from, &m.Reference, set, in, vars)
}

// copySource finds what COPY --from means: an index, a stage, or an image.
func (g *Builder) copySource(from ID, ref *Reference, set Settings, in *Instruction, vars func() *staticVars) error {
	lex := g.lexer(g.UnitOf(g.Node(from)).File.Escape(in.Loc))
	res, err := lex.ProcessWordWithMatches(ref.Written, &Env{})
	if err != nil && !strings.Contains(ref.Written, "$") {
		return err
	}
	if err != nil || res.Result != ref.Written {
		if !strings.Contains(ref.Written, "$") {
			return errors.Errorf("--from=%s: quotes and escapes have no meaning here, write the plain name of a stage or an image", ref.Written)
		}
		if err := vars().reference(lex, ref); err != nil {
			return cutShort(err, ref.Written, "--from=")
		}
	}
	if index, err := strconv.Atoi(ref.Expanded); err == nil && !isConfig(in) {
		ref.Node, err = g.byIndex(from, index, set)
		return err
	}
	ref.Node, err = g.source(from, ref.Expanded, set, in, in.Loc)
	return withValues(err, ref)
}

// cutShort completes the error for a value whose end a space cut off.
func cutShort(err error, written, flag string) error {
	if strings.Count(written, "${") <= strings.Count(written, "}") {
		return err
	}
	return errors.Errorf("%v; a flag ends at the first space: where the value has one, put it in quotes, such as %s\"${NAME:?it is required}\"", err, flag)
}

// isConfig reports whether an instruction takes over a config: an index means
// a stage in COPY only.
func isConfig(in *Instruction) bool {
	_, is := in.Command.(*dockerfile.ConfigCommand)
	return is
}

// mountSource finds what a mount's from means. A mount without one stands on
// the empty image, or on a stage that somebody called scratch.
func (g *Builder) mountSource(from ID, m *mention, in *Instruction, vars func() *staticVars) (err error) {
	if m.Written != m.name {
		lex := shell.NewLex(g.UnitOf(g.Node(from)).File.Escape(in.Loc))
		if err := vars().reference(lex, &m.Reference); err != nil {
			return cutShort(err, m.Written, "--mount=from=")
		}
	}
	name := m.Expanded
	if name == "" {
		if index, ok := g.UnitOf(g.Node(from)).latest(Scratch); ok {
			m.Node, err = g.at(g.Node(from).Unit, index)
			return err
		}
		name = Scratch
	}
	// docker/dockerfile gives the fetch of such an image no location.
	m.Node, err = g.source(from, name, Settings{}, in, dockerfile.Loc{})
	return withValues(err, &m.Reference)
}

// source returns a stage or an image, with some settings. fetch is the location
// that an image gets.
func (g *Builder) source(from ID, ref string, set Settings, in *Instruction, fetch dockerfile.Loc) (ID, error) {
	if dockerfile.IsPath(ref) {
		return g.fileStage(dockerfile.FlagText(ref), from, "", set, in.Loc)
	}
	n := g.Node(from)
	u := g.UnitOf(n)
	if last, ok := u.latest(ref); ok && g.lastCounts(last, from, in) {
		return g.withSettings(n.Unit, last, from, set)
	}
	if index, ok := u.visible(ref, n.Index); ok {
		return g.withSettings(n.Unit, index, from, set)
	}
	id := g.addExternal(from, ref, in.Loc, fetch)
	g.Node(id).Platform = set.Platform
	return id, nil
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
// now refers to something that may still have to be resolved: [Builder.Grow]
// follows that. Errors have the location of the stage's FROM.
func (g *Builder) AddTriggers(id ID, triggers []string) (bool, error) {
	loc, where := g.Node(id).Loc, g.Node(id).Where()
	// In front of the stage's own instructions as far as they are read.
	own := g.Node(id).Steps
	var steps []Instruction
	refers := false
	defer func() { g.Node(id).Steps = append(steps, own...) }()
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
			g.Node(id).Steps = steps
			if err := g.addReferences(id, len(steps), &in, func(*mention) bool { return true }); err != nil {
				return false, relocate(err, where)
			}
			if err := g.readFile(&in); err != nil {
				return false, relocate(err, where)
			}
			refers = refers || len(in.Refs) > 0
			steps = append(steps, in)
		}
	}
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
