package stage

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// Reference is what a flag of an instruction refers to.
type Reference struct {
	// Node is the stage or the image that is meant.
	Node ID
	// Flag is where the reference stands.
	Flag RefFlag
	// Written is the reference as the file has it, without the quotes of the
	// flag; empty for a mount that has no from.
	Written string
	// Expanded is Written with its variables replaced.
	Expanded string
	// Vars are the variables that Written asks for, by name.
	Vars []RefVar
}

// RefFlag is a flag that refers to a stage, or the part of one that does.
type RefFlag string

const (
	CopyFrom  RefFlag = "--from"
	MountFrom RefFlag = "--mount=from"
	// CopyPlatform is the platform of what CopyFrom refers to.
	CopyPlatform RefFlag = "--target-platform"
)

// HasVariables reports whether the file leaves to variables what is meant.
func (r *Reference) HasVariables() bool { return r.Written != r.Expanded }

// Instruction is an instruction together with what it refers to.
type Instruction struct {
	dockerfile.Instruction
	// Refs are one for COPY --from, after which that for --target-platform
	// stands, and one for each mount of RUN, in the order of the flags; else
	// none.
	Refs []Reference
}

// Text returns the instruction as it is written.
func (in *Instruction) Text() string {
	if code, ok := in.Command.(fmt.Stringer); ok {
		return code.String()
	}
	return in.Name()
}

// Piece is a part of the text of an instruction: as written, or the value of
// a reference.
type Piece struct {
	Text     string
	Expanded bool
}

// Pieces cuts the text of an instruction where its references have variables:
// these pieces are expanded, with the variables that a reference has, and the
// others are as written. escape is the escape character of the file.
func (in *Instruction) Pieces(escape rune) []Piece {
	code := in.Text()
	var pieces []Piece
	at, mounts := 0, 0
	for _, span := range dockerfile.FlagSpans(code, escape) {
		flag := code[span.Start:span.End]
		ref := in.refOf(dockerfile.Unquote(flag, escape), &mounts)
		if ref == nil || !ref.HasVariables() {
			continue
		}
		value := valueSpan(flag, ref)
		pieces = append(pieces,
			Piece{Text: code[at : span.Start+value.Start]},
			Piece{Text: ref.Expanded, Expanded: true})
		at = span.Start + value.End
	}
	return append(pieces, Piece{Text: code[at:]})
}

// refOf returns the reference of a flag, nil for a flag without one. mounts is
// how many mounts were seen before.
func (in *Instruction) refOf(flag string, mounts *int) *Reference {
	switch {
	case strings.HasPrefix(flag, "--from="):
		if len(in.Refs) > 0 && in.Refs[0].Flag == CopyFrom {
			return &in.Refs[0]
		}
	case strings.HasPrefix(flag, "--target-platform="):
		if len(in.Refs) > 1 && in.Refs[1].Flag == CopyPlatform {
			return &in.Refs[1]
		}
	case strings.HasPrefix(flag, "--mount="):
		if *mounts++; *mounts <= len(in.Refs) {
			return &in.Refs[*mounts-1]
		}
	}
	return nil
}

// mountField matches the beginning of the field of a mount that names a stage.
var mountField = regexp.MustCompile(`(?i)[=,"']from=["']?`)

// valueSpan returns where the value of a reference stands in the text of its
// flag. Of several fields of a mount the last one counts.
func valueSpan(flag string, ref *Reference) dockerfile.Span {
	if ref.Flag != MountFrom {
		return dockerfile.Span{Start: strings.Index(flag, "=") + 1, End: len(flag)}
	}
	for _, m := range mountField.FindAllStringIndex(flag, -1) {
		if start := m[1]; strings.HasPrefix(flag[start:], ref.Written) {
			return dockerfile.Span{Start: start, End: start + len(ref.Written)}
		}
	}
	return dockerfile.Span{} // quoted in the middle: shown in front
}
