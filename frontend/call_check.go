package frontend

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/solver/pb"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/frontend/answer"
	"github.com/stagecraft/stagecraft/frontend/gateway"
	"github.com/stagecraft/stagecraft/frontend/outgoing"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/lower"
	"github.com/stagecraft/stagecraft/llb/plan"
)

// checkCall lists the findings of the build checks: of all stages, unless the
// client names a target: of what that needs, and of its gates. An error of the
// build is one of the findings.
func checkCall(ctx context.Context, r *request) (answer.Answer, error) {
	results := &lint.LintResults{}
	c := r.compilation(ctx, gateway.Goal{})
	// The Dockerfile is a source even where nothing is found in it.
	sources := map[string]int{c.Files.Source(0).Name(): addSource(results, c.sourceMap(0))}
	check := func(c *compilation, before findings) (*plan.Plan, findings, bool) {
		source := func(file dockerfile.FileID) int {
			name := c.Files.Source(file).Name()
			if _, ok := sources[name]; !ok {
				sources[name] = addSource(results, c.sourceMap(file))
			}
			return sources[name]
		}
		found := findings{}
		c.Warn = func(file dockerfile.FileID, rule, description, url, msg string, where []parser.Range) {
			if finding := c.finding(file, rule, msg, where); !before[finding] {
				found[finding] = true
				results.AddWarning(rule, description, url, msg, source(file), where)
			}
		}
		p, err := compiler.Evaluate(ctx, c.Request)
		if err == nil {
			return p, found, true
		}
		results.Error = &lint.BuildError{Message: errorText(c.withWay(err), r.opts)}
		var located *parser.LocationError
		if errors.As(err, &located) {
			results.Error.Location = pb.Location{
				SourceIndex: int32(source(dockerfile.FileOf(err))),
				Ranges:      lower.Ranges(mergeRanges(located.Locations)),
			}
		}
		return nil, nil, false
	}
	c.EveryStage = c.Target == ""
	p, known, ok := check(c, nil)
	if !ok || c.EveryStage {
		return checkAnswer(results)
	}
	for _, gate := range compiler.Gates(p) {
		_, found, ok := check(c.gate(ctx, gate), maps.Clone(known))
		if !ok {
			break
		}
		maps.Copy(known, found)
	}
	return checkAnswer(results)
}

// addSource is lint.LintResults.AddSource for a file that is known by its
// text alone, too.
func addSource(results *lint.LintResults, sm *llb.SourceMap) int {
	if sm.Definition == nil {
		text := *sm
		text.Definition = &llb.Definition{}
		sm = &text
	}
	return results.AddSource(sm)
}

// checkAnswer is the answer of check. A client that prints the findings itself
// would give each file the Dockerfile's name: with several, it is a newer
// answer than the client knows, of which it prints our text.
func checkAnswer(results *lint.LintResults) (answer.Answer, error) {
	// Clients print all of it.
	outgoing.Values(&results.Warnings)
	for _, src := range results.Sources {
		src.Data = outgoing.Data(src.Data)
	}
	a, err := upstream(results.ToResult(nil))
	if err == nil && len(results.Sources) > 1 {
		a.Version = extendedVersion
	}
	return a, err
}

// mergeRanges are the lines of several locations, each line once.
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
