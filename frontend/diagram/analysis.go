package diagram

import "slices"

// analyse fills in what follows from the nodes and edges.
func (g *Graph) analyse() {
	g.findCircles()
	g.findNeeded()
	g.findLayers()
	g.findParallel()
	g.findLongestChain()
}

// needs calls a function with each edge of a node, and the node that it leads
// to.
func (g *Graph) needs(n int, f func(e *Edge, to int)) {
	found := g.lookup()
	for _, i := range found.edges[n] {
		e := &g.Edges[i]
		f(e, found.nodes[e.Needs])
	}
}

// findCircles marks an edge of each circle, so that the others have none.
func (g *Graph) findCircles() {
	const (
		onPath = 1
		done   = 2
	)
	state := make([]int, len(g.Nodes))
	var visit func(n int)
	visit = func(n int) {
		state[n] = onPath
		g.needs(n, func(e *Edge, to int) {
			switch state[to] {
			case onPath:
				e.Circular = true
			case 0:
				visit(to)
			}
		})
		state[n] = done
	}
	for n := range g.Nodes {
		if state[n] == 0 {
			visit(n)
		}
	}
}

// reach tells of each node whether a node needs it, itself among them, along
// some edges.
func (g *Graph) reach(from int, follow func(*Edge) bool) []bool {
	reached := make([]bool, len(g.Nodes))
	reached[from] = true
	for todo := []int{from}; len(todo) > 0; {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		g.needs(n, func(e *Edge, to int) {
			if follow(e) && !reached[to] {
				reached[to] = true
				todo = append(todo, to)
			}
		})
	}
	return reached
}

// waits says that a stage cannot start an instruction before the node that
// the edge leads to is complete. A gate may run at any time.
func waits(e *Edge) bool { return e.Kind != After }

func (g *Graph) findNeeded() {
	needed := g.reach(g.lookup().nodes[g.Target], func(*Edge) bool { return true })
	for i := range g.Nodes {
		n := &g.Nodes[i]
		n.Needed = needed[i]
		if !n.Needed && !n.lost {
			n.Unresolved = "" // nobody asked for it
		}
	}
}

// unknown is in the place of a number that is not computed yet.
const unknown = -1

func unknowns(n int) []int { return slices.Repeat([]int{unknown}, n) }

// findLayers puts each node one below the lowest that it needs, and an image
// right above the first that needs it.
func (g *Graph) findLayers() {
	layer := unknowns(len(g.Nodes))
	var visit func(n int) int
	visit = func(n int) int {
		if layer[n] == unknown {
			l := 0
			g.needs(n, func(e *Edge, to int) {
				if !e.Circular {
					l = max(l, visit(to)+1)
				}
			})
			layer[n] = l
		}
		return layer[n]
	}
	first := unknowns(len(g.Nodes)) // the least layer that needs a node
	for i := range g.Nodes {
		n := &g.Nodes[i]
		n.Layer = visit(i)
		g.needs(i, func(_ *Edge, to int) {
			if first[to] == unknown || n.Layer < first[to] {
				first[to] = n.Layer
			}
		})
	}
	for i := range g.Nodes {
		if n := &g.Nodes[i]; n.Kind != KindStage && n.Layer == 0 {
			n.Layer = max(0, first[i]-1)
		}
	}
}

// runs says that a build of the target runs the node's instructions.
func (n *Node) runs() bool { return n.Kind == KindStage && n.Needed }

// chain is a chain of stages that ends with one, and the node before that.
type chain struct {
	stages, steps int
	before        int
}

func (c chain) longer(than chain) bool {
	return c.stages > than.stages || c.stages == than.stages && c.steps > than.steps
}

func (g *Graph) findLongestChain() {
	best := make([]chain, len(g.Nodes))
	var visit func(n int) chain
	visit = func(n int) chain {
		if best[n].stages > 0 {
			return best[n]
		}
		longest := chain{before: unknown}
		g.needs(n, func(e *Edge, to int) {
			if waits(e) && !e.Circular && g.Nodes[to].runs() {
				c := visit(to)
				c.before = to
				if c.longer(longest) {
					longest = c
				}
			}
		})
		longest.stages++
		longest.steps += g.Nodes[n].Steps
		best[n] = longest
		return longest
	}
	last := g.lookup().nodes[g.Target]
	for i := range g.Nodes {
		// A gate's chain may be longer than the target's.
		if g.Nodes[i].runs() && visit(i).longer(visit(last)) {
			last = i
		}
	}
	g.LongestChain = []string{}
	for n := last; n != unknown && g.Nodes[n].runs(); n = visit(n).before {
		g.LongestChain = append(g.LongestChain, g.Nodes[n].ID)
	}
	slices.Reverse(g.LongestChain)
}
