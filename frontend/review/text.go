package review

import (
	"fmt"
	"strings"
)

// Text returns the report for people: each finding as a compiler shows an error,
// and a last line that sums up.
func (r *Report) Text() string {
	out := &strings.Builder{}
	for i := range r.Findings {
		r.finding(out, &r.Findings[i])
	}
	if r.Omitted > 0 {
		fmt.Fprintf(out, "%d more findings are left out\n\n", r.Omitted)
	}
	out.WriteString(r.summary())
	return out.String()
}

func (r *Report) finding(out *strings.Builder, f *Finding) {
	rule := ruleOf(f.Rule)
	fmt.Fprintf(out, "%s: %s\n%s: %s\n", f.Rule, f.Practice, f.place(), f.Message)
	if f.Line > 0 {
		r.frame(out, f)
	}
	fmt.Fprintf(out, "%s\n", rule.Why)
	if f.Fix == "" {
		fmt.Fprintf(out, "%s\n\n", rule.Mend)
		return
	}
	fmt.Fprintf(out, "\n%s\n", f.Fix)
}

// place returns where a finding is, as compilers write it.
func (f *Finding) place() string {
	if f.Line == 0 {
		return f.File
	}
	return fmt.Sprintf("%s:%d", f.File, f.Line)
}

// longest is how many lines of an instruction a code frame shows.
const longest = 12

// widest is how many bytes of a line it shows.
const widest = 400

// frame shows the lines of a finding, with one on each side.
func (r *Report) frame(out *strings.Builder, f *Finding) {
	const rule = "--------------------\n"
	text := strings.Split(strings.TrimSuffix(string(r.subject.Files.Source(f.loc.File).Data), "\n"), "\n")
	first, last := max(1, f.Line-1), min(len(text), f.EndLine+1)
	out.WriteString(rule)
	for n := first; n <= last; n++ {
		if n == f.Line+longest && last-n > 1 {
			fmt.Fprintf(out, "     |     (%d more lines)\n", f.EndLine-n+1)
			n = f.EndLine
			continue
		}
		mark := "   "
		if n >= f.Line && n <= f.EndLine {
			mark = ">>>"
		}
		line := text[n-1]
		if len(line) > widest {
			line = strings.ToValidUTF8(line[:widest], "") + "…"
		}
		fmt.Fprintf(out, "%s\n", strings.TrimRight(fmt.Sprintf("%4d | %s %s", n, mark, line), " \t\r"))
	}
	out.WriteString(rule)
}

func (r *Report) summary() string {
	checks := "none"
	switch {
	case r.Checks == 1:
		checks = "1 finding (--call=check)"
	case r.Checks > 1:
		checks = fmt.Sprintf("%d findings (--call=check)", r.Checks)
	}
	return fmt.Sprintf("%s passed, %d missed; docker/dockerfile's own checks: %s\n", count(len(r.Passed), "practice"), len(r.Missed), checks)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// ruleOf returns the rule of an ID, which must be one of ours.
func ruleOf(id string) Rule {
	for _, r := range Rules() {
		if r.ID == id {
			return r
		}
	}
	panic("review: no rule " + id)
}
