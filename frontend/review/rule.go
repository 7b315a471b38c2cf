package review

import (
	"slices"

	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// Rule is one practice, and how to see whether a Dockerfile keeps it. Its page
// is docs/rules/ID.md.
type Rule struct {
	// ID is the name in `# check=skip=ID`.
	ID string
	// Practice is what is to be done, Why the reason, Mend how to get there;
	// a sentence each.
	Practice, Why, Mend string
	// Unchanged says that the mended lines build the same image from the same
	// cache.
	Unchanged bool
	// Silent are docker/dockerfile's own checks that say the same of a line.
	Silent []string
	// Applies reports whether there is anything to judge; nil: always.
	Applies func(*Subject) bool
	// Check returns where the practice is missed. The engine completes the
	// findings with rule, practice, file and lines.
	Check func(*Subject) []Finding
}

// Finding is a place where a practice is missed.
type Finding struct {
	Rule     string `json:"rule"`
	Practice string `json:"practice"`
	Message  string `json:"message"`
	File     string `json:"file"`
	// Line and EndLine count from 1; both are 0 where no place is to blame.
	Line    int `json:"line,omitempty"`
	EndLine int `json:"endLine,omitempty"`
	// Fix is a unified diff, empty where a person has to decide.
	Fix string `json:"fix,omitempty"`

	// loc is the instruction, near a text in it that the finding points at,
	// and comments are those above the instruction.
	unit     stage.UnitID
	loc      dockerfile.Loc
	near     string
	comments []string
	edits    []edit
}

// Rules returns all rules, in the order of docs/review.md.
func Rules() []Rule {
	return slices.Concat(
		stageRules,
		baseRules,
		testRules,
		contentRules,
		copyRules,
		layerRules,
		argRules,
		cacheRules,
		secretRules,
		shellRules,
	)
}
