package view

// Graph is what there is to know of the stages of a Dockerfile for one target
// and platform.
type Graph struct {
	// Target is the ID of the wanted stage.
	Target string
	// Platform is the target platform, such as linux/arm64.
	Platform string
	// Nodes are the stages in the order of the file, then images and named
	// contexts in the order in which the stages mention them.
	Nodes []Node
	// Edges are ordered by stage; inside one they are in the order of the
	// file.
	Edges []Edge
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
	// KindRemote is a URL or a Git repository that ADD fetches.
	KindRemote Kind = "remote"
)

// Node is a stage, or an image or a named context that stages use.
type Node struct {
	// ID is a letter and a number. It is the node's only inside its Graph.
	ID   string `json:"id"`
	Kind Kind   `json:"kind"`
	// Name is the stage's name, stage-N where it has none; of an image the
	// short reference.
	Name string `json:"name"`
	// Needed tells whether a build of the target uses the node.
	Needed bool `json:"needed"`
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

// The kinds of edges.
const (
	Base  EdgeKind = "base"  // FROM
	Copy  EdgeKind = "copy"  // COPY --from
	Mount EdgeKind = "mount" // RUN --mount=from
	Add   EdgeKind = "add"   // ADD of a URL or a Git repository
	After EdgeKind = "after" // FROM --after: must succeed, at any time
	// Config is ENV --from, LABEL --from: the image config is read, and nothing
	// built.
	Config EdgeKind = "config"
)

// Waits reports whether a stage cannot start an instruction before the node that
// the edge leads to is complete. A gate may run at any time, and a config is
// known before anything runs.
func Waits(e *Edge) bool { return e.Kind != After && e.Kind != Config }

// Edge says that a stage needs a node.
type Edge struct {
	// Stage is the ID of the stage, Needs that of the node.
	Stage string   `json:"stage"`
	Needs string   `json:"needs"`
	Kind  EdgeKind `json:"kind"`
	// Paths are what is copied or mounted. Their variables have their values
	// where the target needs the stage and its images are known, else they
	// are as written. Absent for other kinds.
	Paths []string `json:"paths,omitempty"`
	// File and Line are where the instruction stands.
	File string `json:"file"`
	Line int    `json:"line"`
	// OnBuild marks an instruction that a trigger of the base image brought.
	// File and Line are then those of the FROM that fires it.
	OnBuild bool `json:"onbuild,omitempty"`
	// Circular marks an edge that closes a cycle. Such a stage cannot be
	// built; only stages that the target does not need may be so.
	Circular bool `json:"circular,omitempty"`
}
