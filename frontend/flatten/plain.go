package flatten

import (
	"fmt"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// Missing is a line that docker/dockerfile has no words for.
type Missing struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Code string `json:"code"`
	Why  string `json:"why"`

	loc dockerfile.Loc
}

// plainError says why docker/dockerfile could not read an instruction, empty
// where it can.
func plainError(text string, escape rune) (why string) {
	defer func() {
		if r := recover(); r != nil {
			why = fmt.Sprint(r)
		}
	}()
	tree, err := parser.Parse(strings.NewReader("# escape=" + string(escape) + "\n" + text))
	if err != nil {
		return err.Error()
	}
	if len(tree.AST.Children) != 1 {
		return fmt.Sprintf("it would be %d instructions", len(tree.AST.Children))
	}
	if strings.EqualFold(tree.AST.Children[0].Value, "unset") {
		return "docker/dockerfile takes back nothing of what is set"
	}
	if _, err := instructions.ParseInstructionWithLinter(tree.AST.Children[0], nil); err != nil {
		return err.Error()
	}
	return ""
}

// refusal is the error for lines that cannot be said in plain words: all of
// them in its text, with the locations of those that are in the same file as
// the first.
func refusal(missing []Missing) error {
	if len(missing) == 0 {
		return nil
	}
	var text strings.Builder
	fmt.Fprintf(&text, "docker/dockerfile has no words for %s; with --build-arg STAGECRAFT_FLATTEN=partial comments take their place:", count(len(missing), "line"))
	for _, m := range missing {
		fmt.Fprintf(&text, "\n  %s:%d  %s\n      %s", m.File, m.Line, m.Code, m.Why)
	}
	var err error = errors.New(text.String())
	for _, m := range missing {
		err = dockerfile.At(err, m.loc)
	}
	return err
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
