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

// edges are the edges of each stage.
type edges map[string][]*Edge

func (g *Graph) needs() edges {
	out := edges{}
	for i := range g.Edges {
		e := &g.Edges[i]
		out[e.Stage] = append(out[e.Stage], e)
	}
	return out
}

// findCircles marks an edge of each circle, so that the others have none.
func (g *Graph) findCircles() {
	const (
		onPath = 1
		done   = 2
	)
	out := g.needs()
	state := map[string]int{}
	var visit func(id string)
	visit = func(id string) {
		state[id] = onPath
		for _, e := range out[id] {
			switch state[e.Needs] {
			case onPath:
				e.Circular = true
			case 0:
				visit(e.Needs)
			}
		}
		state[id] = done
	}
	for _, n := range g.Nodes {
		if state[n.ID] == 0 {
			visit(n.ID)
		}
	}
}

// reach are the nodes that a node needs, itself among them, along some edges.
func (out edges) reach(from string, follow func(*Edge) bool) map[string]bool {
	reached := map[string]bool{from: true}
	for todo := []string{from}; len(todo) > 0; {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, e := range out[id] {
			if follow(e) && !reached[e.Needs] {
				reached[e.Needs] = true
				todo = append(todo, e.Needs)
			}
		}
	}
	return reached
}

// waits says that a stage cannot start an instruction before the node that
// the edge leads to is complete. A gate may run at any time.
func waits(e *Edge) bool { return e.Kind != After }

func (g *Graph) findNeeded() {
	needed := g.needs().reach(g.Target, func(*Edge) bool { return true })
	for i := range g.Nodes {
		n := &g.Nodes[i]
		n.Needed = needed[n.ID]
		if !n.Needed {
			n.Unresolved = "" // nobody asked for it
		}
	}
}

// findLayers puts each node one below the lowest that it needs, and an image
// right above the first that needs it.
func (g *Graph) findLayers() {
	out := g.needs()
	layer := map[string]int{}
	var visit func(id string) int
	visit = func(id string) int {
		if l, ok := layer[id]; ok {
			return l
		}
		l := 0
		for _, e := range out[id] {
			if !e.Circular {
				l = max(l, visit(e.Needs)+1)
			}
		}
		layer[id] = l
		return l
	}
	first := map[string]int{} // the least layer that needs a node
	for i := range g.Nodes {
		n := &g.Nodes[i]
		n.Layer = visit(n.ID)
		for _, e := range out[n.ID] {
			if l, ok := first[e.Needs]; !ok || n.Layer < l {
				first[e.Needs] = n.Layer
			}
		}
	}
	for i := range g.Nodes {
		if n := &g.Nodes[i]; n.Kind != KindStage && n.Layer == 0 {
			n.Layer = max(0, first[n.ID]-1)
		}
	}
}

// runs says that a build of the target runs the node's instructions.
func (n *Node) runs() bool { return n.Kind == KindStage && n.Needed }

func (g *Graph) findLongestChain() {
	type chain struct {
		stages, steps int
		before        string
	}
	longer := func(a, b chain) bool {
		return a.stages > b.stages || a.stages == b.stages && a.steps > b.steps
	}
	out := g.needs()
	best := map[string]chain{}
	var visit func(n *Node) chain
	visit = func(n *Node) chain {
		if c, ok := best[n.ID]; ok {
			return c
		}
		var longest chain
		for _, e := range out[n.ID] {
			if before := g.node(e.Needs); waits(e) && !e.Circular && before.runs() {
				c := visit(before)
				c.before = before.ID
				if longer(c, longest) {
					longest = c
				}
			}
		}
		longest.stages++
		longest.steps += n.Steps
		best[n.ID] = longest
		return longest
	}
	last := g.node(g.Target)
	for i := range g.Nodes {
		// A gate's chain may be longer than the target's.
		if n := &g.Nodes[i]; n.runs() && longer(visit(n), visit(last)) {
			last = n
		}
	}
	g.LongestChain = []string{}
	for id := last.ID; last.runs() && id != ""; id = visit(g.node(id)).before {
		g.LongestChain = append(g.LongestChain, id)
	}
	slices.Reverse(g.LongestChain)
}

// findParallel groups what runs at the same time. A set of stages falls apart
// into tracks where no stage of one has to do with a stage of another, and a
// track into further such sets. Where stages are too entangled for that, the
// stages of one layer are a set, a track each.
func (g *Graph) findParallel() {
	out := g.needs()
	reach := map[string]map[string]bool{}
	var running []*Node
	for i := range g.Nodes {
		if n := &g.Nodes[i]; n.runs() {
			running = append(running, n)
			reach[n.ID] = out.reach(n.ID, waits)
		}
	}
	ordered := func(a, b *Node) bool { return reach[a.ID][b.ID] || reach[b.ID][a.ID] }
	parallel := func(a, b *Node) bool { return !ordered(a, b) }

	g.Parallel = [][][]string{}
	var divide func(set []*Node)
	divide = func(set []*Node) {
		for _, part := range connected(set, parallel) {
			if len(part) == 1 {
				continue
			}
			tracks := connected(part, ordered)
			if len(tracks) == 1 {
				g.Parallel = append(g.Parallel, byLayer(part)...)
				continue
			}
			g.Parallel = append(g.Parallel, idsOf(tracks))
			for _, track := range tracks {
				divide(track)
			}
		}
	}
	divide(running)
}

// connected are the parts of a set that a relation holds together. Parts and
// what is in them keep the order of the set.
func connected(set []*Node, related func(a, b *Node) bool) [][]*Node {
	var parts [][]*Node
	member := map[*Node]int{} // number of the part, from 1
	for _, start := range set {
		if member[start] != 0 {
			continue
		}
		parts = append(parts, nil)
		member[start] = len(parts)
		for todo := []*Node{start}; len(todo) > 0; todo = todo[1:] {
			for _, n := range set {
				if member[n] == 0 && related(todo[0], n) {
					member[n] = len(parts)
					todo = append(todo, n)
				}
			}
		}
	}
	for _, n := range set {
		parts[member[n]-1] = append(parts[member[n]-1], n)
	}
	return parts
}

func byLayer(set []*Node) [][][]string {
	layers := map[int][][]*Node{}
	last := 0
	for _, n := range set {
		layers[n.Layer] = append(layers[n.Layer], []*Node{n})
		last = max(last, n.Layer)
	}
	var found [][][]string
	for l := range last + 1 {
		if len(layers[l]) > 1 {
			found = append(found, idsOf(layers[l]))
		}
	}
	return found
}

func idsOf(tracks [][]*Node) [][]string {
	ids := make([][]string, len(tracks))
	for i, track := range tracks {
		for _, n := range track {
			ids[i] = append(ids[i], n.ID)
		}
	}
	return ids
}
