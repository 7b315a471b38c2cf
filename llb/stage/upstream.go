package stage

import (
	"strings"
	"unicode"

	"github.com/pkg/errors"
)

// Where docker/dockerfile has a meaning of its own for a name or an index, and
// Stagecraft keeps it.

// byIndex counts the stages of a file; in the Dockerfile itself images that
// were referred to before count on, as in docker/dockerfile.
func (g *Builder) byIndex(from ID, index int, set Settings) (ID, error) {
	unit := g.UnitOf(g.Node(from))
	switch {
	case index >= 0 && index < len(unit.ids):
		return g.withSettings(g.Node(from).Unit, index, from, set)
	case index >= 0 && g.Node(from).Unit == 0 && index < len(g.Nodes) && g.Node(ID(index)).Unit == 0:
		return ID(index), nil
	}
	return None, errors.Errorf("invalid stage index %d: the last stage of the file is %d", index, len(unit.ids)-1)
}

// latest returns the last stage of a name in the file.
func (u *Unit) latest(name string) (index int, ok bool) {
	if same := u.named[strings.ToLower(name)]; len(same) > 0 {
		return same[len(same)-1], true
	}
	if isASCII(name) {
		return 0, false
	}
	// A letter of another alphabet may be an ASCII letter in another case.
	for i := len(u.File.Stages) - 1; i >= 0; i-- {
		if strings.EqualFold(u.File.Stages[i].Name, name) {
			return i, true
		}
	}
	return 0, false
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}

// lastCounts reports whether a name means its last stage even where that is not an
// earlier one. In docker/dockerfile it always does, which is an error but for
// three cases: cycles are looked for before triggers fire, so that one may
// copy from its own stage; a stage that a named context replaces is there from
// the start; and its own instructions are never evaluated, but what they name
// is built.
func (g *Graph) lastCounts(last int, from ID, in *Instruction) bool {
	n := g.Node(from)
	if n.Replaced || last == n.Index && in.OnBuild {
		return true
	}
	id := g.UnitOf(n).ids[last]
	return id != None && g.Node(id).Replaced
}

// upstreamEnd is Edge.last for a reference to a stage by its name.
func (g *Graph) upstreamEnd(to ID, ref string, from ID) ID {
	n := g.Node(to)
	if n.Kind == External || !strings.EqualFold(n.Name, ref) || n.Unit != g.Node(from).Unit {
		return to
	}
	last, _ := g.UnitOf(n).latest(ref)
	return g.UnitOf(n).ids[last]
}
