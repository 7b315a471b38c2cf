package review

import (
	"fmt"
	"strings"
)

// shellRules are about what a shell does with failures.
var shellRules = []Rule{
	{
		ID:       "LostFailure",
		Practice: "A here-document stops at the first failure",
		Why:      "Each line of the script runs whether or not the one before failed, and only the last one decides: a broken build step goes unnoticed.",
		Mend:     "Begin the script with set -e.",
		Applies: func(s *Subject) bool {
			for _, step := range s.steps() {
				if step.Script().here != nil {
					return true
				}
			}
			return false
		},
		Check: lostFailures,
	},
}

func lostFailures(s *Subject) []Finding {
	var found []Finding
	for _, step := range s.steps() {
		sc := step.Script()
		if sc.here == nil || sc.lost == "" || step.stops() {
			continue
		}
		f := step.at(fmt.Sprintf("a failure of %s is lost: the script goes on", short(sc.lost))).pointing(sc.lost)
		if e, ok := step.setE(); ok {
			f.edits = append(f.edits, e)
		}
		found = append(found, f)
	}
	return found
}

// stops reports whether the shell of a script stops at failures by itself.
func (step *Step) stops() bool {
	shell, _ := step.shell()
	for i, a := range shell {
		if i > 0 && exitOption(a) || i > 1 && a == "errexit" {
			return true
		}
	}
	first, _, _ := strings.Cut(step.Script().here.Data, "\n")
	if shebang, ok := strings.CutPrefix(first, "#!"); ok {
		for _, a := range strings.Fields(shebang)[1:] {
			if exitOption(a) {
				return true
			}
		}
	}
	for _, c := range step.Commands() {
		if isShell(c.name) && c.has("-e", "-ex", "-eu", "-eux", "-xe", "-ue", "-euo", "-euxo") {
			return true
		}
	}
	return false
}

// exitOption reports whether an option of a shell has it stop at failures.
func exitOption(a string) bool {
	return strings.HasPrefix(a, "-") && !strings.HasPrefix(a, "--") && strings.Contains(a, "e")
}

// setE returns an edit that begins a script with set -e.
func (step *Step) setE() (edit, bool) {
	first, _ := span(step.Loc.Ranges)
	text := step.source()
	data := strings.Split(step.Script().here.Data, "\n")
	for i, line := range text {
		if i == 0 || strings.TrimLeft(line, "\t") != strings.TrimLeft(data[0]+lineEnd(line), "\t") || !strings.Contains(text[i-1], "<<") {
			continue
		}
		at := first + i
		if strings.HasPrefix(data[0], "#!") {
			at++
			i++
		}
		if i >= len(text) {
			return edit{}, false
		}
		indent := text[i][:len(text[i])-len(strings.TrimLeft(text[i], " \t"))]
		return edit{step.Loc.File, at, at - 1, []string{indent + "set -e"}}, true
	}
	return edit{}, false
}

func lineEnd(line string) string {
	if strings.HasSuffix(line, "\r") {
		return "\r"
	}
	return ""
}
