package flatten

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// withEscape writes an instruction of a file whose escape character is
// another than the flattened file's. why says what cannot be said.
func withEscape(p piece, to rune) (_ piece, why string) {
	if p.escape == to || p.node == nil {
		p.escape = to
		return p, ""
	}
	from := string(p.escape)
	lexed := slices.ContainsFunc([]string{"from", "arg", "env", "label", "copy", "add", "expose", "user", "volume", "workdir", "stopsignal"}, p.is)
	in := takeApart(p.raw, p.escape)
	either := from + string(to)
	if lexed && in.isJSON() && strings.ContainsAny(in.rest.text, either) {
		why = "a JSON form with backslashes or backticks, in a file with another escape character"
	}
	if !lexed && slices.ContainsFunc(in.flags, func(w word) bool { return strings.ContainsAny(p.raw[w.start:w.end], either) }) {
		why = "a flag with backslashes or backticks, in a file with another escape character"
	}
	r := &respelling{from: p.escape, to: to, lexed: lexed}
	var text strings.Builder
	lines := strings.SplitAfter(p.raw, "\n")
	for i, line := range lines {
		if trimmed := strings.TrimLeftFunc(line, unicode.IsSpace); i > 0 && (trimmed == "" || trimmed[0] == '#') {
			text.WriteString(line)
			continue
		}
		more := r.line(line, &text)
		if !more {
			text.WriteString(strings.Join(lines[i+1:], "")) // here-documents
			break
		}
	}
	if r.why != "" {
		why = r.why
	}
	p.raw, p.escape = text.String(), to
	return p, why
}

// respelling is the state of it from line to line.
type respelling struct {
	from, to rune
	// lexed says that the words of the instruction are read with the escape
	// character; a shell has its own.
	lexed bool
	quote rune
	why   string
}

func continuation(escape rune) *regexp.Regexp {
	e := regexp.QuoteMeta(string(escape))
	return regexp.MustCompile(`(^|[^` + e + `])` + e + `[ \t]*$`)
}

// line writes one line and reports whether the instruction goes on.
func (r *respelling) line(line string, text *strings.Builder) bool {
	body := strings.TrimRight(line, "\r\n")
	end := line[len(body):]
	more := continuation(r.from).MatchString(body)
	if more {
		i := strings.LastIndex(body, string(r.from))
		end = string(r.to) + body[i+1:] + end
		body = body[:i]
	}
	if r.lexed {
		body = r.words(body)
	}
	if continuation(r.to).MatchString(body) && !more {
		r.why = fmt.Sprintf("a line that ends with %c, in a file with another escape character", r.to)
	}
	text.WriteString(body + end)
	return more
}

// words respells the escapes in words.
func (r *respelling) words(body string) string {
	var text strings.Builder
	runes := []rune(body)
	for i := 0; i < len(runes); i++ {
		c := runes[i]
		switch {
		case r.quote == '\'':
			if c == '\'' {
				r.quote = 0
			}
			text.WriteRune(c)
		case c == r.from && i+1 < len(runes):
			next := runes[i+1]
			i++
			if next == r.from {
				text.WriteRune(next)
			} else if r.quote == '"' && next != '"' && next != '$' {
				text.WriteString(string(c))
				i-- // there it is no escape
			} else {
				text.WriteString(string(r.to) + string(next))
			}
		case c == r.to:
			text.WriteString(string(r.to) + string(r.to))
		default:
			if c == '"' || c == '\'' && r.quote == 0 {
				if r.quote == c {
					r.quote = 0
				} else {
					r.quote = c
				}
			}
			text.WriteRune(c)
		}
	}
	return text.String()
}
