package diagram

import (
	"slices"
	"strings"

	"github.com/stagecraft/stagecraft/frontend/answer"
)

// arrow is all edges of one kind between the same two nodes, which documents
// show as one.
type arrow struct {
	stage, needs string
	kind         EdgeKind
	paths        []string
	places       []string // where the instructions stand
}

func (g *Graph) arrows() []*arrow {
	var arrows []*arrow
	for _, e := range g.Edges {
		i := slices.IndexFunc(arrows, func(a *arrow) bool {
			return a.stage == e.Stage && a.needs == e.Needs && a.kind == e.Kind
		})
		if i < 0 {
			i = len(arrows)
			arrows = append(arrows, &arrow{stage: e.Stage, needs: e.Needs, kind: e.Kind})
		}
		a := arrows[i]
		for _, p := range e.Paths {
			if !slices.Contains(a.paths, p) {
				a.paths = append(a.paths, p)
			}
		}
		if at := g.at(e.File, e.Line); !slices.Contains(a.places, at) {
			a.places = append(a.places, at)
		}
	}
	return arrows
}

// pathColumns limits a path in a label, pathLines how many there are.
const (
	pathColumns = 60
	pathLines   = 6
)

// label is the text on an arrow.
func (a *arrow) label() []string {
	lines := []string{string(a.kind)}
	for i, p := range a.paths {
		if i == pathLines && len(a.paths) > pathLines+1 {
			lines = append(lines, count(len(a.paths)-i, "more path"))
			break
		}
		lines = append(lines, answer.Shorten(answer.Clean(p), pathColumns))
	}
	if len(a.paths) > 0 {
		lines = slices.Replace(lines, 0, 2, lines[0]+" "+lines[1])
	}
	at := "line " + a.places[0]
	if len(a.places) > 1 {
		at = answer.Shorten("lines "+strings.Join(a.places, ", "), pathColumns)
	}
	return append(lines, at)
}

// remarks are the heading and the findings, for comments.
func (g *Graph) remarks() []string {
	return strings.Split(strings.TrimSuffix(g.heading()+"\n"+g.findings(), "\n"), "\n")
}
