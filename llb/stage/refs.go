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
		to, err := g.copySource(from, c.From, in.Loc)
		if err != nil {
			return err
		}
		in.Sources = []ID{to}
		g.connect(Edge{From: from, To: to, Kind: Copy, Loc: in.Loc, Paths: slices.Clone(c.SourcePaths), OnBuild: in.OnBuild})
	case *instructions.RunCommand:
		for _, m := range writtenMounts(c) {
			to := g.mountSource(from, m.From)
			in.Sources = append(in.Sources, to)
			var paths []string
			if m.From != "" && m.Source != "" {
				paths = []string{m.Source}
			}
			g.connect(Edge{From: from, To: to, Kind: Mount, Loc: in.Loc, Paths: paths, OnBuild: in.OnBuild})
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
func (g *Graph) copySource(from ID, ref string, loc dockerfile.Loc) (ID, error) {
	lex := shell.NewLex(g.Escape)
	res, err := lex.ProcessWordWithMatches(ref, &Env{})
	if err != nil {
		return None, err
	}
	if res.Result != ref {
		return None, errors.New("variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround")
	}
	if index, err := strconv.Atoi(ref); err == nil {
		if index < 0 || index >= len(g.Nodes) {
			return None, errors.Errorf("invalid stage index %d", index)
		}
		return ID(index), nil
	}
	if id, ok := g.Visible(ref, from); ok {
		return id, nil
	}
	return g.addExternal(ref, loc), nil
}

// mountSource is what a mount's from means. A mount without one stands on the
// empty image, or on a stage that somebody called scratch.
func (g *Graph) mountSource(from ID, ref string) ID {
	if ref == "" {
		ref = Scratch
	}
	if id, ok := g.Visible(ref, from); ok {
		return id
	}
	return g.addExternal(ref, dockerfile.Loc{})
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
