package stage

import (
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// ID is an index into Graph.Nodes. The stages of the Dockerfile come first,
// in the order of the file; images that COPY --from, RUN --mount and triggers
// name follow in the order in which they are met. An index in COPY --from
// counts both, as it does in docker/dockerfile.
type ID int

// None is the ID of no node: the base of a stage that is built from an image.
const None ID = -1

// Scratch is the reference of the empty image.
const Scratch = "scratch"

// Kind says what a node stands for.
type Kind int

const (
	// Stage is a FROM and its instructions.
	Stage Kind = iota
	// External is something that an instruction refers to and that no stage
	// declares: an image, a named context or the empty image.
	External
)

// Node is a stage, or an image that an instruction refers to directly.
type Node struct {
	ID   ID
	Kind Kind
	// Name is the name after AS in lower case, empty without one.
	Name string
	// Label is how progress names the stage: its name, or stage-N; empty
	// where the file has one stage only.
	Label string
	// Ref is what the stage is built from: FROM's argument after expansion,
	// or the reference of an external.
	Ref string
	// Base is the node that Ref names, None where it is an image.
	Base ID
	// Platform is the value of FROM --platform, nil without the flag.
	Platform *ocispecs.Platform
	// Replaced marks a stage in whose place the client gave a named context.
	Replaced bool
	// From is the FROM instruction; zero for an external.
	From  instructions.Stage
	Loc   dockerfile.Loc
	Steps []Instruction
	// UsedArgs are the global args that FROM's argument and platform used.
	UsedArgs []string
	// Declared counts what shows up in the progress of the stage: its base
	// image, its filesystem instructions and all its triggers.
	Declared int
	// Triggers is how many of the Steps are triggers of the base.
	Triggers int
}

// Instruction is an instruction together with the nodes that it refers to:
// one for COPY --from, one for each mount of RUN, else none.
type Instruction struct {
	dockerfile.Instruction
	Sources []ID
}

// EdgeKind says why a stage needs another node.
type EdgeKind int

const (
	Base  EdgeKind = iota // FROM
	Copy                  // COPY --from
	Mount                 // RUN --mount=from
	After                 // FROM --after
)

func (k EdgeKind) String() string {
	return [...]string{"base", "copy", "mount", "after"}[k]
}

// Edge says that From needs To.
type Edge struct {
	From, To ID
	Kind     EdgeKind
	Loc      dockerfile.Loc
	// Paths are what COPY copies or a mount selects, as they are written;
	// nil where the instruction does not say, which means everything.
	Paths []string
	// OnBuild marks an edge that a trigger of the base image brought.
	OnBuild bool
	// Implied marks the edge of a mount without from: to the empty image, or
	// to a stage that is called scratch. Only cache mounts stand on it.
	Implied bool
	// last is where docker/dockerfile has the edge end: there, a name means
	// the last stage of that name.
	last ID
}

// Graph is the Dockerfile as stages and what they need.
type Graph struct {
	Nodes []Node
	Edges []Edge
	// Stages is how many of the Nodes are stages of the file.
	Stages int
	Target ID
	// Escape is the escape character of the file.
	Escape rune

	out map[ID][]int // edges by From, in order
}

// Node is the node of an ID.
func (g *Graph) Node(id ID) *Node { return &g.Nodes[id] }

// Out are the edges that leave a node, in the order of the file.
func (g *Graph) Out(id ID) []Edge {
	edges := make([]Edge, len(g.out[id]))
	for i, e := range g.out[id] {
		edges[i] = g.Edges[e]
	}
	return edges
}

func (g *Graph) connect(e Edge) {
	if g.out == nil {
		g.out = map[ID][]int{}
	}
	g.out[e.From] = append(g.out[e.From], len(g.Edges))
	g.Edges = append(g.Edges, e)
}

// ByName is the last stage of that name, which is what --target means.
// Stage names have no case.
func (g *Graph) ByName(name string) (ID, bool) {
	name = strings.ToLower(name)
	for id := ID(g.Stages) - 1; id >= 0; id-- {
		if n := g.Node(id); n.Name == name && name != "" {
			return id, true
		}
	}
	return None, false
}

// Visible is the stage that a name means inside the stage from: the nearest
// earlier one of that name, else the nearest later one, else the stage itself.
func (g *Graph) Visible(name string, from ID) (ID, bool) {
	name = strings.ToLower(name)
	if name == "" {
		return None, false
	}
	for id := min(from, ID(g.Stages)) - 1; id >= 0; id-- {
		if g.Node(id).Name == name {
			return id, true
		}
	}
	for id := from + 1; id < ID(g.Stages); id++ {
		if g.Node(id).Name == name {
			return id, true
		}
	}
	return from, g.Node(from).Name == name
}

// Labels are the names under which a user knows the nodes, for suggestions.
func (g *Graph) Labels() []string {
	var labels []string
	for _, n := range g.Nodes {
		if n.Label != "" {
			labels = append(labels, n.Label)
		}
	}
	return labels
}
