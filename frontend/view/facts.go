package view

// Complete fills in what follows from the nodes and edges: Needed and Circular.
func (g *Graph) Complete() {
	index := NewIndex(len(g.Nodes), func(n int) string { return g.Nodes[n].ID }, g.Edges)
	g.findCircles(index)
	g.findNeeded(index)
}

// findCircles marks an edge of each circle, so that the others have none.
func (g *Graph) findCircles(index *Index) {
	const (
		onPath = 1
		done   = 2
	)
	state := make([]int, len(g.Nodes))
	var visit func(n int)
	visit = func(n int) {
		state[n] = onPath
		index.Needs(n, func(e *Edge, to int) {
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

// findNeeded marks what the target needs.
func (g *Graph) findNeeded(index *Index) {
	needed := index.Reach(index.Nodes[g.Target], func(*Edge) bool { return true })
	for i := range g.Nodes {
		n := &g.Nodes[i]
		n.Needed = needed[i]
		if !n.Needed && !n.lost {
			n.Unresolved = "" // nobody asked for it
		}
	}
}
