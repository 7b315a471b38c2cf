package dockerfile

import (
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/pkg/errors"
)

// FileCommand is ENV --file or LABEL --file: names and values from an env
// file.
type FileCommand struct {
	instruction
	// Keyword is ENV or LABEL, and Path the file as it is written.
	Keyword, Path string

	read bool
	list []Assignment
	err  error
}

// parseFileCommand reads ENV and LABEL with --file. Of other instructions it
// returns nil.
func parseFileCommand(node *parser.Node) (*FileCommand, error) {
	keyword := strings.ToUpper(node.Value)
	isFile := func(flag string) bool { return strings.HasPrefix(flag, "--file") }
	if keyword != "ENV" && keyword != "LABEL" || !slices.ContainsFunc(node.Flags, isFile) {
		return nil, nil
	}
	alone := len(node.Flags) == 1
	flags := takeFlags(node)
	file := flags.AddString("file", "")
	if err := flags.Parse(); err != nil {
		return nil, err
	}
	c := &FileCommand{instruction: newInstruction(node), Keyword: keyword, Path: file.Value}
	what := keyword + " --file=" + c.Path
	switch {
	case !alone:
		return nil, errors.Errorf("%s: no other flag goes with --file", what)
	case argument(node) != "":
		return nil, errors.Errorf("%s takes no further arguments; write another %s for them", what, keyword)
	case strings.Contains(c.Path, "$"):
		return nil, errors.Errorf("%s: variables are not expanded in the path; write the plain path", what)
	case strings.Contains(c.Path, `\`):
		return nil, errors.Errorf("%s: the path is written with forward slashes: %s", what, strings.ReplaceAll(c.Path, `\`, "/"))
	case !IsPath(c.Path):
		return nil, errors.Errorf("%s: the path must start with ./ or ../, relative to this file, or with /, the root of the build context", what)
	}
	return c, nil
}

// Read returns the lines of the file. It is read once, when something needs
// it; at is the place of the instruction.
func (c *FileCommand) Read(files *Files, at Loc) ([]Assignment, error) {
	if c.read {
		return c.list, c.err
	}
	c.read = true
	id, err := files.Load(c.Path, at)
	if err == nil {
		c.list, c.err = parseEnvFile(files.Source(id).Data, id)
		return c.list, c.err
	}
	if errors.Is(err, errEmpty) {
		return nil, nil // it sets nothing
	}
	c.err = At(errors.Wrapf(err, "%s --file=%s", c.Keyword, c.Path), at)
	return nil, c.err
}
