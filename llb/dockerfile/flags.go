package dockerfile

import (
	"strings"
	"unicode"
)

// Span is a part of a text: the bytes from Start up to, and without, End.
type Span struct{ Start, End int }

// FlagSpans returns where the flags of an instruction stand in its text, in
// their order, as BuildKit's parser reads them: the words after the keyword
// that begin with two dashes, quotes and escapes included. escape is the
// escape character of the file.
func FlagSpans(code string, escape rune) []Span {
	var spans []Span
	pos := strings.IndexAny(code, "\t\v\f\r ")
	for pos >= 0 {
		// Byte by byte, as there.
		for pos < len(code) && unicode.IsSpace(rune(code[pos])) {
			pos++
		}
		if !strings.HasPrefix(code[pos:], "--") {
			break
		}
		end := pos + flagLength(code[pos:], escape)
		if Unquote(code[pos:end], escape) == "--" {
			break // ends the flags
		}
		spans = append(spans, Span{pos, end})
		pos = end
	}
	return spans
}

// flagLength returns the length of the word that a text begins with, in bytes:
// up to a space that is neither quoted nor escaped.
func flagLength(text string, escape rune) int {
	quote := byte(0)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case rune(c) == escape:
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case unicode.IsSpace(rune(c)):
			return i
		}
	}
	return len(text)
}

// Unquote returns the text of a flag without its quotes and escapes.
func Unquote(flag string, escape rune) string {
	var b strings.Builder
	quote := byte(0)
	for i := 0; i < len(flag); i++ {
		switch c := flag[i]; {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case rune(c) == escape:
			if i++; i < len(flag) {
				b.WriteByte(flag[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
