package diagram

import (
	"fmt"
	"slices"

	"github.com/stagecraft/stagecraft/frontend/answer"
	"github.com/stagecraft/stagecraft/frontend/view"
	"github.com/stagecraft/stagecraft/llb/stage"
)

const (
	// columns is how wide a drawing may be.
	columns = answer.Width
	// nameColumns and listColumns limit the lines in a box.
	nameColumns = 30
	listColumns = 26
	// maxPorts is how many lines may reach one box: a column each and one
	// between them.
	maxPorts = (columns - 3) / 2
)

// chart is a part of a graph that hangs together, on its way to a canvas.
type chart struct {
	graph *Graph
	boxes []*box
	nets  []*net
	rows  []*row
}

// box is a node in the drawing.
type box struct {
	node  *Node
	style *boxStyle
	lines []string
	// listed are the names of what the stage needs without a line to it.
	listed []string
	ports  []*port
	out    *net // nil where nothing needs the node
	// lid is drawn right above the box and has no place of its own: an image
	// that nothing else needs, on a stage that needs nothing else.
	lid     *box
	lidKind view.EdgeKind

	layer int
	row   int // unplaced before rows are made
	// x and w are the columns that the box takes, with its lid. y is the
	// line of its upper edge, known when it has been painted.
	x, w, y int
}

const unplaced = -1

// net is a line that leaves a box and branches to all that need it.
type net struct {
	from  *box
	ports []*port
}

// port is where a net reaches a box from above.
type port struct {
	net  *net
	to   *box
	kind view.EdgeKind
	x    int
}

// row is a horizontal line of boxes and of nets that pass between them.
type row struct {
	items []*item
	// passes is the item of each net that passes the row.
	passes map[*net]*item
}

// item is a box, or a net that passes.
type item struct {
	box *box
	net *net
	x   int
}

func (i *item) width() int {
	if i.box != nil {
		return i.box.w
	}
	return 1
}

// gap returns how many columns stay free between two neighbours.
func gap(a, b *item) int {
	if a.box != nil && b.box != nil {
		return 2
	}
	return 1
}

// maxTogether is how many nodes share a drawing. Of a larger graph, what the
// target does not need is drawn on its own.
const maxTogether = 24

// charts returns the parts of a graph that hang together, that of the target
// first. Spare ones have only what the target does not need.
func charts(g *Graph) (needed, spare []*chart) {
	apart := len(g.Nodes) > maxTogether
	beside := map[string][]string{}
	for _, e := range g.Edges {
		if apart && g.node(e.Stage).Needed != g.node(e.Needs).Needed {
			continue
		}
		beside[e.Stage] = append(beside[e.Stage], e.Needs)
		beside[e.Needs] = append(beside[e.Needs], e.Stage)
	}
	seen := map[string]bool{}
	start := func(id string) {
		if seen[id] {
			return
		}
		seen[id] = true
		part := map[string]bool{}
		for todo := []string{id}; len(todo) > 0; todo = todo[1:] {
			part[todo[0]] = true
			for _, next := range beside[todo[0]] {
				if !seen[next] {
					seen[next] = true
					todo = append(todo, next)
				}
			}
		}
		c := newChart(g, part)
		if apart && !g.node(id).Needed {
			spare = append(spare, c)
		} else {
			needed = append(needed, c)
		}
	}
	start(g.Target)
	for _, n := range g.Nodes {
		start(n.ID)
	}
	return needed, spare
}

// newChart makes boxes of the nodes in part, and nets of their edges. Edges
// of one kind between the same nodes share a port. Edges that leave the part
// or close a cycle are listed.
func newChart(g *Graph, part map[string]bool) *chart {
	c := &chart{graph: g}
	boxes := map[string]*box{}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		boxes[n.ID] = newBox(g, n)
		if part[n.ID] {
			c.boxes = append(c.boxes, boxes[n.ID])
		}
	}
	ported := map[string]bool{}
	for _, e := range g.Edges {
		key := fmt.Sprintf("%s %s %s", e.Stage, e.Needs, e.Kind)
		from, to := boxes[e.Needs], boxes[e.Stage]
		if !part[e.Stage] || ported[key] {
			continue
		}
		ported[key] = true
		if !part[e.Needs] || e.Circular || len(to.ports) == maxPorts {
			to.list(from)
			continue
		}
		if from.out == nil {
			from.out = &net{from: from}
		}
		p := &port{net: from.out, to: to, kind: e.Kind}
		from.out.ports = append(from.out.ports, p)
		to.ports = append(to.ports, p)
	}
	c.putOnLids()
	for _, b := range c.boxes {
		b.measure()
		if b.out != nil {
			c.nets = append(c.nets, b.out)
		}
	}
	return c
}

// putOnLids takes the images out that are drawn as lids.
func (c *chart) putOnLids() {
	c.boxes = slices.DeleteFunc(c.boxes, func(b *box) bool {
		if b.node.Kind == view.KindStage || b.out == nil || len(b.out.ports) != 1 {
			return false
		}
		p := b.out.ports[0]
		if len(p.to.ports) != 1 || len(p.to.listed) > 0 {
			return false
		}
		b.measure()
		p.to.lid, p.to.lidKind, p.to.ports = b, p.kind, nil
		return true
	})
}

func newBox(g *Graph, n *Node) *box {
	b := &box{node: n, style: styleOf(g, n), row: unplaced}
	for _, line := range g.label(n) {
		b.lines = append(b.lines, answer.Shorten(line, nameColumns))
	}
	return b
}

// label returns what a drawing says of a node, its name first.
func (g *Graph) label(n *Node) []string {
	lines := []string{answer.Clean(n.Name)}
	if n.Line > 0 {
		line := g.place(n.File, n.Line)
		if n.Steps > 0 {
			line += " · " + count(n.Steps, "step")
		}
		lines = append(lines, line)
	}
	if g.fromScratch(n) {
		lines = append(lines, "from scratch")
	}
	if n.Platform != "" && n.Platform != g.Platform {
		lines = append(lines, answer.Clean(n.Platform))
	}
	if n.Context != "" {
		lines = append(lines, "in "+answer.Clean(n.Context))
	}
	switch n.Kind {
	case view.KindContext:
		lines = append(lines, "named context")
	case view.KindRemote:
		lines = append(lines, "fetched by ADD")
	}
	if n.Unresolved != "" {
		lines = append(lines, "unresolved")
	}
	return lines
}

// fromScratch reports whether a stage begins with nothing.
func (g *Graph) fromScratch(n *Node) bool {
	return n.Kind == view.KindStage && n.Ref == stage.Scratch && !g.hasBase(n.ID)
}

func (g *Graph) hasBase(id string) bool {
	found := g.lookup()
	return slices.ContainsFunc(found.Edges[found.Nodes[id]], func(e int) bool { return g.Edges[e].Kind == view.Base })
}

// place returns a line for people, with the file where it is not the one that the
// target is in.
func (g *Graph) place(file string, line int) string {
	if file == g.node(g.Target).File {
		return fmt.Sprintf("line %d", line)
	}
	return fmt.Sprintf("%s:%d", answer.Clean(file), line)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// list names a node inside the box in place of a line to it.
func (b *box) list(from *box) {
	b.listed = append(b.listed, from.lines[0])
	b.measure()
}

// unplug takes a port away. The box names the node instead.
func (b *box) unplug(p *port) {
	b.ports = slices.DeleteFunc(b.ports, func(q *port) bool { return q == p })
	p.net.ports = slices.DeleteFunc(p.net.ports, func(q *port) bool { return q == p })
	b.list(p.net.from)
}

// content returns all lines of the box.
func (b *box) content() []string {
	lines := b.lines
	if len(b.listed) > 0 {
		needs := slices.Compact(slices.Sorted(slices.Values(b.listed)))
		room := max(listColumns, 2*len(b.ports)-5) // a box with many ports is wide anyway
		for i, line := range answer.Fold(needs, ", ", room) {
			prefix := "↑ "
			if i > 0 {
				prefix = "  "
			}
			lines = append(lines[:len(lines):len(lines)], prefix+line)
		}
	}
	return lines
}

func (b *box) measure() {
	b.w = b.frame()
	if b.lid != nil {
		b.w = max(b.w, b.lid.w)
	}
}

// frame returns the width of the box without its lid.
func (b *box) frame() int {
	w := 2*len(b.ports) + 1
	for _, line := range b.content() {
		w = max(w, answer.Cells(line)+4)
	}
	return w
}

func (b *box) height() int {
	h := len(b.content()) + 2
	if b.lid != nil {
		h += b.lid.height() + 1
	}
	return h
}

// center returns the column in which a box's net begins.
func (b *box) center() int { return b.x + b.w/2 }
