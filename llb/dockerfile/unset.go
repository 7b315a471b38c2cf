package dockerfile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/util/suggest"
	"github.com/pkg/errors"
)

// UnsetCommand is UNSET: it removes what the base image or an earlier
// instruction set in the image config.
type UnsetCommand struct {
	instruction
	// What is the instruction whose effect is removed, in upper case.
	What string
	// Names are words that say which, with variables; "*" is all. Empty for
	// instructions that set one thing.
	Names string
}

var (
	unsetLists  = []string{"ENV", "LABEL", "EXPOSE", "VOLUME"}
	unsetSingle = []string{"ENTRYPOINT", "CMD", "HEALTHCHECK", "USER", "WORKDIR", "STOPSIGNAL", "SHELL", "ONBUILD"}
)

func parseUnset(node *parser.Node) (*UnsetCommand, error) {
	if len(node.Flags) > 0 {
		return nil, errors.Errorf("unknown flag: %s; UNSET has none", strings.SplitN(node.Flags[0], "=", 2)[0])
	}
	what, names := firstWord(argument(node))
	c := &UnsetCommand{instruction: newInstruction(node), What: strings.ToUpper(what), Names: names}
	switch {
	case what == "":
		return nil, errors.New("UNSET requires an argument, for example UNSET ENV NAME")
	case slices.Contains(unsetLists, c.What) && names == "":
		return nil, errors.Errorf("UNSET %s requires at least one argument; * removes all", c.What)
	case c.What == "VOLUME" && strings.HasPrefix(names, "["):
		return nil, errors.New("UNSET VOLUME takes paths with spaces between them, not JSON: UNSET VOLUME /data /logs")
	case slices.Contains(unsetLists, c.What):
	case slices.Contains(unsetSingle, c.What) && names != "":
		return nil, errors.Errorf("UNSET %s takes no arguments", c.What)
	case slices.Contains(unsetSingle, c.What):
	default:
		err := errors.Errorf("UNSET does not know %s; it removes %s", what, strings.Join(append(unsetLists, unsetSingle...), ", "))
		if known, suggested := suggest.WrapErrorMaybe(err, what, append(unsetLists, unsetSingle...), false); known {
			return nil, suggested
		}
		return nil, errors.Errorf("UNSET does not know %s; to remove a variable write UNSET ENV %s", what, strings.Join(append([]string{what}, strings.Fields(names)...), " "))
	}
	return c, nil
}

// instruction is what every instruction tells of itself, as in BuildKit.
type instruction struct {
	name, code string
	where      []parser.Range
	comments   []string
}

func newInstruction(node *parser.Node) instruction {
	return instruction{
		name:     node.Value,
		code:     strings.TrimSpace(node.Original),
		where:    node.Location(),
		comments: node.PrevComment,
	}
}

func (i *instruction) Name() string             { return i.name }
func (i *instruction) String() string           { return i.code }
func (i *instruction) Location() []parser.Range { return i.where }
func (i *instruction) Comments() []string       { return i.comments }

var _ fmt.Stringer = &instruction{}

// argument returns what stands behind the keyword and the flags of an instruction
// that BuildKit does not know, and whose words it therefore does not split.
func argument(node *parser.Node) string {
	_, rest := firstWord(node.Original)
	for strings.HasPrefix(rest, "--") {
		_, rest = firstWord(rest)
	}
	return rest
}

func firstWord(s string) (word, rest string) {
	s = strings.TrimSpace(s)
	if i := strings.IndexAny(s, " \t"); i >= 0 {
		return s[:i], strings.TrimSpace(s[i:])
	}
	return s, ""
}
