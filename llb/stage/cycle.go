package stage

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// checkCycles refuses stages that need themselves. docker/dockerfile looks at
// copies and mounts everywhere, so that a cycle of these is an error even
// where the target does not need it; one that a base edge closes is an error
// only for the target.
func (g *Graph) checkCycles() error {
	copies := &circles{graph: g, next: func(e Edge) ID {
		// A name that means another stage there makes no cycle of ours.
		if (e.Kind == Copy || e.Kind == Mount) && e.last == e.To {
			return e.To
		}
		return None
	}}
	for id := range ID(g.Stages) {
		if err := copies.from(id); err != nil {
			return err
		}
	}
	return g.CheckTarget()
}

// CheckTarget refuses a cycle among the stages that the target needs. It is
// asked again after triggers have added edges.
func (g *Graph) CheckTarget() error {
	reach := g.Reach(g.Target)
	c := &circles{graph: g, next: g.orderedEnd}
	for id := range ID(len(g.Nodes)) {
		if !reach[id] {
			continue
		}
		if err := c.from(id); err != nil {
			return err
		}
	}
	return nil
}

// CheckAll refuses a cycle anywhere.
func (g *Graph) CheckAll() error {
	all := &circles{graph: g, next: g.orderedEnd}
	for id := range ID(len(g.Nodes)) {
		if err := all.from(id); err != nil {
			return err
		}
	}
	return nil
}

// orderedEnd returns the end of an edge whose two ends stand in an order, None for
// others.
func (g *Graph) orderedEnd(e Edge) ID {
	from := g.Node(e.From)
	if e.Implied || e.ofItself() || from.Replaced || from.Kind == External {
		// What is replaced, or an image that is only copied from, is there,
		// whatever its instructions or triggers say.
		return None
	}
	return e.To
}

// circles looks for cycles. What it has seen from one node it does not look
// at again from another.
type circles struct {
	graph *Graph
	// next is the node to go to along an edge, None not to go.
	next func(Edge) ID
	seen map[ID]visit
	path []Edge
}

type visit int

const (
	onPath visit = iota + 1
	done
)

// from is the error for a cycle that can be reached from a node.
func (c *circles) from(id ID) error {
	if c.seen == nil {
		c.seen = map[ID]visit{}
	}
	if c.seen[id] != 0 || !c.walk(id) {
		return nil
	}
	return c.graph.cycleError(c.path)
}

// walk reports whether it found a cycle, which is then the end of the path.
func (c *circles) walk(id ID) bool {
	c.seen[id] = onPath
	last := map[ID]int{} // of several edges to a node the last one is shown
	for _, i := range c.graph.out[id] {
		last[c.next(c.graph.Edges[i])] = i
	}
	for _, i := range c.graph.out[id] {
		e := c.graph.Edges[i]
		to := c.next(e)
		if to == None || i != last[to] || c.seen[to] == done {
			continue
		}
		c.path = append(c.path, e)
		if c.seen[to] == onPath || c.walk(to) {
			return true
		}
		c.path = c.path[:len(c.path)-1]
	}
	c.seen[id] = done
	return false
}

// ofItself reports whether a trigger copies from the stage that it is in. That is no
// cycle: what it gets is the stage as it is so far.
func (e *Edge) ofItself() bool { return e.OnBuild && e.From == e.To }

// cycleError shows the whole way around, with the line of each step. The path
// leads to the cycle and ends where it closes; the error has the location of
// each of its edges.
func (g *Graph) cycleError(path []Edge) error {
	end := path[len(path)-1].To
	start := slices.IndexFunc(path, func(e Edge) bool { return e.From == end })
	var way strings.Builder
	for _, e := range path[start:] {
		fmt.Fprintf(&way, "%s -(%s, %s)-> ", g.display(e.From), e.Kind, g.Files.Place(e.Loc))
	}
	way.WriteString(g.display(end))
	err := errors.Errorf("circular dependency detected on stage: %s: %s; %s", g.display(path[0].From), way.String(), g.breakCycle(path[start:]))
	for _, e := range path {
		err = dockerfile.At(err, e.Loc)
	}
	return err
}

// breakCycle is advice to one who wrote a cycle.
func (g *Graph) breakCycle(cycle []Edge) string {
	isGate := func(e Edge) bool { return e.Kind == After }
	gate := slices.IndexFunc(cycle, isGate)
	switch {
	case len(cycle) == 1 && gate == 0:
		return "a stage cannot be its own gate"
	case len(cycle) == 1 && cycle[0].Kind == Config:
		return "a stage cannot take over its own config"
	case len(cycle) == 1 && cycle[0].Kind == Mount:
		return "a stage cannot mount itself"
	case len(cycle) == 1:
		return "a stage cannot copy from itself"
	case gate < 0:
		return "break the cycle by moving what these stages need from each other into a stage of its own"
	case !slices.ContainsFunc(cycle, func(e Edge) bool { return !isGate(e) }):
		return "take one --after out: none of these stages could pass before the others have"
	}
	// A gate that tests the very stage that it gates.
	e := cycle[gate]
	return fmt.Sprintf("put the --after on a stage of its own: FROM --after=%s %s", g.display(e.To), g.display(e.From))
}

func (g *Graph) display(id ID) string {
	if n := g.Node(id); n.Label != "" {
		return n.Label
	}
	return fmt.Sprintf("stage-%d", id)
}
