package diagram

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stagecraft/stagecraft/frontend/answer"
	"github.com/stagecraft/stagecraft/frontend/view"
)

// The size of a character's cell in the picture, in pixels.
const (
	cellWidth  = 8
	cellHeight = 18
	margin     = 16
)

// SVG returns the drawing as a picture that needs no other tool: Scalable Vector
// Graphics, in colours for light and for dark pages. It ends with a newline.
func (g *Graph) SVG() string {
	p := &picture{}
	p.text(0, 0, "heading", g.heading())
	if len(g.Nodes) > maxDrawn {
		p.text(0, 1, "", fmt.Sprintf("(%d stages and images are too many for a drawing; graph.dot with Graphviz can draw them.)", len(g.Nodes)))
		return p.document(g.heading())
	}
	needed, spare := charts(g)
	p.charts(g, needed)
	if len(spare) > 0 {
		p.text(0, p.height+1, "", "Not needed (↑ names what else such a stage needs):")
		p.charts(g, spare)
	}
	p.legend(g)
	return p.document(g.heading())
}

// picture collects elements. Places are in cells; lines run through the
// middles of cells.
type picture struct {
	strings.Builder
	width, height int // in cells
}

func (p *picture) grow(x, y int) {
	p.width, p.height = max(p.width, x), max(p.height, y)
}

// charts draws charts below all that there is.
func (p *picture) charts(g *Graph, list []*chart) {
	top := p.height + 1
	for _, c := range arrange(list) {
		p.lines(c, c.x, top+c.y)
		for _, b := range c.boxes {
			p.box(g, b, c.x, top+c.y)
		}
	}
}

// lines draws what is between the boxes of a chart: the signs on its canvas,
// as lines.
func (p *picture) lines(c placed, dx, dy int) {
	taken := c.taken()
	across, along := spans{}, spans{}
	for y, line := range c.canvas.lines {
		for x, sign := range line {
			if taken[[2]int{x, y}] {
				continue
			}
			way := waysOf[sign]
			if kind, ok := kindOfHead(sign); ok {
				p.head(kind, dx+x, dy+y)
				way = up
			}
			across.add(y, x, way&left != 0, way&right != 0)
			along.add(x, y, way&up != 0, way&down != 0)
		}
	}
	for _, b := range c.boxes {
		// From the edge of a box to the cell below it.
		if b.out != nil && len(b.out.ports) > 0 {
			along.add(b.center(), b.bottom(), false, true)
		}
		if b.lid != nil {
			along.add(b.center(), b.lid.bottom(), false, true)
		}
	}
	var path strings.Builder
	across.each(func(y, from, to int) {
		fmt.Fprintf(&path, "M%d %dH%d", half(2*dx+from, cellWidth), half(2*(dy+y)+1, cellHeight), half(2*dx+to, cellWidth))
	})
	along.each(func(x, from, to int) {
		fmt.Fprintf(&path, "M%d %dV%d", half(2*(dx+x)+1, cellWidth), half(2*dy+from, cellHeight), half(2*dy+to, cellHeight))
	})
	if path.Len() > 0 {
		fmt.Fprintf(p, "<path class=\"line\" d=\"%s\"/>\n", path.String())
	}
	p.grow(dx+c.canvas.width(), dy+len(c.canvas.lines))
}

// half returns a place in halves of cells, in pixels.
func half(n, size int) int { return margin + n*size/2 }

// taken returns the cells of the canvas that boxes cover.
func (c placed) taken() map[[2]int]bool {
	taken := map[[2]int]bool{}
	for _, b := range c.boxes {
		for _, b := range []*box{b, b.lid} {
			if b == nil {
				continue
			}
			for y := b.y; y <= b.bottom(); y++ {
				for x := b.left(); x < b.left()+b.frame(); x++ {
					taken[[2]int{x, y}] = true
				}
			}
		}
	}
	return taken
}

func (b *box) left() int   { return b.center() - b.frame()/2 }
func (b *box) bottom() int { return b.y + len(b.content()) + 1 }

// waysOf are the directions of the signs of lines.
var waysOf = func() map[string]ways {
	of := map[string]ways{}
	for way, sign := range corners {
		of[sign] = way
	}
	return of
}()

func kindOfHead(sign string) (view.EdgeKind, bool) {
	for kind, head := range heads {
		if head == sign {
			return kind, true
		}
	}
	return "", false
}

// spans are lines in one direction: of each row (or column), the halves of
// cells that they cover.
type spans map[int]map[int]bool

func (s spans) add(row, cell int, first, second bool) {
	if s[row] == nil {
		s[row] = map[int]bool{}
	}
	if first {
		s[row][2*cell] = true
	}
	if second {
		s[row][2*cell+1] = true
	}
}

// each calls a function with the longest pieces, in order.
func (s spans) each(f func(row, from, to int)) {
	for _, row := range sorted(s) {
		halves := sorted(s[row])
		for i := 0; i < len(halves); {
			n := i + 1
			for n < len(halves) && halves[n] == halves[n-1]+1 {
				n++
			}
			f(row, halves[i], halves[n-1]+1)
			i = n
		}
	}
}

func sorted[V any](m map[int]V) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// head draws the end of a line, from the middle of its cell to the upper edge
// of the box below.
func (p *picture) head(kind view.EdgeKind, x, y int) {
	p.headAt(kind, half(2*x+1, cellWidth), half(2*y+1, cellHeight), half(2*y+3, cellHeight))
}

// headAt draws a line and its end, between two places in pixels.
func (p *picture) headAt(kind view.EdgeKind, cx, begin, end int) {
	class := "head"
	if kind == view.Base || kind == view.Add {
		class = "head full"
	}
	switch kind {
	case view.After:
		fmt.Fprintf(p, "<circle class=\"%s\" cx=\"%d\" cy=\"%d\" r=\"4\"/>\n", class, cx, end-5)
	case view.Mount, view.Add:
		fmt.Fprintf(p, "<path class=\"%s\" d=\"M%d %dl4 -5l-4 -5l-4 5z\"/>\n", class, cx, end-1)
	default:
		fmt.Fprintf(p, "<path class=\"%s\" d=\"M%d %dl4 -9h-8z\"/>\n", class, cx, end-1)
	}
	fmt.Fprintf(p, "<path class=\"line\" d=\"M%d %dV%d\"/>\n", cx, begin, end-10)
}

func (p *picture) box(g *Graph, b *box, dx, dy int) {
	if b.lid != nil {
		p.box(g, b.lid, dx, dy)
	}
	x, right := 2*(dx+b.left())+1, 2*(dx+b.left()+b.frame())-1
	p.outline(g, b.node, half(x, cellWidth), half(2*(dy+b.y)+1, cellHeight), half(right, cellWidth), half(2*(dy+b.bottom())+1, cellHeight))
	for i, line := range b.content() {
		class := "detail"
		if i == 0 {
			class = ""
		}
		p.text(dx+b.left()+2, dy+b.y+1+i, class, line)
	}
}

// outline draws a box between two places in pixels. What is no stage is round.
func (p *picture) outline(g *Graph, n *Node, x, y, right, bottom int) {
	radius := 2
	if n.Kind != view.KindStage {
		radius = 9
	}
	fmt.Fprintf(p, "<rect class=\"box %s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\"/>\n",
		classOf(g, n), x, y, right-x, bottom-y, radius)
}

// text draws a line of text that begins in a cell. It is squeezed where it
// would be wider than in a terminal.
func (p *picture) text(x, y int, class, s string) {
	if class != "" {
		class = fmt.Sprintf(" class=%q", class)
	}
	width := answer.Cells(s)
	fmt.Fprintf(p, "<text%s x=\"%d\" y=\"%d\" textLength=\"%d\" lengthAdjust=\"spacingAndGlyphs\">%s</text>\n",
		class, half(2*x, cellWidth), half(2*y+1, cellHeight)+4, width*cellWidth, escapeXML(s))
	p.grow(x+width, y+1)
}

// legend explains the outlines and heads that occur, below everything.
func (p *picture) legend(g *Graph) {
	x, y := 0, p.height+1
	step := func(width int) {
		if x += width; x > columns-20 {
			x, y = 0, y+2
		}
	}
	for _, s := range boxStyles {
		i := slices.IndexFunc(g.Nodes, func(n Node) bool { return styleOf(g, &n) == s })
		if i < 0 {
			continue
		}
		p.outline(g, &g.Nodes[i], half(2*x+1, cellWidth), half(2*y, cellHeight)+2, half(2*x+7, cellWidth), half(2*y+2, cellHeight)-2)
		p.text(x+5, y, "detail", s.name)
		step(9 + answer.Cells(s.name))
	}
	for _, kind := range edgeKinds {
		if slices.ContainsFunc(g.Edges, func(e view.Edge) bool { return e.Kind == kind && !e.Circular }) {
			p.headAt(kind, half(2*x+1, cellWidth), half(2*y, cellHeight), half(2*y+2, cellHeight)-2)
			p.text(x+2, y, "detail", string(kind))
			step(6 + answer.Cells(string(kind)))
		}
	}
}

// look is the style sheet. A picture in a page knows which colours the reader
// prefers, but not those of the page: it has a ground of its own.
const look = `<style>
svg { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace }
.ground { fill: #ffffff }
text { fill: #1f2328 }
.heading { font-weight: bold }
.detail { fill: #59636e }
.line { fill: none; stroke: #59636e; stroke-width: 1.5; stroke-linecap: square }
.head { fill: #ffffff; stroke: #59636e; stroke-width: 1.5 }
.full { fill: #59636e }
.box { fill: #f6f8fa; stroke: #1f2328; stroke-width: 1.5 }
.target { stroke-width: 3 }
.spare { stroke: #8c959f; stroke-dasharray: 5 4 }
.unresolved { stroke: #cf222e; stroke-dasharray: 2 3 }
@media (prefers-color-scheme: dark) {
.ground { fill: #0d1117 }
text { fill: #f0f6fc }
.detail { fill: #9198a1 }
.line { stroke: #9198a1 }
.head { fill: #0d1117; stroke: #9198a1 }
.full { fill: #9198a1 }
.box { fill: #151b23; stroke: #f0f6fc }
.spare { stroke: #656c76 }
.unresolved { stroke: #f85149 }
}
</style>
`

func (p *picture) document(title string) string {
	w, h := half(2*p.width, cellWidth)+margin, half(2*p.height, cellHeight)+margin
	return fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\">\n", w, h, w, h) +
		"<title>" + escapeXML(title) + "</title>\n" + look +
		fmt.Sprintf("<rect class=\"ground\" width=\"%d\" height=\"%d\"/>\n", w, h) + p.String() + "</svg>\n"
}

// escapeXML is text between tags. Spaces keep their width.
func escapeXML(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(s)
}
