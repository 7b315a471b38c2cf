package dockerfile

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/pkg/errors"
)

// ConfigCommand is ENV --from or LABEL --from: it takes over what the image
// config of a stage or an image has.
type ConfigCommand struct {
	instruction
	// Keyword is ENV or LABEL, and From the stage or the image.
	Keyword, From string
	// Names are words that say what, with variables; "*" is all.
	Names string
}

// parseConfigCommand reads ENV and LABEL with --from. Of other instructions it
// returns nil.
func parseConfigCommand(node *parser.Node) (*ConfigCommand, error) {
	keyword := strings.ToUpper(node.Value)
	if keyword != "ENV" && keyword != "LABEL" || len(node.Flags) != 1 || !strings.HasPrefix(node.Flags[0], "--from") {
		return nil, nil
	}
	flags := takeFlags(node)
	from := flags.AddString("from", "")
	if err := flags.Parse(); err != nil {
		return nil, err
	}
	c := &ConfigCommand{instruction: newInstruction(node), Keyword: keyword, From: from.Value, Names: argument(node)}
	switch {
	case c.From == "":
		return nil, errors.Errorf("%s --from needs the name of a stage or an image", keyword)
	case c.Names == "":
		return nil, errors.Errorf("%s --from=%s requires at least one name; * takes all", keyword, c.From)
	case strings.Contains(c.Names, "="):
		return nil, errors.Errorf("%s --from=%s takes names without values, not %s; write another %s for values", keyword, c.From, c.Names, keyword)
	}
	return c, nil
}

// BuildKit's line parser refuses ENV with a single word, before anybody can
// look at its flags. Where it did so for ENV --from, the keyword is put out of
// its sight, and put back in the syntax tree. Lines that it accepts, such as
// the text of a here-document, are not touched.

const hidden = "\u2039from\u203a"

var configLine = regexp.MustCompile(`(?i)^(\s*(?:onbuild\s+)*(?:env|label))(\s+--from=)`)

// maxHidden bounds how often a file is read again.
const maxHidden = 1000

// hideConfigCommand puts a mark behind the keyword in the line that an error
// of the parser points to. It reports whether that line is one of ours.
func hideConfigCommand(data []byte, err error) ([]byte, bool) {
	var located *parser.LocationError
	if !strings.Contains(err.Error(), "must have two arguments") || !errors.As(err, &located) {
		return nil, false
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	at := located.Locations[0][0].Start.Line - 1
	if at < 0 || at >= len(lines) || !configLine.Match(lines[at]) {
		return nil, false
	}
	lines[at] = configLine.ReplaceAll(lines[at], []byte("${1}"+hidden+"${2}"))
	return bytes.Join(lines, nil), true
}

// show takes the marks out of a syntax tree.
func show(node *parser.Node) {
	for ; node != nil; node = node.Next {
		node.Value = strings.ReplaceAll(node.Value, hidden, "")
		node.Original = strings.ReplaceAll(node.Original, hidden, "")
		for _, child := range node.Children {
			show(child)
		}
	}
}
