package flatten

import (
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// order returns the stages to write, each after what it needs: those of the
// Dockerfile as they stand there, as far as that is possible, and of other
// files those that are referred to. Where the client names a target, they are
// what it needs, and it is the last.
func order(g *stage.Graph, target bool) []stage.ID {
	o := &ordering{graph: g, seen: map[stage.ID]bool{}}
	if target {
		for _, gate := range g.Gates() {
			o.add(gate.Stage)
		}
		o.add(g.Target)
		return o.list
	}
	for _, id := range g.Units[0].Stages {
		o.add(id)
	}
	return o.list
}

type ordering struct {
	graph *stage.Graph
	seen  map[stage.ID]bool
	list  []stage.ID
}

func (o *ordering) add(id stage.ID) {
	n := o.graph.Node(id)
	if o.seen[id] || n.Kind != stage.Stage {
		return
	}
	o.seen[id] = true
	for _, e := range o.graph.Out(id) {
		if o.first(e) {
			o.add(e.To)
		}
	}
	o.list = append(o.list, id)
}

// first reports whether the end of an edge is written before its start.
func (o *ordering) first(e stage.Edge) bool {
	from, to := o.graph.Node(e.From), o.graph.Node(e.To)
	switch {
	case e.Implied || from.Replaced:
		return false
	case e.Kind == stage.After:
		return to.Unit != 0 // a gate of the Dockerfile stands where it stands
	case to.Unit == 0 && from.Unit == 0 && e.To < e.From:
		return true
	}
	// A cycle that nothing needs has no order.
	return !o.graph.Reach(e.To)[e.From]
}

// blocks are the pieces of a unit: those before its first stage, and those of
// each stage.
type blocks struct {
	preamble []piece
	stages   [][]piece
}

func split(pieces []piece) blocks {
	var b blocks
	for _, p := range pieces {
		switch last := len(b.stages) - 1; {
		case p.is("from"):
			b.stages = append(b.stages, []piece{p})
		case last < 0:
			b.preamble = append(b.preamble, p)
		default:
			b.stages[last] = append(b.stages[last], p)
		}
	}
	return b
}

// unitBlocks returns the blocks of a unit.
func unitBlocks(files *dockerfile.Files, u *stage.Unit) (blocks, error) {
	pieces, err := scan(files, u.File.ID)
	return split(pieces), err
}
