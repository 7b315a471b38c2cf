package dockerfile

import (
	"strings"
	"unicode"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/pkg/errors"
)

// Assignment is a line of an env file.
type Assignment struct {
	Name string
	// Word is the value as the shell lexer expands it, with a backslash as
	// escape character.
	Word string
	// Inherit marks a name without a value: it takes the value that the stage
	// has for it, and is not set where there is none.
	Inherit bool
	Loc     Loc
}

// parseEnvFile reads the format that Compose has for .env files. Errors have
// the line.
func parseEnvFile(data []byte, id FileID) ([]Assignment, error) {
	p := &envFile{rest: strings.TrimPrefix(strings.ReplaceAll(string(data), "\r\n", "\n"), "\ufeff"), line: 1}
	var list []Assignment
	for p.next() {
		line := p.line
		a, err := p.assignment()
		loc := Loc{File: id, Ranges: []parser.Range{{Start: parser.Position{Line: line}, End: parser.Position{Line: max(line, p.line-1)}}}}
		if err != nil {
			return nil, At(err, loc)
		}
		a.Loc = loc
		list = append(list, a)
	}
	return list, nil
}

// envFile is what is left of a file, and the line where that begins.
type envFile struct {
	rest string
	line int
}

// take returns the next n bytes.
func (p *envFile) take(n int) string {
	text := p.rest[:n]
	p.rest = p.rest[n:]
	p.line += strings.Count(text, "\n")
	return text
}

// takeLine returns the rest of the line, without its end.
func (p *envFile) takeLine() string {
	text, _, more := strings.Cut(p.rest, "\n")
	n := len(text)
	if more {
		n++
	}
	p.take(n)
	return text
}

// next goes to the next assignment. It reports whether there is one.
func (p *envFile) next() bool {
	for {
		p.take(len(p.rest) - len(strings.TrimLeftFunc(p.rest, unicode.IsSpace)))
		if !strings.HasPrefix(p.rest, "#") {
			return p.rest != ""
		}
		p.takeLine()
	}
}

// assignment reads NAME=VALUE, NAME: VALUE or NAME, with export in front or
// without.
func (p *envFile) assignment() (Assignment, error) {
	if after, ok := strings.CutPrefix(p.rest, "export"); ok && strings.TrimLeft(after, " \t") != after {
		p.take(len(p.rest) - len(strings.TrimLeft(after, " \t")))
	}
	end := strings.IndexAny(p.rest, "=:\n")
	if end < 0 {
		end = len(p.rest)
	}
	a := Assignment{Name: strings.TrimSpace(p.take(end))}
	if bad := strings.IndexFunc(a.Name, notInName); bad >= 0 || a.Name == "" {
		return a, errors.Errorf("%q is not the name of a variable; a line is NAME=VALUE, and a comment begins with #", a.Name)
	}
	if p.rest == "" || p.rest[0] == '\n' {
		p.takeLine()
		a.Inherit = true
		return a, nil
	}
	p.take(1)
	p.take(len(p.rest) - len(strings.TrimLeft(p.rest, " \t\v\f\r")))
	var err error
	a.Word, err = p.value()
	return a, err
}

func notInName(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !strings.ContainsRune("_.-[]", r)
}

// value reads a value up to the end of its line, or of the line on which its
// quotes end.
func (p *envFile) value() (string, error) {
	if p.rest == "" || p.rest[0] != '\'' && p.rest[0] != '"' {
		text, _, _ := strings.Cut(p.takeLine(), " #")
		return interpolated(strings.TrimRightFunc(text, unicode.IsSpace))
	}
	quote := p.rest[0]
	text, err := p.quoted(quote)
	if err != nil {
		return "", err
	}
	if after := strings.TrimSpace(p.takeLine()); after != "" && after[0] != '#' {
		return "", errors.Errorf("%q stands after the quotes of a value; put all of the value into quotes, or none", after)
	}
	if quote == '\'' {
		return literal(text), nil
	}
	return interpolated(unescape(text))
}

// quoted reads a quoted text. Backslashes stay, except in front of the quote.
func (p *envFile) quoted(quote byte) (string, error) {
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == quote:
			p.take(i + 1)
			return b.String(), nil
		case c == '\\' && i+1 < len(p.rest):
			if i++; p.rest[i] != quote {
				b.WriteByte('\\')
			}
			b.WriteByte(p.rest[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", errors.Errorf("the value has no %c at its end", quote)
}

// unescape replaces the escapes that a double-quoted value can have. Those of
// a dollar sign become two of them.
func unescape(text string) string {
	escapes := map[byte]string{'a': "\a", 'b': "\b", 'c': `\c`, 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v", '$': "$$", '"': `"`, '\\': `\`}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			if to, ok := escapes[text[i+1]]; ok {
				b.WriteString(to)
				i++
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// literal returns a word for the shell lexer that means the text.
func literal(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune(`\'"$`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// interpolated returns a word for the shell lexer that means a text with variables
// in it; two dollar signs are one.
func interpolated(text string) (string, error) {
	w := &interpolation{rest: text}
	word, err := w.until("")
	return word, errors.Wrapf(err, "value %q", text)
}

type interpolation struct{ rest string }

// until reads up to one of the characters in end, which stays, or to the end
// of the text.
func (w *interpolation) until(end string) (string, error) {
	var b strings.Builder
	for w.rest != "" && !strings.ContainsRune(end, rune(w.rest[0])) {
		if w.rest[0] != '$' {
			n := strings.IndexAny(w.rest[1:], "$"+end) + 1
			if n == 0 {
				n = len(w.rest)
			}
			b.WriteString(literal(w.rest[:n]))
			w.rest = w.rest[n:]
			continue
		}
		word, err := w.variable()
		if err != nil {
			return "", err
		}
		b.WriteString(word)
	}
	return b.String(), nil
}

// variable reads what begins with a dollar sign.
func (w *interpolation) variable() (string, error) {
	rest := w.rest[1:]
	switch {
	case strings.HasPrefix(rest, "$"):
		w.rest = rest[1:]
		return `\$`, nil
	case !strings.HasPrefix(rest, "{"):
		name := variableName(rest)
		if w.rest = rest[len(name):]; name == "" {
			return `\$`, nil
		}
		return "${" + name + "}", nil
	}
	name := variableName(rest[1:])
	if name == "" {
		return "", errors.New("${ needs the name of a variable; write $$ for a dollar sign")
	}
	rest = rest[1+len(name):]
	operator := ""
	for _, op := range []string{":-", "-", ":?", "?", ":+", "+"} {
		if strings.HasPrefix(rest, op) {
			operator = op
			break
		}
	}
	if w.rest = rest[len(operator):]; operator == "" && !strings.HasPrefix(rest, "}") {
		return "", errors.Errorf("${%s is followed by something other than }, :-, -, :?, ?, :+ or +", name)
	}
	word, err := w.until("}")
	if err != nil {
		return "", err
	}
	if w.rest == "" {
		return "", errors.Errorf("${%s has no } at its end", name)
	}
	w.rest = w.rest[1:]
	return "${" + name + operator + word + "}", nil
}

// variableName returns the name of a variable that a text begins with.
func variableName(text string) string {
	end := strings.IndexFunc(text, func(r rune) bool {
		return r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
	if end < 0 {
		end = len(text)
	}
	if text = text[:end]; text != "" && text[0] <= '9' {
		return ""
	}
	return text
}
