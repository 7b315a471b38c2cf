package dockerfile

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/pkg/errors"
)

// Options says how to read a file.
type Options struct {
	ID FileID
	// Check replaces the file's own check directive; nil leaves it in force.
	Check *linter.Config
	// Warn receives what the build checks find; nil switches the checks off.
	Warn linter.LintWarnFunc
}

// Parse reads a Dockerfile. Errors in it are located (parser.LocationError);
// an empty file and a file without a stage are errors.
func Parse(data []byte, opt Options) (*File, error) {
	if len(data) == 0 {
		return nil, errors.New("the Dockerfile cannot be empty")
	}
	lint, err := newLinter(data, opt)
	if err != nil {
		return nil, err
	}
	tree, err := parseTree(data)
	if err != nil {
		return nil, InFile(err, opt.ID)
	}
	warnEmptyContinuation(tree.Warnings, lint)

	f := &File{ID: opt.ID, Data: data, Escape: tree.EscapeToken, Lint: lint}
	for _, node := range tree.AST.Children {
		if err := f.add(node); err != nil {
			return nil, InFile(err, opt.ID)
		}
	}
	if len(f.Stages) == 0 {
		return nil, errors.New("dockerfile contains no stages to build")
	}
	checkStageNames(f)
	checkInstructionCasing(f)
	return f, nil
}

// add appends one node of the syntax tree to the file.
func (f *File) add(node *parser.Node) error {
	parsed, err := parseNode(node, f.Lint)
	if err != nil {
		return &syntaxError{line: node.StartLine, err: err}
	}
	loc := f.loc(node)
	switch c := parsed.(type) {
	case *instructions.ArgCommand:
		if len(f.Stages) == 0 {
			f.Args = append(f.Args, GlobalArg{ArgCommand: c, Loc: loc})
			return nil
		}
		return f.append(c, loc)
	case *instructions.Stage:
		f.Stages = append(f.Stages, Stage{Stage: *c, Loc: loc})
		return nil
	case instructions.Command:
		return f.append(c, loc)
	default:
		return parser.WithLocation(errors.Errorf("%T is not an instruction", parsed), loc.Ranges)
	}
}

func (f *File) append(c instructions.Command, loc Loc) error {
	if len(f.Stages) == 0 {
		return parser.WithLocation(errors.New("no build stage in current context"), loc.Ranges)
	}
	s := &f.Stages[len(f.Stages)-1]
	s.Instrs = append(s.Instrs, Instruction{Command: c, Loc: loc})
	return nil
}

func (f *File) loc(node *parser.Node) Loc {
	return Loc{File: f.ID, Ranges: node.Location()}
}

// ParseTrigger reads one ONBUILD trigger as it stands in an image config or
// after ONBUILD. Its locations are those of at, the FROM that fires it.
func ParseTrigger(text string, at Loc) (Instruction, error) {
	tree, err := parseTree([]byte(text))
	if err != nil {
		return Instruction{}, err
	}
	if len(tree.AST.Children) != 1 {
		return Instruction{}, errors.New("onbuild trigger should be a single expression")
	}
	node := tree.AST.Children[0]
	node.StartLine, node.EndLine = span(at.Ranges)
	parsed, err := parseNode(node, nil)
	if err != nil {
		return Instruction{}, err
	}
	c, ok := parsed.(instructions.Command)
	if !ok {
		return Instruction{}, parser.WithLocation(errors.Errorf("%T is not an instruction", parsed), node.Location())
	}
	loc := Loc{File: at.File, Ranges: node.Location()}
	return Instruction{Command: c, Loc: loc, OnBuild: true}, nil
}

// parseNode is BuildKit's instruction parser, whose panics on malformed input
// become located errors.
func parseNode(node *parser.Node, lint *linter.Linter) (_ any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = parser.WithLocation(errors.Errorf("malformed %s instruction: %v", strings.ToUpper(node.Value), r), node.Location())
		}
	}()
	return instructions.ParseInstructionWithLinter(node, lint)
}

// parseTree is BuildKit's line parser, likewise guarded.
func parseTree(data []byte) (_ *parser.Result, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.Errorf("malformed Dockerfile: %v", r)
		}
	}()
	return parser.Parse(bytes.NewReader(data))
}

// span is the first and the last line of some ranges.
func span(ranges []parser.Range) (first, last int) {
	for _, r := range ranges {
		if first == 0 || r.Start.Line < first {
			first = r.Start.Line
		}
		last = max(last, r.End.Line)
	}
	return first, last
}

// syntaxError is an error of the instruction parser with its line in the text,
// for clients that show no code frame.
type syntaxError struct {
	line int
	err  error
}

func (e *syntaxError) Error() string {
	return fmt.Sprintf("dockerfile parse error on line %d: %v", e.line, e.err)
}

func (e *syntaxError) Unwrap() error { return e.err }
