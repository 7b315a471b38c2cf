package diagram

import (
	"strings"

	"github.com/stagecraft/stagecraft/frontend/answer"
	"github.com/stagecraft/stagecraft/frontend/view"
)

// canvas is a field of characters. A cell holds a character and what belongs
// into the same column with it; the second cell of a wide one is empty.
type canvas struct {
	lines [][]string
}

func (c *canvas) set(x, y int, s string) {
	for len(c.lines) <= y {
		c.lines = append(c.lines, nil)
	}
	for len(c.lines[y]) <= x {
		c.lines[y] = append(c.lines[y], " ")
	}
	c.lines[y][x] = s
}

func (c *canvas) text(x, y int, s string) {
	for _, r := range s {
		switch n := answer.CellsOf(r); n {
		case 0: // a mark on the character before
			if x > 0 && y < len(c.lines) && x <= len(c.lines[y]) {
				c.lines[y][x-1] += string(r)
			}
		default:
			c.set(x, y, string(r))
			for i := 1; i < n; i++ {
				c.set(x+i, y, "")
			}
			x += n
		}
	}
}

func (c *canvas) width() int {
	w := 0
	for _, line := range c.lines {
		w = max(w, len(line))
	}
	return w
}

// paste draws another canvas at a place.
func (c *canvas) paste(x, y int, other *canvas) {
	for dy, line := range other.lines {
		for dx, s := range line {
			if s != " " {
				c.set(x+dx, y+dy, s)
			}
		}
	}
}

func (c *canvas) String() string {
	var b strings.Builder
	for _, line := range c.lines {
		b.WriteString(strings.TrimRight(strings.Join(line, ""), " ") + "\n")
	}
	return b.String()
}

// boxStyle is how the outline of a box looks.
type boxStyle struct {
	name                    string // in the legend
	topLeft, top, topRight  string
	side                    string
	bottomLeft, bottomRight string
	leaves                  string // where the net begins
}

var (
	targetStyle     = &boxStyle{"target", "┏", "━", "┓", "┃", "┗", "┛", "┯"}
	stageStyle      = &boxStyle{"stage", "┌", "─", "┐", "│", "└", "┘", "┬"}
	spareStyle      = &boxStyle{"not needed", "┌", "╌", "┐", "╎", "└", "┘", "┬"}
	imageStyle      = &boxStyle{"image", "╭", "─", "╮", "│", "╰", "╯", "┬"}
	spareImageStyle = &boxStyle{"image, not needed", "╭", "╌", "╮", "╎", "╰", "╯", "┬"}
	unresolvedStyle = &boxStyle{"not resolved", "╭", "┈", "╮", "┊", "╰", "╯", "┬"}
	boxStyles       = []*boxStyle{targetStyle, stageStyle, spareStyle, imageStyle, spareImageStyle, unresolvedStyle}
)

func styleOf(g *Graph, n *Node) *boxStyle {
	switch {
	case n.ID == g.Target:
		return targetStyle
	case n.Kind == view.KindStage && n.Needed:
		return stageStyle
	case n.Kind == view.KindStage:
		return spareStyle
	case n.Unresolved != "":
		return unresolvedStyle
	case !n.Needed:
		return spareImageStyle
	default:
		return imageStyle
	}
}

// heads are the ends of lines by the kind of the edge.
var heads = map[view.EdgeKind]string{view.Base: "▼", view.Copy: "▽", view.Mount: "◇", view.Add: "◆", view.After: "○", view.Config: "·"}

// paint draws the chart.
func (c *chart) paint() *canvas {
	out := &canvas{}
	y := 0
	for i, r := range c.rows {
		if i > 0 {
			y = c.paintChannel(out, i, y)
		}
		y = r.paint(out, y)
	}
	return out
}

// paint draws a row from line y on and returns the line behind it. Boxes that
// lines lead to hang from above, others stand on the ground.
func (r *row) paint(out *canvas, y int) int {
	end := y
	for _, it := range r.items {
		if it.box != nil {
			end = max(end, y+it.box.height())
		}
	}
	for _, it := range r.items {
		line, leaves := y, true
		if b := it.box; b != nil {
			if len(b.ports) == 0 {
				line = end - b.height()
			}
			b.paint(out, line)
			line += b.height()
			leaves = b.out != nil && len(b.out.ports) > 0
		}
		for ; leaves && line < end; line++ {
			out.set(it.center(), line, "│")
		}
	}
	return end
}

func (b *box) paint(out *canvas, y int) {
	if b.lid != nil {
		b.lid.x = b.center() - b.lid.w/2
		b.lid.paint(out, y)
		y += b.lid.height()
		out.set(b.center(), y, heads[b.lidKind])
		y++
	}
	b.y = y
	s := b.style
	w := b.frame()
	x := b.center() - w/2
	content := b.content()
	last := y + len(content) + 1
	out.text(x, y, s.topLeft+strings.Repeat(s.top, w-2)+s.topRight)
	for i, line := range content {
		out.text(x, y+1+i, s.side+" "+answer.Pad(line, w-3)+s.side)
	}
	out.text(x, last, s.bottomLeft+strings.Repeat(s.top, w-2)+s.bottomRight)
	if b.out != nil && len(b.out.ports) > 0 {
		out.set(b.center(), last, s.leaves)
	}
}

// ways are the directions in which a line goes on from a cell.
type ways int

const (
	up ways = 1 << iota
	down
	left
	right
)

var corners = map[ways]string{
	up | down:                "│",
	left | right:             "─",
	down | right:             "┌",
	down | left:              "┐",
	up | right:               "└",
	up | left:                "┘",
	up | down | right:        "├",
	up | down | left:         "┤",
	down | left | right:      "┬",
	up | left | right:        "┴",
	up | down | left | right: "┼",
}

// paintChannel draws the nets between row number-1 and row number from line y
// on, and returns the line behind them. The last line has the heads.
func (c *chart) paintChannel(out *canvas, number, y int) int {
	ch := c.newChannel(number)
	for pass := range 2 {
		for _, w := range ch.wires {
			// Horizontal parts first: vertical ones cross over them.
			if pass == 0 {
				w.paintTrack(out, y)
			} else {
				w.paintColumns(out, y, y+ch.tracks)
			}
		}
	}
	for _, it := range c.rows[number].items {
		if it.net != nil {
			out.set(it.x, y+ch.tracks, "│")
			continue
		}
		for _, p := range it.box.ports {
			out.set(p.x, y+ch.tracks, heads[p.kind])
		}
	}
	return y + ch.tracks + 1
}

func (w *wire) paintTrack(out *canvas, y int) {
	if w.track == noTrack {
		return
	}
	for x := w.lo(); x <= w.hi(); x++ {
		out.set(x, y+w.track, "─")
	}
}

// paintColumns draws the vertical parts between lines y and end, and the
// corners where they meet the track.
func (w *wire) paintColumns(out *canvas, y, end int) {
	if w.track == noTrack {
		for line := y; line < end; line++ {
			out.set(w.top, line, "│")
		}
		return
	}
	at := map[int]ways{w.top: up}
	for line := w.start(y); line < y+w.track; line++ {
		out.set(w.top, line, "│")
	}
	for _, x := range w.bottom {
		at[x] |= down
		if w.below != nil {
			continue // the other half draws the column between them
		}
		for line := y + w.track + 1; line < end; line++ {
			out.set(x, line, "│")
		}
	}
	for x, way := range at {
		if x > w.lo() {
			way |= left
		}
		if x < w.hi() {
			way |= right
		}
		out.set(x, y+w.track, corners[way])
	}
}

// start returns the line below which the wire's upper pin is.
func (w *wire) start(y int) int {
	if w.above == nil {
		return y
	}
	return y + w.above.track + 1
}
