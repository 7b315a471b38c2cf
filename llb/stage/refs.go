package stage

import (
	"slices"
	"strconv"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// addReferences finds what an instruction of a stage refers to and adds the
// edges; references that no stage declares become nodes.
func (g *Graph) addReferences(from ID, in *Instruction) error {
	switch c := in.Command.(type) {
	case *instructions.CopyCommand:
		if c.From == "" {
			return nil
		}
		to, last, err := g.copySource(from, c.From, in.Loc)
		if err != nil {
			return err
		}
		in.Sources = []ID{to}
		g.connect(Edge{From: from, To: to, Kind: Copy, Loc: in.Loc, Paths: slices.Clone(c.SourcePaths), OnBuild: in.OnBuild, last: last})
	case *instructions.RunCommand:
		for _, m := range writtenMounts(c) {
			to, last := g.mountSource(from, m.From)
			in.Sources = append(in.Sources, to)
			var paths []string
			if m.From != "" && m.Source != "" {
				paths = []string{m.Source}
			}
			g.connect(Edge{From: from, To: to, Kind: Mount, Loc: in.Loc, Paths: paths, OnBuild: in.OnBuild, Implied: m.From == "", last: last})
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

// copySource is what COPY --from means: an index, a stage, or an image. For
// last, see Edge.
func (g *Graph) copySource(from ID, ref string, loc dockerfile.Loc) (to, last ID, err error) {
	lex := shell.NewLex(g.Escape)
	res, err := lex.ProcessWordWithMatches(ref, &Env{})
	if err != nil {
		return None, None, err
	}
	if res.Result != ref {
		return None, None, errors.New("variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround")
	}
	if index, err := strconv.Atoi(ref); err == nil {
		if index < 0 || index >= len(g.Nodes) {
			return None, None, errors.Errorf("invalid stage index %d", index)
		}
		return ID(index), ID(index), nil
	}
	to, last = g.named(from, ref, loc)
	return to, last, nil
}

// mountSource is what a mount's from means. A mount without one stands on the
// empty image, or on the last stage that somebody called scratch.
func (g *Graph) mountSource(from ID, ref string) (to, last ID) {
	if ref != "" {
		return g.named(from, ref, dockerfile.Loc{})
	}
	if id, ok := g.ByName(Scratch); ok {
		return id, id
	}
	id := g.addExternal(Scratch, dockerfile.Loc{})
	return id, id
}

// named is what a name means: a stage, else an image.
func (g *Graph) named(from ID, ref string, loc dockerfile.Loc) (to, last ID) {
	if id, ok := g.Visible(ref, from); ok {
		last, _ := g.ByName(ref)
		return id, last
	}
	id := g.addExternal(ref, loc)
	return id, id
}

func (g *Graph) addExternal(ref string, loc dockerfile.Loc) ID {
	id := ID(len(g.Nodes))
	g.Nodes = append(g.Nodes, Node{ID: id, Kind: External, Ref: ref, Base: None, Loc: loc})
	return id
}

// AddTriggers puts the ONBUILD triggers of a stage's base in front of its
// instructions, with the edges that they need. It reports whether the stage
// now refers to something that may still have to be resolved. Errors have the
// location of the stage's FROM.
func (g *Graph) AddTriggers(id ID, triggers []string) (bool, error) {
	n := g.Node(id)
	steps := make([]Instruction, 0, len(triggers)+len(n.Steps))
	refers := false
	for _, text := range triggers {
		parsed, err := dockerfile.ParseTrigger(text, n.Loc)
		if err != nil {
			return false, relocate(err, n.Loc)
		}
		in := Instruction{Instruction: parsed}
		if err := g.addReferences(id, &in); err != nil {
			return false, relocate(err, n.Loc)
		}
		n = g.Node(id) // adding an external may have moved the nodes
		refers = refers || len(in.Sources) > 0
		steps = append(steps, in)
	}
	n.Declared += len(steps)
	n.Triggers += len(steps)
	n.Steps = append(steps, n.Steps...)
	return refers, nil
}
