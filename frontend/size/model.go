package size

import "github.com/stagecraft/stagecraft/frontend/size/walk"

// SchemaVersion is the version of the JSON that a Report marshals to. It rises when a program that reads the
// present one would misread the next; fields may be added without. Its schema is docs/schemas/size.json.
const SchemaVersion = 1

// Amount is a number of regular files, and of the bytes in them.
type Amount = walk.Amount

// Report is the answer to --call=size. All indexes into Origins count from 0.
type Report struct {
	Version int `json:"version"`
	// Target is the stage, as progress names it.
	Target string `json:"target"`
	// Platform is that of the target, such as linux/arm64.
	Platform string `json:"platform"`
	// Total is what the layers of the target carry, covered files included.
	Total Amount `json:"total"`
	// Union is what all stages that the target needs carry, those without which it would not be built: each of
	// their layers once.
	Union Amount `json:"union"`
	// Origins are the base and the instructions that the layers are from, from the bottom. Their amounts add up
	// to Total.
	Origins []Origin `json:"origins"`
	// Stages are all stages, in the order of the Dockerfile, those of other files after it.
	Stages  []Stage `json:"stages"`
	Covered Covered `json:"covered"`
	// Largest are the ten largest files that the image shows.
	Largest []File `json:"largest"`
	// Paths are all files that the image shows, in the order of their paths. What the answer cannot hold is cut
	// at PathDepth folders, which then stand for what is in them and end with a slash.
	Paths     []File `json:"paths"`
	PathDepth int    `json:"pathDepth,omitempty"`
	// Incomplete says what could not be measured, and why; absent where everything could.
	Incomplete string `json:"incomplete,omitempty"`
	// Limit is the judgement of STAGECRAFT_SIZE_MAX, absent without it.
	Limit *Limit `json:"limit,omitempty"`
	// Changes are the paths that grew or shrank since STAGECRAFT_SIZE_BEFORE, those that did most first, and
	// ChangedOrigins the same by origin; absent without it.
	Changes        []Change        `json:"changes,omitempty"`
	ChangedOrigins []ChangedOrigin `json:"changedOrigins,omitempty"`

	compared bool // with an earlier answer
	before   Amount
}

// Kind says what kind of instruction files are from.
type Kind string

const (
	KindBase    Kind = "base"    // FROM an image or a named context
	KindCopy    Kind = "copy"    // COPY --from a stage or an image
	KindContext Kind = "context" // COPY and ADD of a build context
	KindAdd     Kind = "add"     // ADD of a URL or a Git repository, and here-documents
	KindRun     Kind = "run"     // RUN
	KindOther   Kind = "other"   // WORKDIR
)

// Origin is what an instruction brought into the layers.
type Origin struct {
	Kind Kind `json:"kind"`
	// From is the image, stage, named context, folder of the build context or address that files are from. Empty
	// for the build context, RUN and WORKDIR.
	From string `json:"from,omitempty"`
	// Paths are what COPY and ADD copy, as they are after expansion.
	Paths []string `json:"paths,omitempty"`
	// Code is the instruction as it is written.
	Code string `json:"code"`
	File string `json:"file"`
	Line int    `json:"line"`
	Amount
}

// Stage is a stage of the Dockerfile, or of another file.
type Stage struct {
	Name string `json:"name"`
	File string `json:"file"`
	Line int    `json:"line"`
	// Needed says that the target is made from it.
	Needed bool `json:"needed"`
	// GateOf are the stages that require it to succeed.
	GateOf []string `json:"gateOf,omitempty"`
	// Amount is what its layers carry, and Own what those above its base do. Absent where neither the target nor
	// a gate needs the stage: it was not built.
	*Amount
	Own *Amount `json:"own,omitempty"`
}

// Covered is what the layers carry in vain: a later one overwrites or removes it.
type Covered struct {
	Amount
	Causes []Cause `json:"causes"`
}

// Cause is an instruction that covers files of earlier layers.
type Cause struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Code string `json:"code"`
	Amount
}

// File is a file of the image, and the origin of its content.
type File struct {
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes"`
	Origin int    `json:"origin"`
}

// Limit is the most that a target may have.
type Limit struct {
	Bytes int64 `json:"bytes"`
	// Over is how much the target has more, 0 where it keeps the limit.
	Over int64 `json:"over"`
	// Remove are origins, the largest first, that would have to go to keep it.
	Remove []int `json:"remove,omitempty"`
}

// Change is a path that grew or shrank.
type Change struct {
	Path   string `json:"path"`
	Before int64  `json:"before"`
	After  int64  `json:"after"`
	// Origin is an index into Origins; of a path that is gone, into those of the earlier answer.
	Origin int `json:"origin"`
}

// ChangedOrigin is an origin that grew or shrank.
type ChangedOrigin struct {
	Kind   Kind   `json:"kind"`
	From   string `json:"from,omitempty"`
	Code   string `json:"code"`
	Before int64  `json:"before"`
	After  int64  `json:"after"`
}
