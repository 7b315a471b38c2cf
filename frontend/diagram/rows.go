package diagram

import "slices"

// maxPasses is how many nets may pass a row. More could not be followed by
// eye, and would leave too little room for boxes.
const maxPasses = 14

// makeRows breaks layers that are wider than the drawing into rows. A net to
// a later row takes room in all that it passes.
func (c *chart) makeRows(layers [][]*box) {
	for _, b := range c.boxes {
		b.row = unplaced
	}
	var rows [][]*box
	for _, layer := range layers {
		for len(layer) > 0 {
			n := c.fit(layer, len(rows))
			rows = append(rows, layer[:n])
			layer = layer[n:]
		}
	}
	c.setRows(rows)
}

// fit places as many boxes as a row has room for, one at least, and returns
// how many these are. Where even one has no room, lines that pass are given
// up.
func (c *chart) fit(boxes []*box, number int) int {
	placed := 0
	for _, b := range boxes {
		b.row = number
		for !c.fits(boxes[:placed+1], number) {
			if placed > 0 {
				b.row = unplaced
				return placed
			}
			c.giveUp(number)
		}
		placed++
	}
	return placed
}

func (c *chart) fits(boxes []*box, number int) bool {
	passing := len(c.passing(number))
	width := 2*passing - 2
	for _, b := range boxes {
		width += b.w + 2
	}
	return passing <= maxPasses && width <= columns
}

// passing returns the nets that come from above a row and go on below it.
func (c *chart) passing(number int) []*net {
	var nets []*net
	for _, n := range c.nets {
		if n.from.row == unplaced || n.from.row >= number {
			continue
		}
		if slices.ContainsFunc(n.ports, func(p *port) bool { return p.to.below(number) }) {
			nets = append(nets, n)
		}
	}
	return nets
}

func (b *box) below(row int) bool { return b.row == unplaced || b.row > row }

// giveUp ends, above a row, the passing net with the fewest ports below.
func (c *chart) giveUp(number int) {
	var least []*port
	for _, n := range c.passing(number) {
		var ports []*port
		for _, p := range n.ports {
			if p.to.below(number) {
				ports = append(ports, p)
			}
		}
		if least == nil || len(ports) < len(least) {
			least = ports
		}
	}
	for _, p := range least {
		p.to.unplug(p)
	}
}

// ports returns how many there are in all.
func (c *chart) ports() int {
	n := 0
	for _, b := range c.boxes {
		n += len(b.ports)
	}
	return n
}

// setRows makes the rows and the nets' places in them.
func (c *chart) setRows(rows [][]*box) {
	c.rows = nil
	for number, boxes := range rows {
		r := &row{passes: map[*net]*item{}}
		for _, b := range boxes {
			b.row = number
			r.items = append(r.items, &item{box: b})
		}
		c.rows = append(c.rows, r)
	}
	for number, r := range c.rows {
		for _, n := range c.passing(number) {
			i := &item{net: n}
			r.passes[n] = i
			r.items = append(r.items, i)
		}
	}
}
