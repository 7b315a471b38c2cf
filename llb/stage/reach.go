package stage

// Reach is the set of nodes whose files or config a node needs, itself among
// them. Gates are not: see [Graph.Gates].
func (g *Graph) Reach(from ID) map[ID]bool {
	return g.reach([]ID{from}, func(e *Edge) bool { return e.Kind != After })
}

// Asked is the set of all nodes that something refers to, wanted or not: all
// but the stages of files with settings of their own that no reference means.
func (g *Graph) Asked() map[ID]bool {
	var plain []ID
	for id := range ID(len(g.Nodes)) {
		if g.UnitOf(g.Node(id)).Settings.Empty() {
			plain = append(plain, id)
		}
	}
	return g.reach(plain, func(*Edge) bool { return true })
}

// reach is the set of nodes that some edges lead to, with those where they
// start.
func (g *Graph) reach(todo []ID, follow func(*Edge) bool) map[ID]bool {
	reached := map[ID]bool{}
	for _, id := range todo {
		reached[id] = true
	}
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, i := range g.out[id] {
			if e := &g.Edges[i]; follow(e) && !reached[e.To] {
				reached[e.To] = true
				todo = append(todo, e.To)
			}
		}
	}
	return reached
}

// Order are the nodes of a set such that each stands behind what it needs,
// and in the order of the file otherwise. Edges that close a circle are left
// out of account; a target's own are refused before (see checkCycles).
func (g *Graph) Order(set map[ID]bool) []ID {
	var order []ID
	visited := map[ID]bool{}
	var visit func(ID)
	visit = func(id ID) {
		if visited[id] || !set[id] {
			return
		}
		visited[id] = true
		for _, e := range g.Out(id) {
			if g.ordered(e) {
				visit(e.To)
			}
		}
		order = append(order, id)
	}
	for id := range ID(len(g.Nodes)) {
		visit(id)
	}
	return order
}

// ordered says that the start of an edge stands behind its end.
func (g *Graph) ordered(e Edge) bool {
	switch {
	case g.Node(e.To).Kind == External:
		return true
	case g.Node(e.From).Replaced, g.Node(e.From).Kind == External:
		return false // these are there before all others
	default:
		return e.Kind != After && !e.Implied
	}
}
