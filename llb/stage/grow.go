package stage

import (
	"slices"

	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// Grow follows what is new: the references of all stages that the target and
// its gates need, from the target on in the order of the file. What they do
// not need is looked at only where docker/dockerfile does so, or where
// Everything or Tolerant asks for it.
func (g *Builder) Grow() error {
	seen := map[ID]bool{}
	needed, err := g.followFrom(g.Target, seen)
	if err != nil {
		return err
	}
	if err := g.checkFileCircles(needed); err != nil {
		return err
	}
	if err := g.checkReplacements(needed); err != nil {
		return err
	}
	if g.opt.Everything || g.opt.Tolerant {
		g.tolerant = g.opt.Tolerant
		err := g.followAll(seen)
		if g.tolerant = false; err != nil {
			return err
		}
	}
	g.relabel(seen)
	return nil
}

// followFrom follows all that can be reached from a node, gates included, and
// returns what of it was not seen before. A reference that leads nowhere is an error.
func (g *Builder) followFrom(start ID, seen map[ID]bool) ([]ID, error) {
	type visit struct {
		id   ID
		need need
	}
	var order []ID
	glanced := map[ID]bool{}
	for todo := []visit{{start, needFiles}}; len(todo) > 0; {
		id, need := todo[len(todo)-1].id, todo[len(todo)-1].need
		todo = todo[:len(todo)-1]
		if seen[id] || need == needConfig && glanced[id] {
			continue
		}
		seen[id], glanced[id] = need == needFiles, true
		if err := g.Node(id).Unresolved; err != nil && !g.tolerant && !g.excused[id] {
			return nil, dockerfile.At(err, g.Node(id).Use)
		}
		if err := g.follow(id, need); err != nil {
			return nil, err
		}
		order = append(order, id)
		for _, i := range slices.Backward(g.out[id]) {
			e := &g.Edges[i]
			n := e.need(need)
			if e.Kind == After && need == needFiles {
				n = needFiles
			}
			if n != 0 {
				todo = append(todo, visit{e.To, n})
			}
		}
	}
	return order, nil
}

// followAll follows the references of all stages. Of a file with settings of
// its own, only what is referred to counts: its other stages would have it
// refer to further settings without end.
func (g *Builder) followAll(seen map[ID]bool) error {
	for id := ID(0); id < ID(len(g.Nodes)); id++ {
		if g.UnitOf(g.Node(id)).Settings.Empty() {
			if _, err := g.followFrom(id, seen); err != nil {
				return err
			}
		}
	}
	return nil
}

// follow adds what a stage refers to in words that docker/dockerfile has not,
// as far as what is needed of the stage takes it.
func (g *Builder) follow(id ID, need need) error {
	n := g.Node(id)
	if n.Kind != Stage || g.followed[id] {
		return nil
	}
	if need == needConfig {
		return g.followConfig(id)
	}
	g.followed[id] = true
	g.expect(id)
	if n.Replaced {
		return g.followReplaced(id)
	}
	if err := g.openBase(id); err != nil {
		return err
	}
	if err := g.addGates(id, g.fromFlags(id).After); err != nil {
		return dockerfile.At(err, g.Node(id).Loc)
	}
	return g.followSteps(id, g.unseen(id))
}

// unseen returns the references of a stage that were not followed before: of a unit
// with settings, all.
func (g *Builder) unseen(id ID) func(*mention) bool {
	lazy := !g.UnitOf(g.Node(id)).Settings.Empty()
	return func(m *mention) bool { return m.ours || lazy }
}

// followConfig adds what the image config of a stage is made from.
func (g *Builder) followConfig(id ID) error {
	if g.Node(id).Replaced {
		return nil
	}
	if err := g.openBase(id); err != nil {
		return err
	}
	return g.followSteps(id, func(m *mention) bool { return m.kind == Config })
}

// openBase finds the base of a stage where that is of another file.
func (g *Builder) openBase(id ID) error {
	if !g.Node(id).Open {
		return nil
	}
	return dockerfile.At(g.addBase(id, g.fromFlags(id)), g.Node(id).Loc)
}

// openBases finds all that a stage is built from: variables may have their
// values there.
func (g *Builder) openBases(id ID) error {
	seen := map[ID]bool{}
	for ; id != None && !seen[id] && !g.Node(id).Replaced; id = g.Node(id).Base {
		seen[id] = true
		if err := g.openBase(id); err != nil {
			return err
		}
	}
	return nil
}

// followReplaced looks at the instructions of a stage in whose place a named
// context stands. Checks read them; to a build they are nothing, and they may
// lead nowhere.
func (g *Builder) followReplaced(id ID) error {
	if !g.opt.Everything {
		return nil
	}
	before, nodes := g.tolerant, ID(len(g.Nodes))
	g.tolerant = true
	err := g.followSteps(id, g.unseen(id))
	g.tolerant = before
	for ; nodes < ID(len(g.Nodes)); nodes++ {
		g.excused[nodes] = true
	}
	return err
}

// followSteps adds the wanted references of a stage's instructions.
func (g *Builder) followSteps(id ID, wanted func(*mention) bool) error {
	for i := range g.Nodes[id].Steps {
		// Loading another file may move the nodes: the step is copied.
		in := g.Nodes[id].Steps[i]
		if err := g.addReferences(id, i, &in, wanted); err != nil {
			return dockerfile.At(err, in.Loc)
		}
		if err := g.readFile(&in); err != nil && !g.tolerant {
			return err
		}
		g.Nodes[id].Steps[i] = in
	}
	return nil
}

// readFile reads the file of an instruction that has one.
func (g *Builder) readFile(in *Instruction) error {
	c, ok := in.Command.(*dockerfile.FileCommand)
	if !ok {
		return nil
	}
	_, err := c.Read(g.Files, in.Loc)
	return dockerfile.At(err, in.Loc)
}

// fromFlags returns the flags of a stage's FROM.
func (g *Builder) fromFlags(id ID) *dockerfile.FromFlags {
	return &g.UnitOf(g.Node(id)).File.Stages[g.Node(id).Index].Flags
}

// orUnresolved returns the node of a reference. Where it leads nowhere that is an
// error, or a node that says so.
func (g *Builder) orUnresolved(to ID, err error, from ID, ref string, loc dockerfile.Loc) (ID, error) {
	if err == nil || !g.tolerant {
		return to, err
	}
	id := g.addExternal(from, ref, loc, loc)
	g.Node(id).Unresolved = err
	return id, nil
}
