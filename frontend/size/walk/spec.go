package walk

import "strconv"

// Where the measuring step has its mounts.
const (
	// Root is the folder below which the states are mounted, each under its number; see [Mount].
	Root = "/in"
	// Out is the folder for the results.
	Out = "/out"
	// Below is where the results for the filesystem below the first layer are mounted.
	Below = "/below"
)

// The files of the results.
const (
	ResultFile = "result.json"
	TreeFile   = "tree.json"
)

// Nothing is the number of no mount: the empty filesystem.
const Nothing = -1

// Mount returns the path of a numbered mount below root.
func Mount(root string, number int) string { return root + "/" + strconv.Itoa(number) }

// Spec is what one step measures: layers from the bottom to the top, on what Below has.
type Spec struct {
	Layers []Layer `json:"layers"`
	// Below says that these layers stand on others that another step has measured.
	Below bool `json:"below,omitempty"`
}

// Layer is a layer as two states of the filesystem, by the numbers of their mounts.
type Layer struct {
	// Lower is the state before, Nothing for the empty one.
	Lower int `json:"lower"`
	// Upper is the state after.
	Upper int `json:"upper"`
	// Unpacked marks a layer that came as an archive, from a registry. All files in the archive count, also
	// those that are as they were; of a layer that was built here the exporter leaves these out.
	Unpacked bool `json:"unpacked,omitempty"`
}

// Amount is a number of files and of bytes in them.
type Amount struct {
	Bytes int64 `json:"bytes"`
	Files int64 `json:"files"`
}

// Add adds b to a.
func (a *Amount) Add(b Amount) {
	a.Bytes += b.Bytes
	a.Files += b.Files
}

// Result is what was measured.
type Result struct {
	// Layers are all layers from the bottom on, those of Below first.
	Layers []Measured `json:"layers"`
	// Largest are the largest files that the top state shows, the largest first.
	Largest []File `json:"largest"`
	// Paths are the files that the top state shows, in the order of their paths; where there are more than
	// [MaxPaths], whole folders, with a slash at the end.
	Paths []File `json:"paths"`
	// Depth is the number of folders after which Paths are cut; 0 where they are not.
	Depth int `json:"depth,omitempty"`
}

// Measured is a layer after measuring.
type Measured struct {
	// Amount is what the layer carries.
	Amount
	// Covers is what it hides of the layers below: what it overwrites or removes.
	Covers Amount `json:"covers"`
	// Changes counts all differences, of directories, links and other special files, too.
	Changes int64 `json:"changes"`
}

// File is a file or a folder and the layer that its bytes are from.
type File struct {
	Path  string `json:"path"`
	Bytes int64  `json:"bytes"`
	// Layer is an index into Result.Layers. Of a folder it is the layer that most bytes are from.
	Layer int `json:"layer"`
}

const (
	maxLargest = 10
	// MaxPaths is how many paths a result has at most.
	MaxPaths = 5000
)
