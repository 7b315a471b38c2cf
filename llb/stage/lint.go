package stage

import (
	"maps"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/moby/buildkit/util/suggest"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// checkDefaultBases reports bases that are no valid reference while no build
// argument is given.
func (b *unitBuilder) checkDefaultBases() {
	if b.Globals.Defaults == nil {
		return // the same expansion fails below, or a build argument mends it
	}
	for _, s := range b.File.Stages {
		res, err := b.lex.ProcessWordWithMatches(s.BaseName, b.Globals.Defaults)
		if err != nil {
			return
		}
		if b.meansFile(&s, res.Result) {
			continue
		}
		if _, err := reference.ParseNormalizedNamed(res.Result); err != nil {
			b.File.Lint(s.Loc).Run(&linter.RuleInvalidDefaultArgInFrom, s.Location, linter.RuleInvalidDefaultArgInFrom.Format(s.BaseName))
		}
	}
}

// meansFile reports whether a base is a stage of another file, and not an image
// whose registry is a variable that has no default: "$REGISTRY/alpine".
func (b *unitBuilder) meansFile(s *dockerfile.Stage, byDefault string) bool {
	if dockerfile.IsPath(s.BaseName) {
		return true
	}
	if !dockerfile.IsPath(byDefault) || strings.HasPrefix(byDefault, "/") {
		return false
	}
	now, _, err := b.lex.ProcessWord(s.BaseName, &b.Globals.Env)
	return err == nil && dockerfile.IsPath(now)
}

func (b *unitBuilder) stageLint(s *dockerfile.Stage) *linter.Linter {
	return b.File.Lint(s.Loc).WithMergedConfigFromComments(s.Comments)
}

// checkFromArgs reports variables in FROM that no global ARG declares.
func (b *unitBuilder) checkFromArgs(s *dockerfile.Stage, unmatched map[string]struct{}) {
	if len(unmatched) == 0 {
		return
	}
	known := map[string]struct{}{}
	for key := range b.Globals.Args {
		known[key] = struct{}{}
	}
	for _, key := range b.Globals.Env.Keys() {
		known[key] = struct{}{}
	}
	for _, name := range sortedKeys(unmatched) {
		if _, ok := known[name]; ok {
			continue
		}
		meant, _ := suggest.Search(name, sortedKeys(known), true)
		b.stageLint(s).Run(&linter.RuleUndefinedArgInFrom, s.Location, linter.RuleUndefinedArgInFrom.Format(name, meant))
	}
}

// checkRedundantPlatform reports --platform=$TARGETPLATFORM, the default.
func (b *unitBuilder) checkRedundantPlatform(s *dockerfile.Stage, res shell.ProcessWordResult) {
	const name = "TARGETPLATFORM"
	if _, ok := res.Matched[name]; !ok || len(res.Matched) != 1 || len(res.Unmatched) != 0 {
		return
	}
	if value, _ := b.Globals.Env.Get(name); value == res.Result {
		b.stageLint(s).Run(&linter.RuleRedundantTargetPlatform, s.Location, linter.RuleRedundantTargetPlatform.Format(s.Platform))
	}
}

// checkConstantPlatform reports a platform without a variable, unless the
// stage's name shows that it is meant so.
func (b *unitBuilder) checkConstantPlatform(s *dockerfile.Stage, res shell.ProcessWordResult) {
	if len(res.Matched) > 0 || len(res.Unmatched) > 0 {
		return
	}
	p, err := platforms.Parse(res.Result)
	if err != nil || strings.Contains(s.Name, p.OS) || strings.Contains(s.Name, p.Architecture) {
		return
	}
	b.stageLint(s).Run(&linter.RuleFromPlatformFlagConstDisallowed, s.Location, linter.RuleFromPlatformFlagConstDisallowed.Format(res.Result))
}

func sortedKeys(set map[string]struct{}) []string {
	return slices.Sorted(maps.Keys(set))
}

func sortedNames[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}

func union(a, b map[string]struct{}) map[string]struct{} {
	all := map[string]struct{}{}
	maps.Copy(all, a)
	maps.Copy(all, b)
	return all
}
