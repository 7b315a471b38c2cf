package stage

import (
	"strings"

	"github.com/moby/buildkit/util/suggest"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// Ref names a stage across compilations of the same request, where IDs may
// differ.
type Ref struct {
	File    string // name of the file
	Context Context
	Index   int // among the stages of the file
}

// RefOf is the reference of a stage.
func (g *Graph) RefOf(id ID) Ref {
	u := g.UnitOf(g.Node(id))
	r := Ref{File: g.Files.Source(u.File.ID).Name(), Context: g.Contexts[u.Context]}
	for i, s := range u.Stages {
		if s == id {
			r.Index = i
		}
	}
	return r
}

func isFileTarget(name string) bool { return strings.Contains(name, "#") }

// findTarget finds the stage that is wanted.
func (g *Graph) findTarget() error {
	if g.opt.Gate != nil {
		return g.findGate(g.opt.Gate)
	}
	if g.opt.Target == "" {
		root := g.Units[0].Stages
		g.Target = root[len(root)-1]
		return nil
	}
	id, ok := g.ByName(g.opt.Target)
	if !ok {
		err := errors.Errorf("target stage %q could not be found", g.opt.Target)
		return suggest.WrapError(err, g.opt.Target, g.Labels(), true)
	}
	g.Target = id
	return nil
}

func (g *Graph) findGate(want *Ref) error {
	for i := range g.Units {
		u := &g.Units[i]
		c := g.Contexts[u.Context]
		sameContext := c.Dir == want.Context.Dir && c.Named == want.Context.Named && c.Ignore == want.Context.Ignore
		if g.Files.Source(u.File.ID).Name() == want.File && sameContext && want.Index < len(u.Stages) {
			g.Target = u.Stages[want.Index]
			return nil
		}
	}
	return errors.Errorf("stage %d of %s could not be found again", want.Index, want.File)
}

// Gate is a stage that must succeed for the target to count.
type Gate struct {
	Stage ID
	// By is the stage whose --after requires it, and Loc that FROM.
	By  ID
	Loc dockerfile.Loc
}

// Gates are the gates of all stages that the target needs, and the gates of
// what these need, each once, in the order in which they are found. What the
// target itself is made from is none: the target cannot succeed without it,
// and should it fail, the failure is the target's own.
func (g *Graph) Gates() []Gate {
	var gates []Gate
	seen := g.Reach(g.Target)
	for todo := []ID{g.Target}; len(todo) > 0; todo = todo[1:] {
		for _, id := range g.Order(g.Reach(todo[0])) {
			for _, e := range g.Out(id) {
				if e.Kind == After && !seen[e.To] {
					seen[e.To] = true
					gates = append(gates, Gate{Stage: e.To, By: id, Loc: e.Loc})
					todo = append(todo, e.To)
				}
			}
		}
	}
	return gates
}
