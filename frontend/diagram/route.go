package diagram

import (
	"cmp"
	"slices"
)

// channel is the space between two rows, in which nets run from where they
// leave the upper one to where they enter the lower one.
type channel struct {
	wires  []*wire
	tracks int
}

// wire is a net in a channel, or one half of it: a vertical part from each
// pin to a horizontal part on a track between them. A wire with one column
// only needs no track.
type wire struct {
	net *net
	// top is the column of the upper pin, bottom those of the lower ones.
	top    int
	bottom []int
	// below is the lower half, above the upper one of a net that had to be
	// cut. They meet in the column top of the lower one.
	above, below *wire
	track        int // noTrack for a straight wire
}

const noTrack = -1

func (w *wire) lo() int { return min(w.top, slices.Min(w.bottom)) }
func (w *wire) hi() int { return max(w.top, slices.Max(w.bottom)) }

func (w *wire) straight() bool { return w.lo() == w.hi() }

// newChannel routes the nets between row number-1 and row number.
func (c *chart) newChannel(number int) *channel {
	ch := &channel{}
	upper, lower := c.rows[number-1], c.rows[number]
	for _, n := range c.nets {
		w := &wire{net: n, track: noTrack}
		for _, p := range n.ports {
			if p.to.row == number {
				w.bottom = append(w.bottom, p.x)
			}
		}
		if pass := lower.passes[n]; pass != nil {
			w.bottom = append(w.bottom, pass.x)
		}
		if len(w.bottom) == 0 || n.from.row >= number {
			continue
		}
		w.top = n.column(upper)
		ch.wires = append(ch.wires, w)
	}
	for {
		order, circle := ch.topDown()
		if circle == nil {
			ch.assignTracks(order)
			return ch
		}
		ch.cut(circle)
	}
}

// over reports whether a must have its track above b's: a comes down from the upper
// row in the column in which b goes down to the lower one.
func over(a, b *wire) bool {
	if a.below == b {
		return true
	}
	return a.net != b.net && slices.Contains(b.bottom, a.top)
}

// topDown returns an order in which wires can be given tracks from above. Without
// one it is a wire that would have to be both above and below another.
func (ch *channel) topDown() (order []*wire, circle *wire) {
	var todo []*wire
	for _, w := range ch.wires {
		if !w.straight() {
			todo = append(todo, w)
		}
	}
	// Of wires that run to the right the rightmost is best above, and the
	// other way round: then they do not cross.
	slices.SortStableFunc(todo, func(a, b *wire) int { return cmp.Compare(a.turn(), b.turn()) })
	for len(todo) > 0 {
		free := slices.IndexFunc(todo, func(w *wire) bool {
			return !slices.ContainsFunc(todo, func(v *wire) bool { return v != w && over(v, w) })
		})
		if free < 0 {
			return nil, onCircle(todo)
		}
		order = append(order, todo[free])
		todo = slices.Delete(todo, free, free+1)
	}
	return order, nil
}

// turn is small for wires that want a high track.
func (w *wire) turn() int {
	mean := 0
	for _, x := range w.bottom {
		mean += x
	}
	mean /= len(w.bottom)
	if mean > w.top {
		return columns - w.top
	}
	return w.top
}

// onCircle returns a wire on a cycle among wires of which each has one over it.
func onCircle(wires []*wire) *wire {
	w := wires[0]
	seen := map[*wire]bool{}
	for !seen[w] {
		seen[w] = true
		w = wires[slices.IndexFunc(wires, func(v *wire) bool { return v != w && over(v, w) })]
	}
	return w
}

// cut breaks a cycle: the wire goes to a free column on a high track, and
// from there on a low one. Neither half can be on a cycle again, because
// nothing has to be over the first and the second has to be over nothing.
func (ch *channel) cut(w *wire) {
	taken := map[int]bool{}
	for _, v := range ch.wires {
		taken[v.top] = true
		for _, x := range v.bottom {
			taken[x] = true
		}
	}
	free := 0
	for distance := 1; ; distance++ {
		if x := w.top - distance; x >= 0 && !taken[x] {
			free = x
			break
		}
		if x := w.top + distance; !taken[x] {
			free = x
			break
		}
	}
	lower := &wire{net: w.net, top: free, bottom: w.bottom, above: w, track: noTrack}
	w.bottom, w.below = []int{free}, lower
	ch.wires = append(ch.wires, lower)
}

// assignTracks gives each wire the highest track that is free for it.
func (ch *channel) assignTracks(order []*wire) {
	for i, w := range order {
		w.track = 0
		for _, v := range order[:i] {
			if over(v, w) {
				w.track = max(w.track, v.track+1)
			}
		}
		for slices.ContainsFunc(order[:i], func(v *wire) bool {
			return v.track == w.track && v.lo() <= w.hi()+1 && w.lo() <= v.hi()+1
		}) {
			w.track++
		}
		ch.tracks = max(ch.tracks, w.track+1)
	}
}
