package diagram

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
	Edges []Edge `json:"edges"`
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

	found *lookup
}

// Kind says what a node stands for.
type Kind string

const (
	// KindStage is a FROM and its instructions.
	KindStage Kind = "stage"
	// KindImage is an image that a stage is built from or takes files of.
	KindImage Kind = "image"
	// KindContext is a named context that the client gave in place of an
	// image or of a stage.
	KindContext Kind = "context"
)

// Node is a stage, or an image or a named context that stages use.
type Node struct {
	// ID is a letter and a number. It is the node's only inside this Graph.
	ID   string `json:"id"`
	Kind Kind   `json:"kind"`
	// Name is the stage's name, stage-N where it has none; of an image the
	// short reference.
	Name string `json:"name"`
	// Needed tells whether a build of the target uses the node.
	Needed bool `json:"needed"`
	// Layer is the row of the drawing before it is broken into lines of
	// limited width. A node stands below all that it needs.
	Layer int `json:"layer"`
	// Ref is FROM's argument with the arguments in it expanded; of an image,
	// and of a context in its place, the complete reference.
	Ref string `json:"ref,omitempty"`
	// Digest of an image, where it was looked up.
	Digest string `json:"digest,omitempty"`
	// Platform is that of FROM --platform; of an image, the one it is
	// fetched for.
	Platform string `json:"platform,omitempty"`
	// Context is the build context of a stage, where it is not that of the
	// build: ./FOLDER of it, or the name of a named context.
	Context string `json:"context,omitempty"`
	// Unresolved is why a needed image or context could not be had. Triggers
	// in it (ONBUILD) are then missing from the graph. It is also why a
	// reference of a stage that the target does not need leads nowhere.
	Unresolved string `json:"unresolved,omitempty"`
	// Steps counts the RUN, COPY and ADD instructions of a stage.
	Steps int `json:"steps,omitempty"`
	// File and Line are where the stage's FROM stands.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`

	// lost marks a reference that leads nowhere.
	lost bool
}

// EdgeKind says why a stage needs a node.
type EdgeKind string

// The kinds of edges, in the order in which they are drawn.
const (
	Base  EdgeKind = "base"  // FROM
	Copy  EdgeKind = "copy"  // COPY --from
	Mount EdgeKind = "mount" // RUN --mount=from
	After EdgeKind = "after" // FROM --after: must succeed, at any time
)

var edgeKinds = []EdgeKind{Base, Copy, Mount, After}

// Edge says that a stage needs a node.
type Edge struct {
	// Stage is the ID of the stage, Needs that of the node.
	Stage string   `json:"stage"`
	Needs string   `json:"needs"`
	Kind  EdgeKind `json:"kind"`
	// Paths are what is copied or mounted, as the instruction has it; absent
	// for base and after.
	Paths []string `json:"paths,omitempty"`
	// File and Line are where the instruction stands.
	File string `json:"file"`
	Line int    `json:"line"`
	// OnBuild marks an instruction that a trigger of the base image brought.
	// File and Line are then those of the FROM that fires it.
	OnBuild bool `json:"onbuild,omitempty"`
	// Circular marks an edge that closes a circle. Such a stage cannot be
	// built; only stages that the target does not need may be so.
	Circular bool `json:"circular,omitempty"`
}

// node is the node of an ID, which must be one of g's.
func (g *Graph) node(id string) *Node {
	n, ok := g.lookup().nodes[id]
	if !ok {
		panic("diagram: no node " + id)
	}
	return &g.Nodes[n]
}

// lookup finds nodes by their IDs, and edges by their stages. It is made when
// it is first asked for, after which nodes and edges stay what they are.
func (g *Graph) lookup() *lookup {
	if g.found == nil {
		g.found = &lookup{nodes: make(map[string]int, len(g.Nodes)), edges: make([][]int, len(g.Nodes))}
		for i := range g.Nodes {
			g.found.nodes[g.Nodes[i].ID] = i
		}
		for i := range g.Edges {
			from := g.found.nodes[g.Edges[i].Stage]
			g.found.edges[from] = append(g.found.edges[from], i)
		}
	}
	return g.found
}

// lookup has indices into Graph.Nodes and Graph.Edges.
type lookup struct {
	nodes map[string]int
	edges [][]int // of each node, in order
}
