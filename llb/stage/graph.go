package stage

import (
	"slices"
	"strings"
	"unicode"

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
	// Replaced marks a stage in whose place the client gave a named context.
	Replaced bool
	// NoCache executes the stage's own instructions always.
	NoCache bool
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
	// Declared counts what shows up in the progress of the stage: its base
	// image, its filesystem instructions and all its triggers.
	Declared int
	// Triggers is how many of the Steps are triggers of the base.
	Triggers int
}

// EdgeKind says why a stage needs another node.
type EdgeKind int

const (
	Base  EdgeKind = iota // FROM
	Copy                  // COPY --from
	Mount                 // RUN --mount=from
	After                 // FROM --after: To must succeed, but gives nothing
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

// UnitID is an index into Graph.Units; the Dockerfile is 0.
type UnitID int

// Unit is a file whose stages are in the graph, with the build context that
// its stages have. A file that is used with two contexts is two units.
type Unit struct {
	File    *dockerfile.File
	Globals *Globals
	Context ContextID
	// Stages are the unit's stages in the order of the file, and named those
	// of each name among them.
	Stages []ID
	named  map[string][]ID
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
	builder
}

// Node is the node of an ID.
func (g *Graph) Node(id ID) *Node { return &g.Nodes[id] }

// UnitOf is the file of a node.
func (g *Graph) UnitOf(n *Node) *Unit { return &g.Units[n.Unit] }

// Where is the place to point at when the node cannot be resolved.
func (n *Node) Where() dockerfile.Loc {
	if n.Kind == External {
		return n.Use
	}
	return n.Loc
}

// Outside is a stage's name for the client's options: --no-cache-filter and
// --build-context. Empty for a stage without a name.
func (n *Node) Outside() string {
	if n.Unit == 0 || n.Name == "" {
		return n.Name
	}
	return n.Label
}

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

// ByName is the stage that --target means: the last one of that name in the
// Dockerfile, or a stage of another file by its label, such as
// svc/Dockerfile#build. Stage names have no case.
func (g *Graph) ByName(name string) (ID, bool) {
	if name == "" {
		return None, false
	}
	root := g.Units[0].Stages
	for i := len(root) - 1; i >= 0; i-- {
		if strings.EqualFold(g.Node(root[i]).Name, name) {
			return root[i], true
		}
	}
	if !strings.Contains(name, "#") {
		return None, false
	}
	for i := range g.Nodes {
		if n := &g.Nodes[i]; n.Unit != 0 && strings.EqualFold(trimPath(n.Label), trimPath(name)) {
			return n.ID, true
		}
	}
	return None, false
}

// trimPath makes ./svc/Dockerfile#x, /svc/Dockerfile#x and svc/Dockerfile#x
// the same name: from outside there is only one.
func trimPath(label string) string {
	return strings.TrimPrefix(strings.TrimPrefix(label, "."), "/")
}

// Visible is the stage that a name means inside the stage from: of the same
// file, the nearest earlier one of that name, else the nearest later one, else
// the stage itself.
func (g *Graph) Visible(name string, from ID) (ID, bool) {
	name = strings.ToLower(name)
	same := g.UnitOf(g.Node(from)).named[name]
	i, itself := slices.BinarySearch(same, from)
	later := i
	if itself {
		later++
	}
	switch {
	case i > 0:
		return same[i-1], true
	case later < len(same):
		return same[later], true
	default:
		return from, name != "" && g.Node(from).Name == name
	}
}

// latest is the last stage of a name in the file of a node.
func (g *Graph) latest(name string, of ID) (ID, bool) {
	unit := g.UnitOf(g.Node(of))
	if same := unit.named[strings.ToLower(name)]; len(same) > 0 {
		return same[len(same)-1], true
	}
	if isASCII(name) {
		return None, false
	}
	// A letter of another alphabet may be an ASCII letter in another case.
	for _, id := range slices.Backward(unit.Stages) {
		if strings.EqualFold(g.Node(id).Name, name) {
			return id, true
		}
	}
	return None, false
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
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
