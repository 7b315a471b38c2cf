package diagram

import "slices"

// arrow is all edges of one kind between the same two nodes, which documents
// show as one.
type arrow struct {
	stage, needs string
	kind         EdgeKind
	paths        []string
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
		for _, p := range e.Paths {
			if a := arrows[i]; !slices.Contains(a.paths, p) {
				a.paths = append(a.paths, p)
			}
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
	if len(a.paths) == 0 {
		return []string{string(a.kind)}
	}
	var lines []string
	for i, p := range a.paths {
		if i == pathLines && len(a.paths) > pathLines+1 {
			lines = append(lines, count(len(a.paths)-i, "more path"))
			break
		}
		lines = append(lines, shorten(clean(p), pathColumns))
	}
	lines[0] = string(a.kind) + " " + lines[0]
	return lines
}
