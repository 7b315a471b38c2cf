package dockerfile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/pkg/errors"
)

// WarnFunc receives a finding of a build check: see linter.LintWarnFunc, and
// the file that the location is in.
type WarnFunc func(file FileID, rule, description, url, msg string, where []parser.Range)

// linters run the checks of one Dockerfile. What it includes is under its
// check directive, too, but warnings must name the right file.
type linters struct {
	files  *Files
	warn   WarnFunc
	config linter.Config
	first  *linter.Linter
	by     map[FileID]*linter.Linter
}

// newLinters applies the checks that the client asked for
// (BUILDKIT_DOCKERFILE_CHECK), else those of the file's check directive.
func newLinters(files *Files, id FileID, opt Options) (*linters, error) {
	data := files.Source(id).Data
	var config linter.Config
	if opt.Check != nil {
		config = *opt.Check // a copy: several platforms share the client's
	} else {
		directive, _, where, _ := parser.ParseDirective("check", data)
		parsed, err := linter.ParseLintOptions(directive)
		if err != nil {
			return nil, At(errors.Wrap(err, "failed to parse check options"), Loc{File: id, Ranges: where})
		}
		config = *parsed
	}
	return &linters{files: files, warn: opt.Warn, config: config, first: linter.New(&config), by: map[FileID]*linter.Linter{}}, nil
}

// again returns the same checks for another evaluation of the file, where the
// rules have fired that did so before.
func (l *linters) again() *linters {
	config := l.config
	first := linter.New(&config)
	fired := slices.Clone(*l.first.CalledRules)
	first.CalledRules = &fired
	return &linters{files: l.files, warn: l.warn, config: config, first: first, by: map[FileID]*linter.Linter{}}
}

// of returns the linter for a file. All share the list of rules that fired.
func (l *linters) of(id FileID) *linter.Linter {
	if lint, ok := l.by[id]; ok {
		return lint
	}
	lint := *l.first
	if l.warn != nil {
		lint.Warn = func(rule, description, url, msg string, where []parser.Range) {
			// What was found in a file holds for it with all settings.
			finding := fmt.Sprint(l.files.Source(id).Name(), where, rule, msg)
			if by, known := l.files.found[finding]; !known || by == l {
				l.files.found[finding] = l
				l.warn(id, rule, description, url, msg, where)
			}
		}
	}
	l.by[id] = &lint
	return &lint
}

// hasCheckDirective reports whether comments in front of an instruction set checks
// for it. docker/dockerfile has no checks for triggers, and panics.
func hasCheckDirective(comments []string) bool {
	for _, comment := range comments {
		var p parser.DirectiveParser
		p.SetComment("")
		d, _ := p.ParseLine([]byte(comment))
		if d == nil || d.Name != "check" {
			continue
		}
		options, _, _ := strings.Cut(d.Value, " ")
		_, err := linter.ParseLintOptions(options)
		return err == nil
	}
	return false
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
			f.Lint(s.Loc).Run(&linter.RuleReservedStageName, s.Location, linter.RuleReservedStageName.Format(s.Name))
		}
		if seen[s.Name] {
			f.Lint(s.Loc).Run(&linter.RuleDuplicateStageName, s.Location, linter.RuleDuplicateStageName.Format(s.Name))
		}
		seen[s.Name] = true
	}
}

// keyword is an instruction's name as written.
type keyword struct {
	text string
	loc  Loc
}

// checkInstructionCasing reports keywords that are not in the casing which
// most keywords of the file have; upper case where there is no majority.
func checkInstructionCasing(f *File) {
	var words []keyword
	for _, s := range f.Stages {
		words = append(words, keyword{s.OrigCmd, s.Loc})
		for _, in := range s.Instrs {
			words = append(words, keyword{in.Name(), in.Loc})
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
			f.Lint(w.loc).Run(&linter.RuleConsistentInstructionCasing, w.loc.Ranges, linter.RuleConsistentInstructionCasing.Format(w.text, casing))
		}
	}
}
