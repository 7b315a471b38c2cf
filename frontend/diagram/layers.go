package diagram

import "slices"

// layers puts each box below all that it needs, such that nets are short.
func (c *chart) layers() [][]*box {
	last := 0
	for changed := true; changed; {
		changed = false
		for _, b := range c.boxes {
			if l := b.highest(); l != b.layer {
				b.layer, changed = l, true
				last = max(last, l)
			}
		}
	}
	// From the first layer that is possible, each box moves to where its
	// nets are shortest. A move may make room for another one.
	for range sweeps {
		for _, b := range c.boxes {
			b.layer = b.best(last)
		}
		for _, b := range slices.Backward(c.boxes) {
			b.layer = b.best(last)
		}
	}
	layers := make([][]*box, last+1)
	for _, b := range c.boxes {
		layers[b.layer] = append(layers[b.layer], b)
	}
	return slices.DeleteFunc(layers, func(l []*box) bool { return len(l) == 0 })
}

// highest returns the first layer below all that a box needs.
func (b *box) highest() int {
	l := 0
	for _, p := range b.ports {
		l = max(l, p.net.from.layer+1)
	}
	return l
}

// best returns the layer in which the nets of a box are shortest while all other
// boxes stay. Where several are as good it is the last of them for a box that
// others need, so that what comes before can follow.
func (b *box) best(last int) int {
	needed := b.out != nil && len(b.out.ports) > 0
	if needed {
		for _, p := range b.out.ports {
			last = min(last, p.to.layer-1)
		}
	}
	best, least := b.layer, 0
	for l := b.highest(); l <= last; l++ {
		length := 0
		if needed {
			length -= l
		}
		for i, p := range b.ports {
			if i > 0 && slices.ContainsFunc(b.ports[:i], func(q *port) bool { return q.net == p.net }) {
				continue // a port of another kind
			}
			length += p.net.length(b, l)
		}
		if l == b.highest() || length < least || length == least && needed {
			best, least = l, length
		}
	}
	return best
}

// length returns the last layer that a net reaches, with a box moved to layer l.
func (n *net) length(moved *box, l int) int {
	end := 0
	for _, p := range n.ports {
		if p.to == moved {
			end = max(end, l)
		} else {
			end = max(end, p.to.layer)
		}
	}
	return end
}
