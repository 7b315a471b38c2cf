package digests

// SchemaVersion is the version of the JSON that a Report marshals to. It rises when a program that reads the
// present one would misread the next; fields may be added without. Its schema is docs/schemas/digests.json.
const SchemaVersion = 1

// Report is the answer to --call=digests. All indexes into Steps count from 0.
type Report struct {
	Version int `json:"version"`
	// Target is the stage, as progress names it.
	Target   string `json:"target"`
	Platform string `json:"platform"`
	// Steps are the fetches of base images and the instructions that change files, each after those that it is made
	// from.
	Steps []Step `json:"steps"`
	// Changed is what differs from the answer of STAGECRAFT_BEFORE, one entry a cause; absent without it.
	Changed []Change `json:"changed,omitempty"`

	compared bool
}

// Step is an instruction that changes files, or the fetch of what a stage is built from.
type Step struct {
	Stage string `json:"stage"`
	File  string `json:"file"`
	Line  int    `json:"line"`
	Code  string `json:"code"`
	// Kind is base, run, copy or workdir.
	Kind string `json:"kind"`
	// Digest is that of the step with all that it is made from, Own that of the step alone.
	Digest string `json:"digest"`
	Own    string `json:"own"`
	// Files are those that come from a build context or a named one.
	Files []File `json:"files,omitempty"`
	// Folded says that there were too many, and Files are folders.
	Folded bool `json:"folded,omitempty"`
	// Facts are what the step alone is made from besides files.
	Facts []Fact `json:"facts,omitempty"`
	// On are the steps that it stands on, and Copies those of whose files it takes.
	On     []int `json:"on,omitempty"`
	Copies []int `json:"copies,omitempty"`
}

// File is a file or a folder as BuildKit's cache sees it: times do not count.
type File struct {
	Path string `json:"path"`
	// Mode is octal, with the kind: d0755, -0644, l0777.
	Mode string `json:"mode"`
	UID  uint32 `json:"uid"`
	GID  uint32 `json:"gid"`
	// Digest is that of the content, of a link's target, of a device's number, and of extended attributes.
	Digest string `json:"digest"`
}

// Cause is why a step is another one.
type Cause string

const (
	CauseFile        Cause = "file"        // a file of a context
	CauseIgnore      Cause = "ignore"      // an ignore file, by which files come or go
	CauseArgument    Cause = "argument"    // ARG
	CauseEnvironment Cause = "environment" // ENV
	CauseBase        Cause = "base"        // the image of FROM
	CauseInstruction Cause = "instruction" // another text
	CauseOption      Cause = "option"      // a flag, or an option of the client
	CauseSecret      Cause = "secret"      // the ID of a secret
	CausePlatform    Cause = "platform"
	CauseNew         Cause = "new"  // an instruction more
	CauseGone        Cause = "gone" // an instruction less
)

// Fact is something that a step is made from.
type Fact struct {
	Cause Cause  `json:"cause"`
	Name  string `json:"name"`
	Value string `json:"value"`
	File  string `json:"file"`
	Line  int    `json:"line"`
	// Code is the ARG or ENV as written, and Uses are the names of the variables in it.
	Code string   `json:"code,omitempty"`
	Uses []string `json:"uses,omitempty"`
}

// Change is a cause, however many steps it reaches.
type Change struct {
	Cause Cause `json:"cause"`
	// Name is a path, a variable, an image, a flag or an instruction.
	Name string `json:"name"`
	// File and Line are where it is written.
	File   string `json:"file"`
	Line   int    `json:"line"`
	Before string `json:"before"`
	After  string `json:"after"`
	// Step is the first step that it changes. Follows run again because of it. Maybe are those that take files of
	// such a step, and what stands on them: where the files are as they were, the cache has them.
	Step    int   `json:"step"`
	Follows []int `json:"follows,omitempty"`
	Maybe   []int `json:"maybe,omitempty"`

	steps []int // that it changes themselves
}
