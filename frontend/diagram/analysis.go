package diagram

import (
	"slices"

	"github.com/stagecraft/stagecraft/frontend/view"
)

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
			g.lookup().Needs(n, func(e *view.Edge, to int) {
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
		g.lookup().Needs(i, func(_ *view.Edge, to int) {
			if first[to] == unknown || n.Layer < first[to] {
				first[to] = n.Layer
			}
		})
	}
	for i := range g.Nodes {
		if n := &g.Nodes[i]; n.Kind != view.KindStage && n.Layer == 0 {
			n.Layer = max(0, first[i]-1)
		}
	}
}

// runs reports whether a build of the target runs the node's instructions.
func (n *Node) runs() bool { return n.Kind == view.KindStage && n.Needed }

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
		g.lookup().Needs(n, func(e *view.Edge, to int) {
			if view.Waits(e) && !e.Circular && g.Nodes[to].runs() {
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
	last := g.lookup().Nodes[g.Target]
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
