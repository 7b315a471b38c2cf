package plan

import (
	"io/fs"
	"time"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/resolve"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// Plan is what a build does, before LLB: plain values, which marshal to JSON
// and back. All that is lowered is in them; what they were made from, the
// graph and its nodes, is not.
type Plan struct {
	Graph    *stage.Graph `json:"-"`
	TargetID stage.ID
	// Stages are the evaluated nodes, each behind those that it needs.
	Stages []*Stage
	// Paths are the files that the build reads of each source, relative to
	// its root, sorted. No paths means everything.
	Paths map[Source][]string
	Epoch *time.Time

	byID map[stage.ID]*Stage
}

// Stage returns the evaluated node of an ID, nil where the target does not need it.
func (p *Plan) Stage(id stage.ID) *Stage { return p.byID[id] }

// Target returns the stage whose filesystem and config are the result.
func (p *Plan) Target() *Stage { return p.byID[p.TargetID] }

// Source is a folder whose files come from outside: a build context, or the
// named context that a node stands on.
type Source struct {
	// Context is a build context, where Base is stage.None.
	Context stage.ContextID
	// Base is the node that stands on a named context.
	Base stage.ID
}

// BuildContext returns a build context as a source; the main one is 0.
func BuildContext(id stage.ContextID) Source { return Source{Context: id, Base: stage.None} }

// Stage is an evaluated stage, or an image that instructions refer to.
type Stage struct {
	ID   stage.ID
	Node *stage.Node `json:"-"`
	Kind stage.Kind
	// Label is the name that progress has for it, Ref what FROM or a
	// reference to an image names.
	Label, Ref string
	// From is the FROM as it is written, empty for an image, and Loc its
	// place.
	From string
	Loc  dockerfile.Loc
	// Context is the build context that the stage has.
	Context stage.ContextID
	// Parent is the stage that it is built from, stage.None for none; Base is
	// then what it is built from.
	Parent stage.ID
	Base   *resolve.Base
	// Needed tells that the target needs the stage's files, and not only its
	// config. It may be the target.
	// Needs are the nodes that it needs itself, gates among them.
	Needed bool
	Needs  []stage.ID
	// Progress is the name of the step that fetches the base image.
	Progress string
	// Squash makes one layer of what the stage is built from; nil: it stays
	// as it is. No instruction of the stage stands for it.
	Squash *Squash
	Steps  []Step
	Image  dockerspec.DockerOCIImage
	// Original is the config of the base image, nil where there is none.
	Original *dockerspec.DockerOCIImage
	// Platform of the stage; zero where nothing says which it is.
	Platform ocispecs.Platform
	// IgnoreCache says that the client asked for --no-cache here, or FROM.
	IgnoreCache bool
	// ScanStage and ScanContext ask for this stage, or the build context, in
	// the SBOM.
	ScanStage, ScanContext bool

	// Unset is what UNSET removed, in order.
	Unset []Unset

	// Asks are what --call=outline is made of.
	Asks Asks
}

// Unset is something that UNSET removed.
type Unset struct {
	// What is the instruction, in upper case, and Name the entry; empty for
	// an instruction that sets one thing.
	What, Name string
	Loc        dockerfile.Loc
}

// Step is an instruction after evaluation.
type Step struct {
	// Op is what happens to the filesystem; nil where only the config changes.
	Op Op
	// Code is the instruction as written.
	Code string
	// Progress is the name under which the step shows up.
	Progress string
	Loc      dockerfile.Loc
	// IgnoreCache carries the operation out even where its result is cached.
	IgnoreCache bool
	// Fresh makes it another operation in each build: RUN --no-cache. AfterFresh is
	// said of what is made from such a one, which a daemon that cannot have it so
	// carries out again.
	Fresh, AfterFresh bool
	// Reads are the files from outside that the step itself takes.
	Reads []Read
	// Vars are the variables of the build on which the step depends, by name.
	Vars []*Assigned
}

// StepID names a step of a plan.
type StepID struct {
	Stage stage.ID
	// Index into Stage.Steps, or BaseStep.
	Index int
}

// BaseStep is in the place of an index for what a stage starts from: the
// fetch of its image.
const BaseStep = -1

// Step returns the step of an ID; nil for a base, and where the target does not
// need the stage.
func (p *Plan) Step(id StepID) *Step {
	s := p.byID[id.Stage]
	if s == nil || id.Index < 0 || id.Index >= len(s.Steps) {
		return nil
	}
	return &s.Steps[id.Index]
}

// Read is a path of a build context or a named context. A pattern is as it is
// written; "/" is everything.
type Read struct {
	From Source
	Path string
}

// Op is an operation on a filesystem: *Run, *Copy or *Mkdir.
type Op interface{ op() }

func (*Run) op()   {}
func (*Copy) op()  {}
func (*Mkdir) op() {}

// Run executes a program on the filesystem of the stage.
type Run struct {
	Args []string
	Env  []stage.Var
	Dir  string
	User string
	// Platform to execute for, nil for the target platform.
	Platform *ocispecs.Platform
	// Script is a file to mount and execute: a here-document with a shebang.
	Script   *Script
	Mounts   []Mount
	Secrets  []Secret
	SSH      []SSH
	Security string
	Network  string
	Devices  []*instructions.Device
}

// Script is the executable file /dev/pipes/Name.
type Script struct{ Name, Data string }

// MountKind tells mounts of files apart.
type MountKind string

const (
	BindMount  MountKind = "bind"
	CacheMount MountKind = "cache"
	TmpfsMount MountKind = "tmpfs"
)

// Mount is a filesystem that a program sees besides the stage's own.
type Mount struct {
	Kind   MountKind
	Target string
	// From is the node whose filesystem is mounted, stage.None for the
	// build context Context.
	From    stage.ID
	Context stage.ContextID
	// Path inside From, "/" for all of it.
	Path     string
	ReadOnly bool
	// Owner of the root directory where the user set one.
	Owner *Owner
	// CacheID names a cache, its namespace included.
	CacheID string
	Sharing instructions.ShareMode
	// Size is the limit of a tmpfs in bytes, 0 for none.
	Size int64
}

// Owner is user, group and mode of a directory or a file.
type Owner struct {
	UID, GID int
	Mode     fs.FileMode
}

// Secret is a secret of the client, as a file, a variable, or both.
type Secret struct {
	ID       string
	Target   *string // path of the file, nil for none
	Env      *string // name of the variable, nil for none
	Required bool
	Owner    *Owner
}

// SSH is the client's agent socket or key.
type SSH struct {
	ID, Target string
	Required   bool
	Owner      *Owner
}

// Mkdir makes the directory of a WORKDIR with its parents.
type Mkdir struct {
	// User owns the folders that are made: user[:group].
	Path, User string
	Mode       fs.FileMode
	Created    *time.Time
}

// Copy copies files into the filesystem of the stage: COPY and ADD.
type Copy struct {
	Sources  []CopySource
	Dest     string
	Chown    string
	Chmod    *Chmod
	Excludes []string
	// Link copies into a layer of its own, where the daemon can merge.
	Link bool
	// KeepRoot gives the folder at Dest owner and mode of the one source,
	// which must be a folder.
	KeepRoot bool
	// LinkProgress is the name of the step that merges.
	LinkProgress string
	Platform     ocispecs.Platform
}

// Chmod is a mode: octal, or symbolic where Symbolic is set.
type Chmod struct {
	Mode     fs.FileMode
	Symbolic string
}

// CopySource is one source of a copy: *Files, *Download, *Checkout or *Inline.
type CopySource interface{ copySource() }

func (*Files) copySource()    {}
func (*Download) copySource() {}
func (*Checkout) copySource() {}
func (*Inline) copySource()   {}

// Files are files of a stage, an image or the build context.
type Files struct {
	// From is the node that has them, stage.None for the build context
	// Context.
	From    stage.ID
	Context stage.ContextID
	// Path may have wildcards.
	Path string
	// Include are patterns below Path, for --parents.
	Include []string
	// Required are paths that must exist, for --parents.
	Required []string
	// Unpack extracts archives.
	Unpack bool
	// Parents is a folder to make, with its parents, before Path is looked
	// for, so that a pattern in it may match nothing; empty for none. Folder
	// is made after it where nothing has its name. See COPY --if-exists.
	Parents, Folder string
}

// Download is a file over HTTP.
type Download struct {
	*resolve.Remote
	Unpack bool
}

// Checkout is a Git repository.
type Checkout struct{ *resolve.Remote }

// Inline is a file written in the Dockerfile.
type Inline struct {
	// Name of the file, and Path to copy it from; they differ in their
	// separators on Windows.
	Name, Path string
	Data       string
}
