package llbtest

import (
	"regexp"
	"strings"

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
	{"flag of FROM", regexp.MustCompile(`unknown flag: --(after|context|no-cache)\b`)},
	{"flag of COPY", regexp.MustCompile(`unknown flag: --if-exists\b`)},
	{"stage of another file", regexp.MustCompile(`failed to parse stage name "(/|\./|\.\./)`)},
	{"reference to a later stage", regexp.MustCompile(`cannot (copy|mount) from stage .* needs to be defined before current`)},
}

// Addition is the name of what a rejected file has that only Stagecraft knows,
// empty where there is no such thing.
func Addition(r Request, upstream error) string {
	if upstream == nil {
		return ""
	}
	for _, a := range additions {
		if a.refusal.MatchString(upstream.Error()) {
			return a.name
		}
	}
	// A name means the nearest earlier stage here, and the last one there,
	// which may be the stage itself.
	if strings.Contains(upstream.Error(), "circular dependency detected on stage") && repeatsNames(r.Dockerfile) {
		return "stages of the same name"
	}
	return ""
}

func repeatsNames(data []byte) bool {
	f, err := dockerfile.Parse(dockerfile.NewFiles("Dockerfile", data, nil), 0, dockerfile.Options{})
	if err != nil {
		return false
	}
	seen := map[string]bool{}
	for _, s := range f.Stages {
		if s.Name != "" && seen[s.Name] {
			return true
		}
		seen[s.Name] = true
	}
	return false
}
