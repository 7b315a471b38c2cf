package flatten

import (
	"fmt"
	"path"
	"strings"
)

// optional replaces the sources of COPY --if-exists by patterns that match
// nothing but themselves: a pattern may match nothing. So it is here, too
// (llb/plan/ifexists.go), for a file at the top of what is copied from.
func optional(in *instruction, out *rewritten) []edit {
	if in.isJSON() || len(in.flag("parents")) > 0 {
		out.missing = append(out.missing, "--if-exists with --parents or in the JSON form")
		return nil
	}
	var edits []edit
	for _, w := range in.words[:max(0, len(in.words)-1)] {
		if strings.HasPrefix(w.text, "<<") {
			continue
		}
		pattern, ok := optionalPath(w.text)
		if !ok {
			out.missing = append(out.missing, fmt.Sprintf("--if-exists of %s: docker/dockerfile requires the folder of a pattern", w.text))
			continue
		}
		edits = append(edits, edit{w.start, w.end, pattern})
	}
	return edits
}

func optionalPath(text string) (string, bool) {
	if strings.ContainsAny(text, "\\`'\"$") {
		return "", false
	}
	clean := path.Clean(strings.TrimPrefix(text, "/"))
	if clean == "." {
		return text, true // the root is always there
	}
	if strings.Contains(clean, "/") {
		return "", false
	}
	if strings.ContainsAny(clean, "*?[") {
		return text, true
	}
	if strings.ContainsRune("^-]!", rune(clean[0])) || clean[0] >= 0x80 {
		return "", false
	}
	return "[" + clean[:1] + "]" + clean[1:], true
}
