package review

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// edit replaces the lines first to last of a file, counted from 1, with
// others. Where last is first-1 it inserts before first.
type edit struct {
	file        dockerfile.FileID
	first, last int
	lines       []string
}

// diff returns the edits of one file as a unified diff with three lines of
// context, empty without any. Edits must not overlap.
func diff(name, text string, edits []edit) string {
	if len(edits) == 0 {
		return ""
	}
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b edit) int { return a.first - b.first })
	lines := strings.SplitAfter(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	out := &strings.Builder{}
	fmt.Fprintf(out, "--- a/%s\n+++ b/%s\n", name, name)
	added := 0
	for i := 0; i < len(edits); {
		n := i + 1
		for n < len(edits) && edits[n].first-edits[n-1].last <= 2*context {
			n++
		}
		added += hunk(out, lines, edits[i:n], added)
		i = n
	}
	return out.String()
}

// context is how many lines a hunk shows around a change.
const context = 3

// hunk writes edits that are near to each other, and returns how many lines
// the file grows by. added is by how many it has grown above.
func hunk(out *strings.Builder, lines []string, edits []edit, added int) int {
	start := max(1, edits[0].first-context)
	end := min(len(lines), edits[len(edits)-1].last+context)
	body, grown := &strings.Builder{}, 0
	at := start
	show := func(sign byte, line string) {
		body.WriteByte(sign)
		body.WriteString(line)
		if !strings.HasSuffix(line, "\n") {
			body.WriteString("\n\\ No newline at end of file\n")
		}
	}
	for _, e := range edits {
		for ; at < e.first; at++ {
			show(' ', lines[at-1])
		}
		for ; at <= e.last; at++ {
			show('-', lines[at-1])
		}
		for i, line := range e.lines {
			show('+', line+ending(lines, e, i))
		}
		grown += len(e.lines) - (e.last - e.first + 1)
	}
	for ; at <= end; at++ {
		show(' ', lines[at-1])
	}
	fmt.Fprintf(out, "@@ -%d,%d +%d,%d @@\n%s", start, end-start+1, start+added, end-start+1+grown, body)
	return grown
}

// ending returns the line ending for a new line of an edit: that of the file,
// and none where it replaces a last line that has none.
func ending(lines []string, e edit, i int) string {
	if e.last == len(lines) && i == len(e.lines)-1 && !strings.HasSuffix(lines[len(lines)-1], "\n") {
		return ""
	}
	if len(lines) > 0 && strings.HasSuffix(lines[0], "\r\n") {
		return "\r\n"
	}
	return "\n"
}
