package stage

import (
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// Ref names a stage across compilations of the same request, where IDs may
// differ.
type Ref struct {
	Way      []dockerfile.Step // to the file
	Context  Context
	Given    []dockerfile.Step // to the file that has Context.Loc
	Settings Settings
	Index    int // among the stages of the file
}

// RefOf returns the reference of a stage.
func (g *Graph) RefOf(id ID) Ref {
	u := g.UnitOf(g.Node(id))
	return Ref{
		Way:      g.Files.WayTo(u.File.ID),
		Context:  g.Contexts[u.Context],
		Given:    g.Files.WayTo(g.Contexts[u.Context].Loc.File),
		Settings: u.Settings,
		Index:    g.Node(id).Index,
	}
}

// findTarget finds the stage that is wanted.
func (g *Builder) findTarget() error {
	switch name := g.opt.Target; {
	case g.opt.Gate != nil:
		return g.findGate(g.opt.Gate)
	case name == "":
		root := g.Units[0].Stages
		g.Target = root[len(root)-1]
		return nil
	case isLabel(name):
		// Any file may have it, and what leads nowhere is of no interest yet.
		g.tolerant = true
		err := g.followAll(map[ID]bool{})
		g.tolerant = false
		if err != nil {
			return err
		}
		g.relabel(g.Asked())
	}
	id, ok, err := g.ByName(g.opt.Target)
	if err != nil {
		return errors.WithMessage(err, "--target")
	}
	if !ok {
		if err := g.unresolvedTarget(); err != nil {
			return err
		}
		return g.targetError()
	}
	g.Target = id
	return nil
}

// unresolvedTarget is why the file that has the target could not be read, nil
// where that is not why it is missing.
func (g *Builder) unresolvedTarget() error {
	wanted, _ := dockerfile.SplitPath(trimPath(g.opt.Target))
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if n.Unresolved == nil || !dockerfile.IsPath(n.Ref) {
			continue
		}
		file, _ := dockerfile.SplitPath(n.Ref)
		if path, err := g.Files.Named(file, n.Use.File); err == nil && trimPath(path) == wanted {
			return dockerfile.At(n.Unresolved, n.Use)
		}
	}
	return nil
}

// findGate finds a stage that another compilation found.
func (g *Builder) findGate(want *Ref) error {
	file, err := g.Files.Go(want.Way)
	if err != nil {
		return err
	}
	c := want.Context
	if c.Loc.File, err = g.Files.Go(want.Given); err != nil {
		return err
	}
	unit, err := g.loadUnit(&unitRequest{
		file:     file,
		context:  g.contextID(c),
		settings: want.Settings,
		depth:    len(want.Way),
		ref:      g.Files.Source(file).Name(),
	})
	if err != nil {
		return err
	}
	g.Target, err = g.at(unit, want.Index)
	return err
}

// Gate is a stage that must succeed for the target to count.
type Gate struct {
	Stage ID
	// By is the stage whose --after requires it, and Loc that FROM.
	By  ID
	Loc dockerfile.Loc
}

// Gates returns the gates of all stages that the target needs, and the gates of
// what these need, each once, in the order in which they are found. What the
// target itself is made from is none: the target cannot succeed without it,
// and should it fail, the failure is the target's own.
func (g *Graph) Gates() []Gate {
	var gates []Gate
	seen := g.Built(g.Target)
	for todo := []ID{g.Target}; len(todo) > 0; todo = todo[1:] {
		for _, id := range g.Order(g.Built(todo[0])) {
			for _, e := range g.Out(id) {
				if e.Kind == After && !seen[e.To] && g.Node(e.To).Kind == Stage {
					seen[e.To] = true
					gates = append(gates, Gate{Stage: e.To, By: id, Loc: e.Loc})
					todo = append(todo, e.To)
				}
			}
		}
	}
	return gates
}
