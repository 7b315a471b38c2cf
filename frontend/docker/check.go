package docker

import (
	"cmp"
	"slices"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/solver/pb"
	"github.com/stagecraft/stagecraft/frontend/outgoing"
	"github.com/stagecraft/stagecraft/llb/lower"
)

// Check collects the findings of the build checks.
type Check struct {
	results lint.LintResults
	sources map[string]int // by name
}

// NewCheck returns an empty collection. The Dockerfile is a source even where
// nothing is found in it.
func NewCheck(dockerfile *llb.SourceMap) *Check {
	c := &Check{sources: map[string]int{}}
	c.source(dockerfile)
	return c
}

// source returns the number of a file. lint.LintResults.AddSource wants a
// definition, which a file that is known by its text alone has not.
func (c *Check) source(sm *llb.SourceMap) int {
	if i, ok := c.sources[sm.Filename]; ok {
		return i
	}
	text := *sm
	if text.Definition == nil {
		text.Definition = &llb.Definition{}
	}
	i := c.results.AddSource(&text)
	c.sources[sm.Filename] = i
	return i
}

// Warn adds a finding.
func (c *Check) Warn(sm *llb.SourceMap, rule, description, url, msg string, where []parser.Range) {
	c.results.AddWarning(rule, description, url, msg, c.source(sm), where)
}

// Fail adds the error that ends a build, with its places in a file.
func (c *Check) Fail(message string, sm *llb.SourceMap, where [][]parser.Range) {
	c.results.Error = &lint.BuildError{Message: message}
	if where != nil {
		c.results.Error.Location = pb.Location{SourceIndex: int32(c.source(sm)), Ranges: lower.Ranges(mergeRanges(where))}
	}
}

// Results returns what was collected, and the version of the answer. A client
// that prints the findings itself would give each file the Dockerfile's name:
// with several, it is a newer answer than the client knows.
func (c *Check) Results() (_ *lint.LintResults, version string) {
	outgoing.Values(&c.results.Warnings)
	for _, src := range c.results.Sources {
		src.Data = outgoing.Data(src.Data)
	}
	version = lint.SubrequestLintDefinition.Version
	if len(c.results.Sources) > 1 {
		version = ExtendedVersion
	}
	return &c.results, version
}

// mergeRanges returns the lines of several locations, each line once.
func mergeRanges(locations [][]parser.Range) []parser.Range {
	all := slices.Concat(locations...)
	slices.SortStableFunc(all, func(a, b parser.Range) int { return cmp.Compare(a.Start.Line, b.Start.Line) })
	var merged []parser.Range
	for _, r := range all {
		if last := len(merged) - 1; last >= 0 && r.Start.Line <= merged[last].End.Line {
			merged[last].End.Line = max(merged[last].End.Line, r.End.Line)
			continue
		}
		merged = append(merged, r)
	}
	return merged
}
