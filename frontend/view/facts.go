package view

// Complete fills in what follows from the nodes and edges: Needed and Circular.
func (g *Graph) Complete() {
	index := NewIndex(len(g.Nodes), func(n int) string { return g.Nodes[n].ID }, g.Edges)
	g.findCircles(index)
	g.findNeeded(index)
}

// findCircles marks an edge of each cycle, so that the others have none.
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

// wanted tells of each node whether the target needs it: its files, or its
// config alone, for which it needs no more than the config of its base.
func (g *Graph) wanted(index *Index) []bool {
	isConfig := func(e *Edge) bool { return e.Kind == Config }
	wanted := index.Reach(index.Nodes[g.Target], func(e *Edge) bool { return !isConfig(e) })
	var todo []int
	add := func(n int, follow func(*Edge) bool) {
		index.Needs(n, func(e *Edge, to int) {
			if follow(e) && !wanted[to] {
				wanted[to] = true
				todo = append(todo, to)
			}
		})
	}
	for n := range g.Nodes {
		if wanted[n] {
			add(n, isConfig)
		}
	}
	for len(todo) > 0 {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		add(n, func(e *Edge) bool { return isConfig(e) || e.Kind == Base })
	}
	return wanted
}

// findNeeded marks what the target needs.
func (g *Graph) findNeeded(index *Index) {
	needed := g.wanted(index)
	for i := range g.Nodes {
		n := &g.Nodes[i]
		n.Needed = needed[i]
		if !n.Needed && !n.lost {
			n.Unresolved = "" // nobody asked for it
		}
	}
}
