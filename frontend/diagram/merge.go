package diagram

import (
	"slices"
	"strings"

	"github.com/stagecraft/stagecraft/frontend/answer"
	"github.com/stagecraft/stagecraft/frontend/view"
)

// arrow is all edges of one kind between the same two nodes, which documents
// show as one.
type arrow struct {
	stage, needs string
	kind         view.EdgeKind
	paths        []string
	places       []string // where the instructions stand
}

func (g *Graph) arrows() []*arrow {
	type key struct {
		stage, needs string
		kind         view.EdgeKind
	}
	type part struct {
		arrow *arrow
		text  string
	}
	var arrows []*arrow
	known := map[key]*arrow{}
	paths, places := map[part]bool{}, map[part]bool{}
	add := func(a *arrow, seen map[part]bool, list *[]string, text string) {
		if !seen[part{a, text}] {
			seen[part{a, text}] = true
			*list = append(*list, text)
		}
	}
	for _, e := range g.Edges {
		k := key{e.Stage, e.Needs, e.Kind}
		a := known[k]
		if a == nil {
			a = &arrow{stage: e.Stage, needs: e.Needs, kind: e.Kind}
			known[k] = a
			arrows = append(arrows, a)
		}
		for _, p := range e.Paths {
			add(a, paths, &a.paths, p)
		}
		add(a, places, &a.places, g.at(e.File, e.Line))
	}
	return arrows
}

// pathColumns limits a path in a label, pathLines how many there are.
const (
	pathColumns = 60
	pathLines   = 6
)

// label returns the text on an arrow.
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

// remarks returns the heading and the findings, for comments.
func (g *Graph) remarks() []string {
	return strings.Split(strings.TrimSuffix(g.heading()+"\n"+g.findings(), "\n"), "\n")
}
