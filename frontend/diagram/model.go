package diagram

import "github.com/stagecraft/stagecraft/frontend/view"

// SchemaVersion is the version of the JSON that a Graph marshals to. It rises
// when a program that reads the present one would misread the next; fields
// may be added without.
const SchemaVersion = 1

// Graph is what there is to see of a Dockerfile for one target and platform.
type Graph struct {
	Version int `json:"version"`
	// Target is the ID of the wanted stage.
	Target string `json:"target"`
	// Platform is the target platform, such as linux/arm64.
	Platform string `json:"platform"`
	// Nodes are the stages in the order of the file, then images and named
	// contexts in the order in which the stages mention them.
	Nodes []Node `json:"nodes"`
	// Edges are ordered by stage; inside one they are in the order of the
	// file.
	Edges []view.Edge `json:"edges"`
	// LongestChain are the IDs of stages that can only run one after the
	// other, as many as there are; the one with most steps where several are
	// as long. Only stages that the target needs are in it.
	LongestChain []string `json:"longestChain"`
	// Parallel are sets of tracks of stages that the target needs. In a set,
	// no stage of one track waits for a stage of another one, so that the
	// tracks run at the same time. Sets of a track's own stages follow.
	Parallel [][][]string `json:"parallel"`
	// ParallelLeftOut counts the sets that are not listed because the list
	// would be too long for anybody.
	ParallelLeftOut int `json:"parallelLeftOut,omitempty"`

	index *view.Index
}

// Node is a node of the view, and where it is drawn.
type Node struct {
	view.Node
	// Layer is the row of the drawing before it is broken into lines of
	// limited width. A node stands below all that it needs.
	Layer int `json:"layer"`
}

// New returns what there is to see of a view.
func New(v *view.Graph) *Graph {
	g := &Graph{Version: SchemaVersion, Target: v.Target, Platform: v.Platform, Edges: v.Edges}
	for _, n := range v.Nodes {
		g.Nodes = append(g.Nodes, Node{Node: n})
	}
	g.findLayers()
	g.findParallel()
	g.findLongestChain()
	return g
}

// edgeKinds are in the order in which they are drawn.
var edgeKinds = []view.EdgeKind{view.Base, view.Copy, view.Mount, view.Add, view.After, view.Config}

// node returns the node of an ID, which must be one of g's.
func (g *Graph) node(id string) *Node {
	n, ok := g.lookup().Nodes[id]
	if !ok {
		panic("diagram: no node " + id)
	}
	return &g.Nodes[n]
}

// lookup finds nodes by their IDs, and edges by their stages. It is made when
// it is first asked for, after which nodes and edges stay what they are.
func (g *Graph) lookup() *view.Index {
	if g.index == nil {
		g.index = view.NewIndex(len(g.Nodes), func(n int) string { return g.Nodes[n].ID }, g.Edges)
	}
	return g.index
}
