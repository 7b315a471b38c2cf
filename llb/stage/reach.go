package stage

// Reach returns the set of nodes whose files or config a node needs, itself among
// them. Gates are not: see [Graph.Gates].
func (g *Graph) Reach(from ID) map[ID]bool {
	reached := map[ID]bool{}
	for id := range g.needs(from) {
		reached[id] = true
	}
	return reached
}

// Built returns the set of nodes that a build of a node carries out: those whose
// files it needs. Of the others in [Graph.Reach] only the config is wanted.
func (g *Graph) Built(from ID) map[ID]bool {
	built := map[ID]bool{}
	for id, n := range g.needs(from) {
		if n == needFiles {
			built[id] = true
		}
	}
	return built
}

// need is what is needed of a node.
type need int

const (
	needConfig need = iota + 1 // the image config alone
	needFiles                  // the files, and with them the config
)

// needs returns the nodes that a node needs, and what of them. For its config
// alone a node needs no more than the config of its base, and of what its own
// ENV --from names.
func (g *Graph) needs(from ID) map[ID]need {
	needs := map[ID]need{from: needFiles}
	for todo := []ID{from}; len(todo) > 0; {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, i := range g.out[id] {
			e := &g.Edges[i]
			if n := e.need(needs[id]); n > needs[e.To] {
				needs[e.To] = n
				todo = append(todo, e.To)
			}
		}
	}
	return needs
}

// need returns what a node needs of the end of an edge, where own is needed of the
// node itself; 0 is nothing.
func (e *Edge) need(own need) need {
	switch {
	case e.Kind == Config:
		return needConfig
	case e.Kind == Base:
		return own
	case e.Kind == After, own == needConfig:
		return 0
	default:
		return needFiles
	}
}

// Asked returns the set of all nodes that something refers to, wanted or not: all
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

// reach returns the set of nodes that some edges lead to, with those where they
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

// Order returns the nodes of a set such that each stands behind what it needs,
// and in the order of the file otherwise. Edges that close a cycle are left
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

// ordered reports whether the start of an edge stands behind its end.
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
