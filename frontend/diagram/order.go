package diagram

import (
	"cmp"
	"slices"
)

// sweeps is how often the order is improved in either direction. Small graphs
// do not change after two or three.
const sweeps = 8

// sortRows orders the items of each row such that few nets cross. Each is put
// near the mean of what it is connected to in the row above, then in the one
// below, and so on; the best state of all is kept. Sugiyama, Tagawa and Toda,
// 1981, call it the barycenter method.
func (c *chart) sortRows() {
	best := c.order()
	least := c.cost()
	for range sweeps {
		for i := 1; i < len(c.rows); i++ {
			c.sortRow(c.rows[i], c.rows[i-1], above)
		}
		for i := len(c.rows) - 2; i >= 0; i-- {
			c.sortRow(c.rows[i], c.rows[i+1], below)
		}
		if n := c.cost(); n < least {
			best, least = c.order(), n
		}
	}
	for i, r := range c.rows {
		r.items = best[i]
	}
}

// swapNeighbours is for the finished rows: it lets neighbours change places
// as long as that lessens the cost.
func (c *chart) swapNeighbours() {
	for range sweeps {
		if !c.swapOnce() {
			return
		}
	}
}

func (c *chart) swapOnce() bool {
	swapped := false
	for i, r := range c.rows {
		for k := 1; k < len(r.items); k++ {
			before := c.costOf(i) + c.costOf(i+1)
			r.items[k-1], r.items[k] = r.items[k], r.items[k-1]
			if c.costOf(i)+c.costOf(i+1) < before {
				swapped = true
			} else {
				r.items[k-1], r.items[k] = r.items[k], r.items[k-1]
			}
		}
	}
	return swapped
}

func (c *chart) order() [][]*item {
	var order [][]*item
	for _, r := range c.rows {
		order = append(order, slices.Clone(r.items))
	}
	return order
}

// sortRow orders a row by its neighbours in another one. Items without any
// keep their place.
func (c *chart) sortRow(r, other *row, neighbours func(*item, *row) []*item) {
	place := map[*item]float64{}
	for i, it := range other.items {
		place[it] = (float64(i) + 0.5) / float64(len(other.items))
	}
	key := map[*item]float64{}
	for i, it := range r.items {
		key[it] = (float64(i) + 0.5) / float64(len(r.items))
		if near := neighbours(it, other); len(near) > 0 {
			sum := 0.0
			for _, n := range near {
				sum += place[n]
			}
			key[it] = sum / float64(len(near))
		}
	}
	slices.SortStableFunc(r.items, func(a, b *item) int { return cmp.Compare(key[a], key[b]) })
}

// above returns the items of the row above that an item's nets come from.
func above(it *item, r *row) []*item {
	if it.net != nil {
		return r.carriers(it.net)
	}
	var items []*item
	for _, p := range it.box.ports {
		items = append(items, r.carriers(p.net)...)
	}
	return items
}

// below returns the items of the row below that an item's net leads to.
func below(it *item, r *row) []*item {
	n := it.net
	if n == nil {
		n = it.box.out
	}
	if n == nil {
		return nil
	}
	var items []*item
	for _, i := range r.items {
		if i.net == n || i.box != nil && slices.ContainsFunc(i.box.ports, func(p *port) bool { return p.net == n }) {
			items = append(items, i)
		}
	}
	return items
}

// carriers returns the item that has a net in this row.
func (r *row) carriers(n *net) []*item {
	if pass := r.passes[n]; pass != nil {
		return []*item{pass}
	}
	for _, it := range r.items {
		if it.box == n.from {
			return []*item{it}
		}
	}
	return nil
}

// crossingCost is how many columns a net may be longer for one crossing less.
const crossingCost = 200

// cost is small for a good order.
func (c *chart) cost() int {
	total := 0
	for i := range c.rows {
		total += c.costOf(i)
	}
	return total
}

// costOf returns the cost of the nets between a row and the one above it: how many
// pairs cross, and how far they run to a side while rows are centered.
func (c *chart) costOf(number int) int {
	if number == 0 || number == len(c.rows) {
		return 0
	}
	upper, lower := c.rows[number-1], c.rows[number]
	type link struct{ top, bottom int }
	var links []link
	top, bottom := upper.centered(), lower.centered()
	cost := 0
	for _, from := range upper.items {
		for _, to := range below(from, lower) {
			l := link{top[from], bottom[to]}
			for _, other := range links {
				if (l.top-other.top)*(l.bottom-other.bottom) < 0 {
					cost += crossingCost
				}
			}
			links = append(links, l)
			cost += max(l.top-l.bottom, l.bottom-l.top)
		}
	}
	return cost
}

// centered returns the columns of the items' centers as seen from the middle of
// the row.
func (r *row) centered() map[*item]int {
	at := map[*item]int{}
	x := 0
	for i, it := range r.items {
		if i > 0 {
			x += gap(r.items[i-1], it)
		}
		at[it] = x + it.width()/2
		x += it.width()
	}
	for it := range at {
		at[it] -= x / 2
	}
	return at
}
