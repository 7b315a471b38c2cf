package diagram

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/stagecraft/stagecraft/frontend/answer"
	"github.com/stagecraft/stagecraft/frontend/view"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// maxDrawn is the number of nodes up to which there is a drawing. A larger
// one would be many screens of lines; the table tells the same.
const maxDrawn = 150

// Text returns the graph for people, at most 100 columns wide: a heading, the
// drawing with its legend, a table of what each stage needs, and what follows
// from the graph. It ends with a newline.
func (g *Graph) Text() string {
	var b strings.Builder
	b.WriteString(g.heading() + "\n\n")
	if len(g.Nodes) <= maxDrawn {
		b.WriteString(g.draw() + "\n")
		for _, line := range g.legend() {
			b.WriteString(line + "\n")
		}
	} else {
		fmt.Fprintf(&b, "(%d stages and images are too many for a drawing; graph.dot with Graphviz can draw them.)\n", len(g.Nodes))
	}
	b.WriteString("\n" + g.table() + "\n")
	b.WriteString(g.findings())
	return b.String()
}

func (g *Graph) heading() string {
	stages, needed, images, remotes := 0, 0, 0, 0
	for i := range g.Nodes {
		n := &g.Nodes[i]
		switch {
		case n.Kind == view.KindStage:
			stages++
			if n.Needed {
				needed++
			}
		case n.Kind == view.KindRemote && n.Needed:
			remotes++
		case n.Needed:
			images++
		}
	}
	all := fmt.Sprintf("%d of %s needed", needed, count(stages, "stage"))
	var from []string
	if images > 0 {
		from = append(from, count(images, "image"))
	}
	if remotes > 0 {
		from = append(from, count(remotes, "remote source"))
	}
	if len(from) > 0 {
		all += ", from " + strings.Join(from, " and ")
	}
	target := g.node(g.Target)
	return fmt.Sprintf("%s for %s: %s", answer.Shorten(answer.Clean(target.Name), nameColumns), g.Platform, all)
}

// draw returns the drawing. What the target does not need has one of its own in a
// large graph.
func (g *Graph) draw() string {
	needed, spare := charts(g)
	text := sideBySide(needed).String()
	if len(spare) > 0 {
		text += "\nNot needed (↑ names what else such a stage needs):\n\n" + sideBySide(spare).String()
	}
	return text
}

// sideBySide draws charts next to each other while there is room, else below.
func sideBySide(charts []*chart) *canvas {
	out := &canvas{}
	for _, p := range arrange(charts) {
		out.paste(p.x, p.y, p.canvas)
	}
	return out
}

// placed is a chart that is drawn, and its place among others.
type placed struct {
	*chart
	canvas *canvas
	x, y   int
}

func arrange(charts []*chart) []placed {
	const apart = 3
	var list []placed
	x, y, below := 0, 0, 0
	for _, c := range charts {
		part := c.draw()
		if x > 0 && x+part.width() > columns {
			x, y = 0, below+1
		}
		list = append(list, placed{c, part, x, y})
		x += part.width() + apart
		below = max(below, y+len(part.lines))
	}
	return list
}

func (c *chart) draw() *canvas {
	c.setRows(c.layers())
	c.sortRows()
	// The order inside the layers decides what shares a row.
	var layers [][]*box
	for _, r := range c.rows {
		var layer []*box
		for _, it := range r.items {
			if it.box != nil {
				layer = append(layer, it.box)
			}
		}
		layers = append(layers, layer)
	}
	for ports := -1; ports != c.ports(); {
		// What a row gave up it no longer needs room for.
		ports = c.ports()
		c.makeRows(layers)
	}
	c.sortRows()
	c.swapNeighbours()
	c.place()
	return c.paint()
}

// legend explains the signs that occur.
func (g *Graph) legend() []string {
	var words []string
	for _, s := range boxStyles {
		if slices.ContainsFunc(g.Nodes, func(n Node) bool { return styleOf(g, &n) == s }) {
			words = append(words, s.topLeft+s.top+s.topRight+" "+s.name)
		}
	}
	for _, kind := range edgeKinds {
		if slices.ContainsFunc(g.Edges, func(e view.Edge) bool { return e.Kind == kind && !e.Circular }) {
			words = append(words, heads[kind]+" "+string(kind))
		}
	}
	return answer.Fold(words, "   ", columns)
}

// table lists the edges.
func (g *Graph) table() string {
	t := answer.NewTable(
		answer.Column{Title: "STAGE"}, answer.Column{Title: "NEEDS"}, answer.Column{Title: "KIND"},
		answer.Column{Title: "PATHS"}, answer.Column{Title: "LINE"})
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if n.Kind != view.KindStage {
			continue
		}
		name := g.title(n.ID)
		add := func(needs, kind, paths, line string) {
			t.Add(name, needs, kind, paths, line)
			name = "" // once is enough
		}
		if g.fromScratch(n) {
			add(stage.Scratch, string(view.Base), "", g.at(n.File, n.Line))
		}
		for _, edge := range g.lookup().Edges[i] {
			e := &g.Edges[edge]
			kind := string(e.Kind)
			if e.OnBuild {
				kind += ", onbuild"
			}
			if e.Circular {
				kind += ", circular"
			}
			paths := make([]string, len(e.Paths))
			for i, p := range e.Paths {
				paths[i] = answer.Clean(p)
			}
			lines := answer.Fold(paths, ", ", pathColumns)
			if len(lines) == 0 {
				lines = []string{""}
			}
			needs, at := g.title(e.Needs), g.at(e.File, e.Line)
			for _, line := range lines {
				add(needs, kind, line, at)
				needs, kind, at = "", "", ""
			}
		}
		if name != "" {
			add("", "", "", g.at(n.File, n.Line))
		}
	}
	return t.String()
}

// title returns the name of a node where no box shows what else tells it apart.
func (g *Graph) title(id string) string {
	n := g.node(id)
	title := answer.Clean(n.Name)
	if n.Kind != view.KindStage && n.Platform != "" && n.Platform != g.Platform {
		title += " (" + answer.Clean(n.Platform) + ")"
	}
	if n.Context != "" {
		title += " (in " + answer.Clean(n.Context) + ")"
	}
	return title
}

// at returns a line in the table.
func (g *Graph) at(file string, line int) string {
	if file == g.node(g.Target).File {
		return fmt.Sprint(line)
	}
	return fmt.Sprintf("%s:%d", answer.Clean(file), line)
}

// findings returns what follows from the graph.
func (g *Graph) findings() string {
	var b strings.Builder
	list := func(title string, words []string, separator string) {
		const indent = 16
		for i, line := range answer.Fold(words, separator, columns-indent) {
			if i > 0 {
				title = ""
			}
			b.WriteString(answer.Pad(title, indent) + line + "\n")
		}
	}
	names := func(ids []string) []string {
		var names []string
		for _, id := range ids {
			names = append(names, g.title(id))
		}
		return names
	}

	if len(g.LongestChain) > 0 {
		steps := 0
		for _, id := range g.LongestChain {
			steps += g.node(id).Steps
		}
		words := names(g.LongestChain)
		words[len(words)-1] += fmt.Sprintf(" (%s, %s)", count(len(words), "stage"), count(steps, "step"))
		list("Longest chain", words, " → ")
	}
	for i, set := range g.Parallel {
		title := ""
		if i == 0 {
			title = "In parallel"
		}
		var words []string
		for t, track := range set {
			for _, name := range names(track) {
				words = append(words, name+",")
			}
			last := len(words) - 1
			words[last] = strings.TrimSuffix(words[last], ",")
			if t < len(set)-1 {
				words[last] += " ∥"
			}
		}
		list(title, words, " ")
	}
	if n := g.ParallelLeftOut; n > 0 {
		list("", []string{fmt.Sprintf("(%s not listed)", count(n, "more set"))}, " ")
	}
	var spare []string
	for i := range g.Nodes {
		if n := &g.Nodes[i]; n.Kind == view.KindStage && !n.Needed {
			spare = append(spare, g.title(n.ID))
		}
	}
	list("Not needed", spare, ", ")
	title := "Unresolved"
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if n.Unresolved == "" {
			continue
		}
		name, reason := cmp.Or(n.Ref, n.Name), n.Unresolved
		if !strings.HasPrefix(reason, name) {
			reason = name + ": " + reason
		}
		list(title, strings.Fields(answer.Clean(reason)), " ")
		title = ""
	}
	return b.String()
}
