package dockerfile

import (
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/pkg/errors"
)

// newLinter applies the checks that the client asked for
// (BUILDKIT_DOCKERFILE_CHECK), else those of the file's check directive.
func newLinter(data []byte, opt Options) (*linter.Linter, error) {
	var config linter.Config
	if opt.Check != nil {
		config = *opt.Check // a copy: several platforms share the client's
	} else {
		directive, _, _, _ := parser.ParseDirective("check", data)
		parsed, err := linter.ParseLintOptions(directive)
		if err != nil {
			return nil, errors.Wrap(err, "failed to parse check options")
		}
		config = *parsed
	}
	config.Warn = opt.Warn
	return linter.New(&config), nil
}

// warnEmptyContinuation repeats the one warning of the line parser that is a
// build check; the parser has no others today.
func warnEmptyContinuation(warnings []parser.Warning, lint *linter.Linter) {
	for _, w := range warnings {
		if w.URL != linter.RuleNoEmptyContinuation.URL {
			continue
		}
		lint.Run(&linter.RuleNoEmptyContinuation, []parser.Range{*w.Location}, linter.RuleNoEmptyContinuation.Format())
	}
}

func checkStageNames(f *File) {
	seen := map[string]bool{}
	for _, s := range f.Stages {
		if s.Name == "" {
			continue
		}
		if s.Name == "scratch" || s.Name == "context" {
			f.Lint.Run(&linter.RuleReservedStageName, s.Location, linter.RuleReservedStageName.Format(s.Name))
		}
		if seen[s.Name] {
			f.Lint.Run(&linter.RuleDuplicateStageName, s.Location, linter.RuleDuplicateStageName.Format(s.Name))
		}
		seen[s.Name] = true
	}
}

// keyword is an instruction's name as written.
type keyword struct {
	text  string
	where []parser.Range
}

// checkInstructionCasing reports keywords that are not in the casing which
// most keywords of the file have; upper case where there is no majority.
func checkInstructionCasing(f *File) {
	var words []keyword
	for _, s := range f.Stages {
		words = append(words, keyword{s.OrigCmd, s.Location})
		for _, in := range s.Instrs {
			words = append(words, keyword{in.Name(), in.Location()})
		}
	}
	lower, upper := 0, 0
	for _, w := range words {
		switch w.text {
		case strings.ToLower(w.text):
			lower++
		case strings.ToUpper(w.text):
			upper++
		}
	}
	casing, want := "uppercase", strings.ToUpper
	if lower > upper {
		casing, want = "lowercase", strings.ToLower
	}
	for _, w := range words {
		if w.text != want(w.text) {
			f.Lint.Run(&linter.RuleConsistentInstructionCasing, w.where, linter.RuleConsistentInstructionCasing.Format(w.text, casing))
		}
	}
}
