package plan

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/patternmatcher"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// once remembers the latest of the instructions of which only one counts.
type once struct {
	set bool
	loc dockerfile.Loc
}

// checkOnce reports the earlier instruction: that one has no effect.
func (e *stageEval) checkOnce(latest *once, c instructions.Command) {
	if latest.set {
		// It may stand in another file than the one that has an effect.
		lint := e.unit.File.Lint(latest.loc).WithMergedConfigFromComments(c.Comments())
		lint.Run(&linter.RuleMultipleInstructionsDisallowed, latest.loc.Ranges, linter.RuleMultipleInstructionsDisallowed.Format(c.Name()))
	}
	*latest = once{set: true, loc: e.loc}
}

// checkLegacyForm reports "ENV key value", without an equals sign.
func (e *stageEval) checkLegacyForm(kv instructions.KeyValuePair, c instructions.Command) {
	if kv.NoDelim {
		e.lint.Run(&linter.RuleLegacyKeyValueFormat, c.Location(), linter.RuleLegacyKeyValueFormat.Format(c.Name()))
	}
}

// A name is suspicious when one of its words, or all of it, is one of these.
var (
	secretName = wordIn("apikey", "auth", "credential", "credentials", "key", "password", "pword", "passwd", "secret", "token")
	publicName = wordIn("public", "file", "version")
)

func wordIn(words ...string) *regexp.Regexp {
	return regexp.MustCompile(`(?i)(?:_|^)(?:` + strings.Join(words, "|") + `)(?:_|$)`)
}

// checkSecretName reports variables whose value looks like a secret: it would
// stay in the image.
func (e *stageEval) checkSecretName(keyword, name string, c instructions.Command) {
	if secretName.MatchString(name) && !publicName.MatchString(name) {
		e.lint.Run(&linter.RuleSecretsUsedInArgOrEnv, c.Location(), linter.RuleSecretsUsedInArgOrEnv.Format(keyword, name))
	}
}

// checkIgnored reports a source that the ignore file excludes. With
// exceptions in the ignore file, no simple answer would be right.
func (t *transfer) checkIgnored(src string) {
	ignore := t.opt.Ignore[t.unit.Context]
	if t.from != stage.None || ignore.PatternMatcher == nil || ignore.Exclusions() {
		return
	}
	src = filepath.ToSlash(filepath.Clean(src))
	if (src == "." || src == "/") && !ignoresAll(ignore.PatternMatcher) {
		return // the root is no path that a pattern could mean
	}
	if matches, err := ignore.MatchesOrParentMatches(src); err != nil || !matches {
		return
	}
	keyword := map[string]string{"ADD": "Add", "COPY": "Copy"}[t.keyword]
	text := linter.RuleCopyIgnoredFile.Format(keyword, src)
	if t.unit.Context != 0 {
		// docker/dockerfile knows one ignore file and its default name.
		text = strings.TrimSuffix(text, ".dockerignore") + ignore.File
	}
	t.lint.Run(&linter.RuleCopyIgnoredFile, t.in.Location(), text)
}

func ignoresAll(ignore *patternmatcher.PatternMatcher) bool {
	return slices.ContainsFunc(ignore.Patterns(), func(p *patternmatcher.Pattern) bool {
		all := p.String() == "*" || p.String() == "**" || p.String() == "**/*"
		return all && !p.Exclusion()
	})
}

func isWeb(src string) bool {
	return strings.HasPrefix(src, "http://") || strings.HasPrefix(src, "https://")
}
