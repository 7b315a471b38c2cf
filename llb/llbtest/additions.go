package llbtest

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// additions are what Stagecraft adds to the language (docs/language.md), by
// the message with which docker/dockerfile refuses it.
var additions = []struct {
	name    string
	refusal *regexp.Regexp
}{
	{"variable in COPY --from", regexp.MustCompile(`variable expansion is not supported for --from`)},
	{"variable in RUN --mount=from", regexp.MustCompile(`'from' doesn't support variable expansion`)},
	{"instruction", regexp.MustCompile(`unknown instruction: (?i:INCLUDE|UNSET)\b`)},
	{"flag of FROM", regexp.MustCompile(`unknown flag: --(after|arg|context|no-cache|squash|target-platform)\b`)},
	{"flag of COPY", regexp.MustCompile(`unknown flag: --(if-exists|keep-root|target-platform)\b`)},
	{"flag of WORKDIR", regexp.MustCompile(`unknown flag: --(chown|chmod)\b`)},
	{"flag of ENV or LABEL", regexp.MustCompile(`unknown flag: --(file|from)\b`)},
	{"stage of another file", regexp.MustCompile(`failed to parse stage name "(/|\./|\.\./)`)},
	{"reference to a later stage", regexp.MustCompile(`cannot (copy|mount) from stage .* needs to be defined before current`)},
}

// Addition returns the name of what a rejected file has that only Stagecraft knows,
// empty where there is no such thing.
func Addition(r Request, upstream error) string {
	if upstream == nil {
		return ""
	}
	if strings.Contains(upstream.Error(), "must have two arguments") && configLine.Match(r.Dockerfile) {
		return "flag of ENV or LABEL"
	}
	for _, a := range additions {
		if a.refusal.MatchString(upstream.Error()) {
			return a.name
		}
	}
	// A name means the nearest earlier stage here, and the last one there,
	// which may be the stage itself, or a later one with mistakes of its own.
	if repeatsNames(r.Dockerfile) && (strings.Contains(upstream.Error(), "circular dependency detected on stage") || Forward(r)) {
		return "stages of the same name"
	}
	return ""
}

// configLine is ENV --from or LABEL --from, of which docker/dockerfile says that
// a value is missing.
var configLine = regexp.MustCompile(`(?im)^\s*(onbuild\s+)?(env|label)\s+--from=`)

func repeatsNames(data []byte) bool {
	seen := map[string]bool{}
	for _, s := range stagesOf(data) {
		if s.Name != "" && seen[s.Name] {
			return true
		}
		seen[s.Name] = true
	}
	return false
}

func stagesOf(data []byte) []dockerfile.Stage {
	f, err := dockerfile.Parse(dockerfile.NewFiles("Dockerfile", data, nil), 0, dockerfile.Options{})
	if err != nil {
		return nil
	}
	return f.Stages
}

// Forward reports whether a file refers to a later stage. Stages are then evaluated
// in another order than upstream's, and so another of several mistakes may be
// the first.
func Forward(r Request) bool {
	stages := stagesOf(r.Dockerfile)
	for i, s := range stages {
		for _, in := range s.Instrs {
			for _, ref := range references(in.Command) {
				later := func(s dockerfile.Stage) bool { return strings.EqualFold(s.Name, ref) }
				if n, err := strconv.Atoi(ref); err == nil && n > i || slices.ContainsFunc(stages[i+1:], later) {
					return true
				}
			}
		}
	}
	return false
}

func references(c instructions.Command) []string {
	switch c := c.(type) {
	case *instructions.CopyCommand:
		return []string{c.From}
	case *instructions.RunCommand:
		// The mounts are there only after expansion.
		_ = c.Expand(func(word string) (string, error) { return word, nil })
		var refs []string
		for _, m := range instructions.GetMounts(c) {
			refs = append(refs, m.From)
		}
		return refs
	}
	return nil
}
