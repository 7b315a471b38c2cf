package stage

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// checkCycles refuses stages that need themselves. docker/dockerfile looks at
// copies and mounts everywhere, so that a circle of these is an error even
// where the target does not need it; one that a base edge closes is an error
// only for the target.
func (g *Graph) checkCycles() error {
	asUpstream := func(e Edge) ID {
		if e.Kind == Copy || e.Kind == Mount {
			return e.last
		}
		return None
	}
	for id := range ID(len(g.Nodes)) {
		if err := g.cycleError(g.cycle(id, asUpstream)); err != nil {
			return err
		}
	}
	return g.CheckTarget()
}

// CheckTarget refuses a circle among the stages that the target needs. It is
// asked again after triggers have added edges.
func (g *Graph) CheckTarget() error { return g.CheckFrom(g.Target) }

// CheckFrom refuses a circle among the stages that a stage needs.
func (g *Graph) CheckFrom(id ID) error {
	return g.cycleError(g.cycle(id, func(e Edge) ID {
		if e.Implied || e.ofItself() {
			return None
		}
		return e.To
	}))
}

// cycle is a circle of edges that can be reached from a node, nil without one.
// next is the node to go to along an edge, None not to go.
func (g *Graph) cycle(from ID, next func(Edge) ID) []Edge {
	const (
		onPath = 1
		done   = 2
	)
	state := map[ID]int{}
	var path []Edge
	var visit func(ID) []Edge
	visit = func(id ID) []Edge {
		state[id] = onPath
		for _, i := range g.out[id] {
			e := g.Edges[i]
			to := next(e)
			if to == None || state[to] == done {
				continue
			}
			path = append(path, e)
			if state[to] == onPath {
				start := slices.IndexFunc(path, func(e Edge) bool { return e.From == to })
				return path[start:]
			}
			if found := visit(to); found != nil {
				return found
			}
			path = path[:len(path)-1]
		}
		state[id] = done
		return nil
	}
	return visit(from)
}

// ofItself says that a trigger copies from the stage that it is in. That is no
// circle: what it gets is the stage as it is so far.
func (e *Edge) ofItself() bool { return e.OnBuild && e.From == e.To }

// cycleError shows the whole way around, with the line of each step.
func (g *Graph) cycleError(circle []Edge) error {
	if len(circle) == 0 {
		return nil
	}
	var way strings.Builder
	for _, e := range circle {
		fmt.Fprintf(&way, "%s -(%s, %s)-> ", g.display(e.From), e.Kind, g.line(e.Loc))
	}
	way.WriteString(g.display(circle[0].From))
	err := errors.Errorf("circular dependency detected on stage: %s: %s; break the circle by moving what the stages share into a stage of its own", g.display(circle[0].From), way.String())
	for _, e := range circle {
		err = dockerfile.At(err, e.Loc)
	}
	return err
}

// line is a line number, with the file where that is not the Dockerfile.
func (g *Graph) line(loc dockerfile.Loc) string {
	if loc.File == 0 {
		return fmt.Sprintf("line %d", loc.Line())
	}
	return fmt.Sprintf("%s:%d", g.Files.Source(loc.File).Name(), loc.Line())
}

func (g *Graph) display(id ID) string {
	if n := g.Node(id); n.Label != "" {
		return n.Label
	}
	return fmt.Sprintf("stage-%d", id)
}
