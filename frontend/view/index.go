package view

// Index finds the nodes of a graph by their IDs, and its edges by their stages.
// It stays right as long as no node and no edge is added.
type Index struct {
	// Nodes are the indices of the nodes by their IDs.
	Nodes map[string]int
	// Edges are, for each node, the indices of its edges in their order.
	Edges [][]int

	edges []Edge
}

// NewIndex returns the index of a number of nodes, with their IDs, and edges.
func NewIndex(nodes int, id func(int) string, edges []Edge) *Index {
	x := &Index{Nodes: make(map[string]int, nodes), Edges: make([][]int, nodes), edges: edges}
	for n := range nodes {
		x.Nodes[id(n)] = n
	}
	for e := range edges {
		from := x.Nodes[edges[e].Stage]
		x.Edges[from] = append(x.Edges[from], e)
	}
	return x
}

// Needs calls a function with each edge of a node, and the node that it leads
// to.
func (x *Index) Needs(node int, f func(e *Edge, to int)) {
	for _, i := range x.Edges[node] {
		e := &x.edges[i]
		f(e, x.Nodes[e.Needs])
	}
}

// Reach tells of each node whether a node needs it, itself among them, along
// some edges.
func (x *Index) Reach(from int, follow func(*Edge) bool) []bool {
	reached := make([]bool, len(x.Edges))
	reached[from] = true
	for todo := []int{from}; len(todo) > 0; {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		x.Needs(n, func(e *Edge, to int) {
			if follow(e) && !reached[to] {
				reached[to] = true
				todo = append(todo, to)
			}
		})
	}
	return reached
}
