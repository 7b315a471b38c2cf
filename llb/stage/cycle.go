package stage

import (
	"fmt"
	"strings"

	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// checkCycles refuses stages that need themselves. docker/dockerfile looks at
// copies and mounts everywhere, so that a circle of these is an error even
// where the target does not need it; one that a base edge closes is an error
// only for the target.
func (g *Graph) checkCycles() error {
	copies := func(e Edge) bool { return e.Kind == Copy || e.Kind == Mount }
	for id := range g.Nodes {
		if err := g.cycleError(g.cycle(ID(id), copies)); err != nil {
			return err
		}
	}
	return g.CheckTarget()
}

// CheckTarget refuses a circle among the stages that the target needs. It is
// asked again after triggers have added edges.
func (g *Graph) CheckTarget() error {
	return g.cycleError(g.cycle(g.Target, func(Edge) bool { return true }))
}

// cycle is a circle of edges that can be reached from a node, nil without one.
func (g *Graph) cycle(from ID, follow func(Edge) bool) []Edge {
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
			if !follow(e) || e.ofItself() || state[e.To] == done {
				continue
			}
			path = append(path, e)
			if state[e.To] == onPath {
				for start := range path {
					if path[start].From == e.To {
						return path[start:]
					}
				}
			}
			if found := visit(e.To); found != nil {
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
