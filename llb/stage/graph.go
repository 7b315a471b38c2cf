package stage

import (
	"math"
	"slices"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// ID is an index into Graph.Nodes. The stages of the Dockerfile come first,
// in the order of the file; the stages of other files, and images that COPY
// --from, RUN --mount and triggers name, follow in the order in which they
// are met. An index in COPY --from counts on into the images, as it does in
// docker/dockerfile.
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
	// Index is the place of a stage among those of its file.
	Index int
	// Unit is the file that the stage is from.
	Unit UnitID
	// Name is the name after AS in lower case, empty without one.
	Name string
	// Label is how progress names the stage: its name, or stage-N, behind
	// the file for stages of other files; empty where the build has one
	// stage only.
	Label string
	// Ref is what the stage is built from: FROM's argument after expansion,
	// or the reference of an external.
	Ref string
	// Base is the node that Ref names, None where it is an image.
	Base ID
	// Platform is the value of FROM --platform, nil without the flag.
	Platform *ocispecs.Platform
	// Replaced marks a stage in whose place the client gave a named context,
	// and Replacement is the name under which it was given.
	Replaced    bool
	Replacement string
	// Open marks a stage whose base is not known: it is a stage of another
	// file, and nothing that is wanted needs it.
	Open bool
	// Unresolved is why an external is unknown: a reference that nothing
	// wanted needs, and that leads nowhere. Nil for all others.
	Unresolved error
	// NoCache executes the stage's own instructions always.
	NoCache bool
	// Squash makes one layer of what the stage stands on.
	Squash bool
	// From is the FROM instruction; zero for an external.
	From instructions.Stage
	// Loc is the FROM, or the COPY that names an external. The fetch of an
	// image that RUN mounts has no location, as in docker/dockerfile.
	Loc dockerfile.Loc
	// Use is the instruction that first refers to an external.
	Use   dockerfile.Loc
	Steps []Instruction
	// UsedArgs are the global args that FROM's argument and platform used.
	UsedArgs []string
}

// EdgeKind says why a stage needs another node.
type EdgeKind int

const (
	Base   EdgeKind = iota // FROM
	Copy                   // COPY --from
	Mount                  // RUN --mount=from
	After                  // FROM --after: To must succeed, but gives nothing
	Config                 // ENV --from, LABEL --from: nothing but To's image config
)

func (k EdgeKind) String() string {
	return [...]string{"base", "copy", "mount", "after", "config"}[k]
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
	// at is the place of the reference among those of its stage.
	at int
	// ref is the reference as it is written: a name, or the path of a file.
	ref string
}

// The places of edges that stand in FROM, and of those that triggers brought:
// others have the index of their instruction.
const (
	atBase    = -2
	atGate    = -1
	atTrigger = math.MaxInt
)

// UnitID is an index into Graph.Units; the Dockerfile is 0.
type UnitID int

// Unit is a file whose stages are in the graph, with the settings that they
// are built with. A file that is used with other settings is another unit.
type Unit struct {
	Key     UnitKey
	File    *dockerfile.File
	Globals *Globals
	Context ContextID
	// Settings are what references to the unit set for it.
	Settings Settings
	// Platforms are the build's, unless settings say otherwise.
	Platforms Platforms
	// Stages are the stages that are in the graph: all, in the order of the
	// file, unless the unit has settings; then those that something refers to.
	Stages []ID

	// ids are all stages by their index, None for one that is not there, and
	// named the indices of the stages of each name.
	ids   []ID
	named map[string][]int

	// depth is how many references lead from the Dockerfile to the unit.
	depth int
}

// ContextID is an index into Graph.Contexts; the main build context is 0.
type ContextID int

// Context is a build context: the main one, a folder of it, or a named one.
type Context struct {
	// Dir is a folder of the main context, clean and without a leading
	// slash, "." for its root. Empty for the main context as the Dockerfile
	// itself has it, and for a named one.
	Dir string
	// Named is the name of a named context.
	Named string
	// Ignore is the ignore file that belongs to the Dockerfile and wins over
	// that of the folder, where it exists.
	Ignore string
	// IgnoreRoot is where the path of Ignore starts.
	IgnoreRoot dockerfile.Root
	// Loc is the FROM --context.
	Loc dockerfile.Loc
}

// Graph is the Dockerfile as stages and what they need.
type Graph struct {
	Nodes []Node
	Edges []Edge
	// Stages is how many of the Nodes are stages of the Dockerfile itself.
	Stages   int
	Units    []Unit
	Contexts []Context
	Files    *dockerfile.Files
	Target   ID

	out map[ID][]int // edges by From, in order
}

// Node returns the node of an ID.
func (g *Graph) Node(id ID) *Node { return &g.Nodes[id] }

// UnitOf returns the file of a node.
func (g *Graph) UnitOf(n *Node) *Unit { return &g.Units[n.Unit] }

// PlatformOf returns the platform that FROM or the settings of its file give a
// stage; nil for the build's, and where docker/dockerfile gives --platform no
// effect: on another stage, and on the empty image.
func (g *Graph) PlatformOf(n *Node) *ocispecs.Platform {
	if n.Base != None {
		// The base may have been built for another one.
		return g.UnitOf(g.Node(n.Base)).Settings.Platform
	}
	if n.Platform != nil && (n.Replaced || n.Open || n.Ref != Scratch) {
		return n.Platform
	}
	return g.UnitOf(n).Settings.Platform
}

// Where returns the place to point at when the node cannot be resolved.
func (n *Node) Where() dockerfile.Loc {
	if n.Kind == External {
		return n.Use
	}
	return n.Loc
}

// Out returns the edges that leave a node, in the order of the file.
func (g *Graph) Out(id ID) []Edge {
	edges := make([]Edge, len(g.out[id]))
	for i, e := range g.out[id] {
		edges[i] = g.Edges[e]
	}
	return edges
}

// connect adds an edge, among those of its stage at its place.
func (g *Graph) connect(e Edge) {
	if g.out == nil {
		g.out = map[ID][]int{}
	}
	out := g.out[e.From]
	i := len(out)
	for i > 0 && g.Edges[out[i-1]].at > e.at {
		i--
	}
	g.out[e.From] = slices.Insert(out, i, len(g.Edges))
	g.Edges = append(g.Edges, e)
}
