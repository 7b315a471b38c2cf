package size

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/stagecraft/stagecraft/frontend/answer"
)

// Text returns the report for people.
func (r *Report) Text() string {
	parts := []string{r.headline(), r.originTable(), r.stageTable()}
	if len(r.Covered.Causes) > 0 {
		parts = append(parts, r.causeTable())
	}
	if len(r.Largest) > 0 {
		parts = append(parts, r.largest())
	}
	if r.compared {
		parts = append(parts, r.changes())
	}
	if r.Limit != nil {
		parts = append(parts, r.judgement())
	}
	return strings.Join(parts, "\n")
}

func (r *Report) headline() string {
	line := fmt.Sprintf("%s for %s: %s in %s", r.Target, r.Platform, answer.Bytes(r.Total.Bytes), files(r.Total.Files))
	if r.Union.Bytes > r.Total.Bytes {
		line += fmt.Sprintf("; one stage with everything would carry %s in %s", answer.Bytes(r.Union.Bytes), answer.Count(r.Union.Files))
	}
	lines := answer.Fold(strings.Split(answer.Clean(line), " "), " ", answer.Width)
	if r.Incomplete != "" {
		lines = append(lines, answer.Fold(strings.Split("Not exact: "+r.Incomplete+".", " "), " ", answer.Width)...)
	}
	return strings.Join(lines, "\n") + "\n"
}

func files(n int64) string {
	if n == 1 {
		return "1 file"
	}
	return answer.Count(n) + " files"
}

func (r *Report) originTable() string {
	t := answer.NewTable(answer.Column{Title: "WHERE THE BYTES COME FROM"}, answer.Column{Title: "BYTES", Right: true},
		answer.Column{Title: "SHARE", Right: true}, answer.Column{Title: "FILES", Right: true}, answer.Column{Title: "LINE", Right: true})
	for _, o := range r.Origins {
		if o.Files > 0 {
			t.Add(o.Label(), answer.Bytes(o.Bytes), r.share(o.Bytes), answer.Count(o.Files), r.line(o.File, o.Line))
		}
	}
	covered := []string{"of which covered by later layers", answer.Bytes(r.Covered.Bytes)}
	if r.Covered.Files > 0 {
		covered = append(covered, r.share(r.Covered.Bytes), answer.Count(r.Covered.Files))
	}
	t.Add(covered...)
	return t.String()
}

func (r *Report) share(bytes int64) string {
	if r.Total.Bytes == 0 {
		return "0 %"
	}
	return strconv.FormatInt((200*bytes+r.Total.Bytes)/(2*r.Total.Bytes), 10) + " %"
}

// line returns a place in a table: the line, with the file where it is another one than the Dockerfile.
func (r *Report) line(file string, line int) string {
	text := strconv.Itoa(line)
	if len(r.Stages) > 0 && file != r.Stages[0].File {
		return file + ":" + text
	}
	return text
}

// Label returns an origin in a few words.
func (o *Origin) Label() string {
	switch o.Kind {
	case KindBase:
		return o.From + " (base)"
	case KindCopy:
		return "COPY --from=" + o.From + " " + strings.Join(o.Paths, " ")
	case KindContext:
		where := "build context"
		if o.From != "" {
			where += " " + o.From
		}
		return o.instruction() + " " + strings.Join(o.Paths, " ") + " (" + where + ")"
	case KindAdd:
		return o.instruction() + " " + strings.Join(o.Paths, " ")
	default:
		first, _, _ := strings.Cut(o.Code, "\n")
		return first
	}
}

// instruction is COPY or ADD.
func (o *Origin) instruction() string {
	word, _, _ := strings.Cut(o.Code, " ")
	return strings.ToUpper(word)
}

func (r *Report) stageTable() string {
	t := answer.NewTable(answer.Column{Title: "STAGE"}, answer.Column{Title: "BYTES", Right: true}, answer.Column{Title: "OWN", Right: true},
		answer.Column{Title: "FILES", Right: true}, answer.Column{Title: "LINE", Right: true}, answer.Column{})
	for _, s := range r.Stages {
		var note string
		switch {
		case len(s.GateOf) > 0:
			note = "gate of " + strings.Join(s.GateOf, ", ")
		case s.Amount == nil:
			note = "not built"
		}
		row := []string{s.Name, "-", "-", "-", r.line(s.File, s.Line), note}
		if s.Amount != nil {
			row[1], row[2], row[3] = answer.Bytes(s.Bytes), answer.Bytes(s.Own.Bytes), answer.Count(s.Files)
		}
		t.Add(row...)
	}
	return t.String()
}

func (r *Report) causeTable() string {
	t := answer.NewTable(answer.Column{Title: "COVERED BY"}, answer.Column{Title: "BYTES", Right: true},
		answer.Column{Title: "FILES", Right: true}, answer.Column{Title: "LINE", Right: true})
	for _, c := range r.Covered.Causes {
		first, _, _ := strings.Cut(c.Code, "\n")
		t.Add(first, answer.Bytes(c.Bytes), answer.Count(c.Files), r.line(c.File, c.Line))
	}
	return t.String()
}

func (r *Report) largest() string {
	const title = "LARGEST    "
	var words []string
	for _, f := range r.Largest {
		o := r.Origins[f.Origin]
		from := "line " + r.line(o.File, o.Line)
		switch o.Kind {
		case KindBase:
			from = "base"
		case KindCopy:
			from = o.From + ", " + from
		}
		words = append(words, fmt.Sprintf("%s %s (%s)", answer.Clean(f.Path), answer.Bytes(f.Bytes), from))
	}
	lines := answer.Fold(words, " · ", answer.Width-len(title))
	return title + strings.Join(lines, "\n"+strings.Repeat(" ", len(title))) + "\n"
}
