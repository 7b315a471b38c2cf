package digests

import (
	"fmt"
	"strings"

	"github.com/stagecraft/stagecraft/frontend/answer"
)

// Failed reports whether something differs.
func (r *Report) Failed() bool { return len(r.Changed) > 0 }

// Text returns the report for people: the steps, or what differs from an earlier report.
func (r *Report) Text() string {
	if r.compared {
		return r.changes()
	}
	t := answer.NewTable(answer.Column{Title: "STEP"}, answer.Column{Title: "DIGEST"}, answer.Column{Title: "OWN"}, answer.Column{Title: "FILES", Right: true})
	for i := range r.Steps {
		s := &r.Steps[i]
		files := ""
		if len(s.Files) > 0 {
			files = answer.Count(int64(len(s.Files)))
		}
		t.Add(s.title(), short(s.Digest), short(s.Own), files)
	}
	return fmt.Sprintf("%s for %s: %d steps. Two answers are compared with --build-arg STAGECRAFT_BEFORE=FILE.\n\n", r.Target, r.Platform, len(r.Steps)) + t.String()
}

func (s *Step) title() string {
	first, _, _ := strings.Cut(s.Code, "\n")
	return "[" + s.Stage + "] " + first
}

func short(digest string) string {
	if name, hex, ok := strings.Cut(digest, ":"); ok && len(hex) > 12 {
		return name + ":" + hex[:12]
	}
	return digest
}

func (r *Report) changes() string {
	if len(r.Changed) == 0 {
		return "Nothing differs: a step that ran was no longer in the daemon's cache.\n"
	}
	own, follow := map[int]bool{}, map[int]bool{}
	for _, c := range r.Changed {
		for _, i := range c.steps {
			own[i] = true
		}
		for _, i := range c.Follows {
			follow[i] = true
		}
	}
	for i := range own {
		delete(follow, i)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d steps changed by themselves, %d run again because of them\n", len(own), len(r.Steps), len(follow))
	last := -1
	for i := range r.Changed {
		c := &r.Changed[i]
		if c.Step != last {
			last = c.Step
			s := &r.Steps[c.Step]
			first, _, _ := strings.Cut(s.Code, "\n")
			where := fmt.Sprintf("line %d", s.Line)
			if s.File != r.Steps[0].File {
				where = fmt.Sprintf("%s:%d", s.File, s.Line)
			}
			fmt.Fprintf(&b, "\n%s\n", answer.Shorten(answer.Clean(fmt.Sprintf("%s, %s   %s", s.Stage, where, first)), answer.Width))
		}
		fmt.Fprintf(&b, "%s\n", answer.Shorten("    "+answer.Clean(c.line()), answer.Width))
		r.list(&b, "  run again: ", c.Follows)
		r.list(&b, "  perhaps, if the files that they take differ: ", c.Maybe)
	}
	b.WriteString("\nNothing else differs: a step that ran without being listed was no longer in the daemon's cache.\n")
	return b.String()
}

func (r *Report) list(b *strings.Builder, title string, steps []int) {
	var words []string
	for _, i := range steps {
		words = append(words, answer.Clean(r.Steps[i].title()))
	}
	if len(words) == 0 {
		return
	}
	lines := answer.Fold(words, ", ", answer.Width-4)
	if answer.Cells(title)+answer.Cells(lines[0]) > answer.Width || len(lines) > 1 {
		fmt.Fprintf(b, "%s\n    %s\n", strings.TrimRight(title, " "), strings.Join(lines, "\n    "))
		return
	}
	fmt.Fprintf(b, "%s%s\n", title, lines[0])
}

// line returns a change in one line.
func (c *Change) line() string {
	switch c.Cause {
	case CauseFile:
		return strings.TrimPrefix(c.Name, "/") + "  " + fileChange(c.Before, c.After)
	case CauseIgnore:
		return c.Name + " lets other files through"
	case CauseArgument:
		return fmt.Sprintf("ARG %s (line %d)  %q -> %q", c.Name, c.Line, c.Before, c.After)
	case CauseEnvironment:
		return fmt.Sprintf("ENV %s (line %d)  %q -> %q", c.Name, c.Line, c.Before, c.After)
	case CauseNew:
		return fmt.Sprintf("new: %s (line %d)", c.After, c.Line)
	case CauseGone:
		return fmt.Sprintf("gone: %s", c.Before)
	case CauseInstruction:
		if c.Before == c.After {
			return c.Name + " is another operation"
		}
		return fmt.Sprintf("%s  (before: %s)", c.After, c.Before)
	case CauseOption:
		return fmt.Sprintf("%s: %q -> %q", c.Name, c.Before, c.After)
	case CauseBase:
		return c.Name + "  " + imageChange(c.Before, c.After)
	default:
		return fmt.Sprintf("%s  %s -> %s", c.Cause, c.Before, c.After)
	}
}

// imageChange returns what differs of an image: its name, or else its digest.
func imageChange(before, after string) string {
	nameBefore, digestBefore, _ := strings.Cut(before, "@")
	nameAfter, digestAfter, _ := strings.Cut(after, "@")
	if nameBefore != nameAfter {
		return nameBefore + " -> " + nameAfter
	}
	return short(digestBefore) + " -> " + short(digestAfter)
}

// fileChange returns what differs of a file.
func fileChange(before, after string) string {
	switch {
	case before == "":
		return "new"
	case after == "":
		return "gone"
	}
	x, y := strings.Fields(before), strings.Fields(after)
	var parts []string
	switch {
	case x[0][0] != y[0][0]:
		parts = append(parts, x[0]+" -> "+y[0])
	case x[0] != y[0]:
		parts = append(parts, "mode "+x[0][1:]+" -> "+y[0][1:])
	}
	if x[1] != y[1] {
		parts = append(parts, "owner "+x[1]+" -> "+y[1])
	}
	if x[2] != y[2] {
		parts = append(parts, "other content")
	} else {
		parts = append(parts, "same content")
		if x[0] != y[0] {
			parts[len(parts)-1] += " (umask?)"
		}
	}
	return strings.Join(parts, ", ")
}
