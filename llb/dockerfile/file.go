package dockerfile

import (
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
)

// File is a parsed Dockerfile. Evaluation expands the instructions in place
// (instructions.Command is made so), therefore a File serves one compilation
// only: parse again for each platform.
type File struct {
	ID     FileID
	Data   []byte
	Escape rune // the escape directive's character, backslash by default
	Args   []GlobalArg
	Stages []Stage
	// Lint runs build checks under the file's own check directive.
	Lint *linter.Linter
}

// GlobalArg is an ARG before the first FROM.
type GlobalArg struct {
	*instructions.ArgCommand
	Loc Loc
}

// Stage is a FROM with the instructions that follow it. Its embedded Commands
// field is unused: Instrs holds them together with their locations.
type Stage struct {
	instructions.Stage
	Loc    Loc
	Flags  FromFlags
	Instrs []Instruction
}

// Instruction is an instruction inside a stage.
type Instruction struct {
	instructions.Command
	Loc   Loc
	Flags Flags
	// OnBuild marks an instruction that a trigger of the base image brought.
	OnBuild bool
}

// FromFlags are the flags of FROM that docker/dockerfile does not know.
type FromFlags struct{}

// Flags are the flags of COPY and RUN that docker/dockerfile does not know.
type Flags struct{}
