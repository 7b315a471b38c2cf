package dockerfile

import (
	"slices"

	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// rawNode is an instruction as the line parser has it, and the files that lead
// to it.
type rawNode struct {
	node  *parser.Node
	chain []FileID
}

// copyNode returns a node whose flags can be taken out of it.
func copyNode(node *parser.Node) *parser.Node {
	c := *node
	c.Flags = slices.Clone(node.Flags)
	return &c
}

// keep remembers an instruction of the last stage before it is read.
func (f *File) keep(node *parser.Node, chain []FileID) {
	if last := len(f.raw) - 1; last >= 0 {
		f.raw[last] = append(f.raw[last], rawNode{copyNode(node), chain})
	}
}

// Again returns the file for an evaluation with other settings. Its global
// args and its FROMs are those of f; the instructions of its stages are read
// when they are asked for. What the build checks find in both is found once.
func (f *File) Again() *File {
	return &File{ID: f.ID, Files: f.Files, Args: f.Args, Stages: f.Stages, raw: f.raw, linters: f.linters.again()}
}

// Instructions returns the instructions of a stage, read once more: evaluation
// changes them.
func (f *File) Instructions(stage int) ([]Instruction, error) {
	if err := f.Files.spendAgain(len(f.raw[stage])); err != nil {
		return nil, At(err, f.Stages[stage].Loc)
	}
	silent := linter.New(&linter.Config{}) // it was checked when it was read first
	var instrs []Instruction
	for _, raw := range f.raw[stage] {
		node := copyNode(raw.node)
		in, err := parseInstruction(node, silent)
		if err != nil {
			return nil, InFile(f.syntaxError(node, err), raw.chain[len(raw.chain)-1])
		}
		in.Loc = f.loc(node, raw.chain)
		instrs = append(instrs, in)
	}
	return instrs, nil
}
