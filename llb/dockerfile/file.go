package dockerfile

import (
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/pkg/errors"
)

// File is a parsed Dockerfile. Evaluation expands the instructions in place
// (instructions.Command is made so), therefore a File serves one compilation
// only: parse again for each platform.
type File struct {
	ID     FileID
	Files  *Files
	Args   []GlobalArg
	Stages []Stage

	linters *linters
	raw     [][]rawNode // by stage
}

// Escape returns the escape character in the file that a location is in.
func (f *File) Escape(loc Loc) rune { return f.Files.Source(loc.File).Escape }

// Lint runs build checks for a location, under the file's check directive.
func (f *File) Lint(loc Loc) *linter.Linter { return f.linters.of(loc.File) }

// LintError is an error where a check found something and the file, or the
// client, wants that to fail the build. It names the rules in the order of the
// alphabet.
func (f *File) LintError() error {
	lint := f.linters.of(f.ID)
	if lint.Error() == nil {
		return nil
	}
	rules := slices.Compact(slices.Sorted(slices.Values(*lint.CalledRules)))
	err := errors.Errorf("lint violation found for rules: %s", strings.Join(rules, ", "))
	if f.ID == 0 {
		return err // docker/dockerfile gives it no place
	}
	return At(err, Whole(f.ID))
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
type FromFlags struct {
	// After are the stages that must succeed for this one to count.
	After []string
	// Context is the build context for the stages of another file.
	Context string
	// NoCache executes the stage's own instructions always.
	NoCache bool
	// Squash makes one layer of what the stage stands on.
	Squash bool
	// Args are build arguments for the stage that FROM names, and
	// TargetPlatform the platform that it is built for; empty: as in the
	// rest of the build.
	Args           []SetArg
	TargetPlatform string
}

// Flags are the flags of COPY and RUN that docker/dockerfile does not know.
type Flags struct {
	// IfExists lets COPY skip sources that are not there.
	IfExists bool
	// KeepRoot lets COPY keep owner and mode of the folder itself.
	KeepRoot bool
	// Chown and Chmod are what WORKDIR gives to the folders that it makes,
	// with variables; empty for its defaults.
	Chown, Chmod string
	// NoCache executes this RUN always.
	NoCache bool
	// TargetPlatform is the platform that the source of a COPY is built for;
	// empty: that of the stage.
	TargetPlatform string
	// MountFrom are the from= values with variables of RUN --mount, by what
	// stands for them in the parsed mount.
	MountFrom map[string]string
}
