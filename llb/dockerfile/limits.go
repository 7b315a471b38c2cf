package dockerfile

import (
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/pkg/errors"
)

// A Dockerfile comes from people that the one who builds need not trust, and
// files that include files can grow with every level. These limits are far
// above what people write.
const (
	// maxIncludes is how deep INCLUDE may nest.
	maxIncludes = 16
	// maxFiles is how many files a build may refer to.
	maxFiles = 1000
	// maxInstructions and maxText are how much other files may bring in all:
	// each time that one is included or used with another build context
	// counts.
	maxInstructions = 100_000
	maxText         = 16 << 20 // bytes; the Dockerfile itself can have no more
	// maxAgain is how many instructions stages with settings of their own may
	// have in all.
	maxAgain = 1_000_000
)

// budget is what the files besides the Dockerfile have brought.
type budget struct{ instructions, text, again int }

// spend is an error where a file brings more than a build may have.
func (f *Files) spend(id FileID, tree *parser.Result) error {
	if id == 0 {
		return nil // the client sent it, and its size is limited
	}
	src := f.Source(id)
	f.budget.instructions += 1 + len(tree.AST.Children)
	f.budget.text += len(src.Data)
	switch {
	case f.budget.instructions > maxInstructions:
		return errors.Errorf("with %s, other files bring more than %d instructions, counted each time that one is included; do files include each other several times?", src.Name(), maxInstructions)
	case f.budget.text > maxText:
		return errors.Errorf("with %s, other files bring more than %d MB, counted each time that one is included; do files include each other several times?", src.Name(), maxText>>20)
	}
	return nil
}

// spendAgain counts instructions that are read once more, for a stage with
// settings of its own.
func (f *Files) spendAgain(instructions int) error {
	if f.budget.again += 1 + instructions; f.budget.again > maxAgain {
		return errors.Errorf("stages with settings of their own bring more than %d instructions", maxAgain)
	}
	return nil
}
