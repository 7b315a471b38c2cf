package flatten

import (
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// piece is an instruction as it is written, with the text before it.
type piece struct {
	file dockerfile.FileID
	line int // of the instruction, counted from 1
	// lead is what stands before the instruction: comments and empty lines.
	lead string
	// raw are the lines of the instruction, here-documents included. Empty
	// for what follows the last instruction of a file.
	raw    string
	escape rune
	node   *parser.Node
}

// is reports whether the piece is an instruction of a name.
func (p *piece) is(name string) bool { return p.node != nil && strings.EqualFold(p.node.Value, name) }

// scan returns the pieces of a file, with those of included files in the
// place of INCLUDE.
func scan(files *dockerfile.Files, id dockerfile.FileID) ([]piece, error) {
	src := files.Source(id)
	tree, err := dockerfile.Tree(src.Data)
	if err != nil {
		return nil, errors.Wrap(err, src.Name())
	}
	lines := splitLines(src.Data)
	drop := directives(src.Data)
	var pieces []piece
	next := 0 // the first line that is in no piece yet
	for _, node := range tree.AST.Children {
		p := piece{file: id, line: node.StartLine, escape: tree.EscapeToken, node: node}
		p.lead = leading(lines, next, node.StartLine-1, drop, id)
		p.raw = ended(strings.Join(lines[node.StartLine-1:node.EndLine], ""), id, lines)
		next = node.EndLine
		if !p.is("include") {
			pieces = append(pieces, p)
			continue
		}
		included, err := scanIncluded(files, id, node.StartLine)
		if err != nil {
			return nil, err
		}
		pieces = append(pieces, piece{file: id, line: p.line, lead: p.lead, escape: p.escape})
		pieces = append(pieces, included...)
	}
	if tail := leading(lines, next, len(lines), drop, id); tail != "" {
		pieces = append(pieces, piece{file: id, line: next + 1, lead: tail, escape: tree.EscapeToken})
	}
	return pieces, nil
}

// scanIncluded returns the pieces of the file that an INCLUDE brings.
func scanIncluded(files *dockerfile.Files, from dockerfile.FileID, line int) ([]piece, error) {
	for id := range files.Len() {
		id := dockerfile.FileID(id)
		if via := files.Source(id).Via; id != 0 && via.File == from && via.Line() == line {
			return scan(files, id)
		}
	}
	return nil, errors.Errorf("%s:%d: the file of this INCLUDE was not read", files.Source(from).Name(), line)
}

// splitLines splits a text after each line feed.
func splitLines(data []byte) []string {
	lines := strings.SplitAfter(string(data), "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// leading returns lines from, inclusive, to to, exclusive, counted from 0. The
// directives of another file than the Dockerfile are left out: they count in
// it alone.
func leading(lines []string, from, to int, drop map[int]bool, id dockerfile.FileID) string {
	var text strings.Builder
	for i := from; i < to; i++ {
		if id != 0 && drop[i] {
			continue
		}
		line := lines[i]
		if id != 0 && i == 0 {
			line = strings.TrimPrefix(line, bom)
		}
		text.WriteString(line)
	}
	if text.Len() == 0 {
		return ""
	}
	return ended(text.String(), id, lines)
}

const bom = "\uFEFF"

// ended returns a text of another file with a line feed at its end, so that
// something can follow it.
func ended(text string, id dockerfile.FileID, lines []string) string {
	if id == 0 || strings.HasSuffix(text, "\n") {
		return text
	}
	return text + newline(lines)
}

// newline returns the line ending that a text has in its first line.
func newline(lines []string) string {
	if len(lines) > 0 && strings.HasSuffix(lines[0], "\r\n") {
		return "\r\n"
	}
	return "\n"
}

// directives returns the lines of a file's directives, counted from 0.
func directives(data []byte) map[int]bool {
	found := map[int]bool{}
	var p parser.DirectiveParser
	for i, line := range splitLines(data) {
		if i == 0 {
			line = strings.TrimPrefix(line, bom)
		}
		d, err := p.ParseLine([]byte(strings.TrimSpace(line)))
		if d == nil || err != nil {
			break
		}
		found[i] = true
	}
	return found
}
