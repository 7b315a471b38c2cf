package answer

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// CellsOf returns how many columns of a terminal a character takes: two for those
// of East Asian scripts and emoji, none for marks on the one before.
func CellsOf(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	default:
		return 1
	}
}

// Cells returns how many columns a text takes.
func Cells(s string) int {
	n := 0
	for _, r := range s {
		n += CellsOf(r)
	}
	return n
}

// Clean returns a text on one line and without what would steer a terminal.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return '\ufffd'
		default:
			return r
		}
	}, s)
}

const ellipsis = "…"

// Shorten cuts a text to a number of columns. What it leaves out is in the
// middle: names differ at either end, paths and references at the last.
func Shorten(s string, limit int) string {
	if Cells(s) <= limit {
		return s
	}
	if limit < 1 {
		return ""
	}
	runes := []rune(s)
	room := limit - 1
	head, tail, used := 0, len(runes), 0
	for used < room*2/5 && used+CellsOf(runes[head]) <= room {
		used += CellsOf(runes[head])
		head++
	}
	for tail > head && used+CellsOf(runes[tail-1]) <= room {
		tail--
		used += CellsOf(runes[tail])
	}
	return string(runes[:head]) + ellipsis + string(runes[tail:])
}

// Pad fills a text with spaces up to a number of columns.
func Pad(s string, to int) string {
	return s + strings.Repeat(" ", max(0, to-Cells(s)))
}

// Fold breaks words into lines of at most limit columns, each but the last
// with the separator at its end. A word that is longer is shortened.
func Fold(words []string, separator string, limit int) []string {
	end := strings.TrimRight(separator, " ")
	var lines []string
	for i, w := range words {
		room := limit
		if i < len(words)-1 {
			room -= Cells(end)
		}
		w = Shorten(w, room)
		last := len(lines) - 1
		switch {
		case last < 0:
			lines = append(lines, w)
		case Cells(lines[last])+Cells(separator)+Cells(w) <= room:
			lines[last] += separator + w
		default:
			lines[last] += end
			lines = append(lines, w)
		}
	}
	return lines
}
