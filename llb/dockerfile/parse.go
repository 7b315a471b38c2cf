package dockerfile

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/crash"
)

// Options says how to read a file.
type Options struct {
	// Check replaces the file's own check directive; nil leaves it in force.
	Check *linter.Config
	// Warn receives what the build checks find; nil switches the checks off.
	Warn WarnFunc

	stageless bool // a file without a stage is no error
}

// List reads a Dockerfile for the list of its stages, which may be empty. The
// build checks and their directive play no part.
func List(files *Files) (*File, error) {
	return Parse(files, 0, Options{Check: &linter.Config{}, stageless: true})
}

// Parse reads a Dockerfile and what it includes. Errors in it are located
// (parser.LocationError, FileError); an empty file and a file without a stage
// are errors.
func Parse(files *Files, id FileID, opt Options) (*File, error) {
	src := files.Source(id)
	if len(src.Data) == 0 && !opt.stageless { // BuildKit's parser has another word for it in a list
		return nil, At(errors.New("the Dockerfile cannot be empty"), Whole(id))
	}
	lint, err := newLinters(files, id, opt)
	if err != nil {
		return nil, InFile(err, id)
	}
	tree, err := parseTree(src.Data)
	if err != nil {
		return nil, src.explain(InFile(err, id), id)
	}
	if err := files.spend(id, tree); err != nil {
		return nil, err
	}
	src.Escape = tree.EscapeToken
	warnEmptyContinuation(tree.Warnings, lint.of(id))

	files.lookAhead(tree, id)
	f := &File{ID: id, Files: files, linters: lint}
	if err := f.addAll(tree, []FileID{id}); err != nil {
		return nil, err
	}
	if len(f.Stages) == 0 && !opt.stageless {
		return nil, At(errors.New("dockerfile contains no stages to build"), Whole(id))
	}
	checkStageNames(f)
	checkInstructionCasing(f)
	return f, nil
}

// addAll appends a syntax tree to the file. The last of chain is the file
// that the tree is from.
func (f *File) addAll(tree *parser.Result, chain []FileID) error {
	for _, node := range tree.AST.Children {
		if err := f.add(node, chain); err != nil {
			id := chain[len(chain)-1]
			return f.Files.Source(id).explain(InFile(err, id), id)
		}
	}
	return nil
}

// add appends one node of the syntax tree to the file.
func (f *File) add(node *parser.Node, chain []FileID) error {
	loc := f.loc(node, chain)
	if strings.EqualFold(node.Value, "include") {
		return f.include(node, chain)
	}
	if strings.EqualFold(node.Value, "from") {
		flags, err := takeFromFlags(node)
		if err != nil {
			return f.syntaxError(node, err)
		}
		parsed, err := parseNode(node, f.Lint(loc))
		if err != nil {
			return f.syntaxError(node, err)
		}
		f.Stages = append(f.Stages, Stage{Stage: *parsed.(*instructions.Stage), Loc: loc, Flags: flags})
		f.raw = append(f.raw, nil)
		return nil
	}
	f.keep(node, chain)
	in, err := parseInstruction(node, f.Lint(loc))
	if err != nil {
		return f.syntaxError(node, err)
	}
	in.Loc = loc
	if c, ok := in.Command.(*instructions.ArgCommand); ok && len(f.Stages) == 0 {
		f.Args = append(f.Args, GlobalArg{ArgCommand: c, Loc: loc})
		return nil
	}
	if len(f.Stages) == 0 {
		return parser.WithLocation(errors.New("no build stage in current context"), loc.Ranges)
	}
	s := &f.Stages[len(f.Stages)-1]
	s.Instrs = append(s.Instrs, in)
	return nil
}

func (f *File) loc(node *parser.Node, chain []FileID) Loc {
	return Loc{File: chain[len(chain)-1], Ranges: node.Location()}
}

// syntaxError is an error of the instruction parser with its line in the text,
// for clients that show no code frame.
func (f *File) syntaxError(node *parser.Node, err error) error {
	return &syntaxError{line: node.StartLine, err: parser.SetLocation(suggestAddition(err, node), node.Location())}
}

// ParseTrigger reads one ONBUILD trigger as it stands in an image config or
// after ONBUILD. Its locations are those of at, the FROM that fires it; an
// INCLUDE brings the instructions of a file of this build.
func (f *File) ParseTrigger(text string, at Loc) ([]Instruction, error) {
	instrs, err := f.parseTrigger(text, at)
	return instrs, InFile(err, at.File)
}

func (f *File) parseTrigger(text string, at Loc) ([]Instruction, error) {
	tree, err := parseTree([]byte(text))
	if err != nil {
		return nil, err
	}
	if len(tree.AST.Children) != 1 {
		return nil, errors.New("onbuild trigger should be a single expression")
	}
	node := tree.AST.Children[0]
	node.StartLine, node.EndLine = span(at.Ranges)
	if hasCheckDirective(node.PrevComment) {
		return nil, errors.Errorf("the ONBUILD trigger %q of the base image has a check directive in a comment, which counts only in a Dockerfile: build that image again without the comment", text)
	}
	if strings.EqualFold(node.Value, "include") {
		return f.includeTrigger(node, at)
	}
	in, err := parseInstruction(node, nil)
	if err != nil {
		return nil, err
	}
	in.Loc = Loc{File: at.File, Ranges: node.Location()}
	in.OnBuild = true
	return []Instruction{in}, nil
}

// includeTrigger reads a file that a trigger includes. A stage cannot start
// inside of another one's triggers.
func (f *File) includeTrigger(node *parser.Node, at Loc) ([]Instruction, error) {
	scratch := &File{ID: f.ID, Files: f.Files, linters: f.linters, Stages: []Stage{{}}}
	if err := scratch.include(node, []FileID{at.File}); err != nil {
		return nil, err
	}
	if len(scratch.Stages) > 1 {
		return nil, At(errors.New("FROM isn't allowed in a file that an ONBUILD trigger includes"), scratch.Stages[1].Loc)
	}
	instrs := scratch.Stages[0].Instrs
	for i := range instrs {
		instrs[i].OnBuild = true
	}
	return instrs, nil
}

// parseInstruction reads an instruction other than FROM and INCLUDE.
func parseInstruction(node *parser.Node, lint *linter.Linter) (Instruction, error) {
	if strings.EqualFold(node.Value, "unset") {
		c, err := parseUnset(node)
		return Instruction{Command: c}, err
	}
	if c, err := parseFileCommand(node); c != nil || err != nil {
		return Instruction{Command: c}, err
	}
	if c, err := parseConfigCommand(node); c != nil || err != nil {
		return Instruction{Command: c}, err
	}
	flags, err := takeInstructionFlags(node)
	if err != nil {
		return Instruction{}, err
	}
	parsed, err := parseNode(node, lint)
	if err != nil {
		return Instruction{}, err
	}
	c, ok := parsed.(instructions.Command)
	if !ok {
		return Instruction{}, parser.WithLocation(errors.Errorf("%T is not a command type", parsed), node.Location())
	}
	return Instruction{Command: c, Flags: flags}, nil
}

// parseNode is BuildKit's instruction parser. Of several names that are equally
// near to a misspelt one it suggests any, by the order of a map: it is asked
// until chance plays no part, and the first in the alphabet is taken.
func parseNode(node *parser.Node, lint *linter.Linter) (any, error) {
	parsed, err := tryNode(node, lint)
	if err == nil || !strings.Contains(err.Error(), "(did you mean ") {
		return parsed, err
	}
	silent := linter.New(&linter.Config{})
	for range 500 {
		if _, again := tryNode(node, silent); again != nil && again.Error() < err.Error() {
			err = again
		}
	}
	return nil, err
}

// tryNode is one attempt. Panics on malformed input become located errors.
func tryNode(node *parser.Node, lint *linter.Linter) (_ any, err error) {
	defer func() {
		if crashed := new(crash.Error); errors.As(err, &crashed) {
			err = parser.WithLocation(errors.WithMessagef(err, "malformed %s instruction", strings.ToUpper(node.Value)), node.Location())
		}
	}()
	defer crash.Recover(&err)
	return instructions.ParseInstructionWithLinter(node, lint)
}

// Tree returns the syntax tree of a file, as far as lines and flags go.
func Tree(data []byte) (*parser.Result, error) { return parseTree(data) }

// parseTree is BuildKit's line parser, to which ENV --from and LABEL --from are
// shown in a form that it accepts.
func parseTree(data []byte) (*parser.Result, error) {
	tree, err := parseLines(data)
	for range maxHidden {
		if err == nil {
			break
		}
		changed, ours := hideConfigCommand(data, err)
		if !ours {
			return nil, err
		}
		data = changed
		tree, err = parseLines(data)
	}
	if err == nil {
		show(tree.AST)
	}
	return tree, err
}

// parseLines is BuildKit's line parser, likewise guarded.
func parseLines(data []byte) (*parser.Result, error) {
	tree, err := crash.Guard(func() (*parser.Result, error) { return parser.Parse(bytes.NewReader(data)) })
	if crashed := new(crash.Error); errors.As(err, &crashed) {
		err = errors.WithMessage(err, "malformed Dockerfile")
	}
	return tree, err
}

// span returns the first and the last line of some ranges.
func span(ranges []parser.Range) (first, last int) {
	for _, r := range ranges {
		if first == 0 || r.Start.Line < first {
			first = r.Start.Line
		}
		last = max(last, r.End.Line)
	}
	return first, last
}

type syntaxError struct {
	line int
	err  error
}

func (e *syntaxError) Error() string {
	return fmt.Sprintf("dockerfile parse error on line %d: %v", e.line, e.err)
}

func (e *syntaxError) Unwrap() error { return e.err }
