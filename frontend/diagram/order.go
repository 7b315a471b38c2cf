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
	least := c.crossings()
	for range sweeps {
		for i := 1; i < len(c.rows); i++ {
			c.sortRow(c.rows[i], c.rows[i-1], above)
		}
		for i := len(c.rows) - 2; i >= 0; i-- {
			c.sortRow(c.rows[i], c.rows[i+1], below)
		}
		if n := c.crossings(); n < least {
			best, least = c.order(), n
		}
	}
	for i, r := range c.rows {
		r.items = best[i]
	}
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

// above are the items of the row above that an item's nets come from.
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

// below are the items of the row below that an item's net leads to.
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

// carriers is the item that has a net in this row.
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

// crossings counts pairs of connections between neighbouring rows that cross.
func (c *chart) crossings() int {
	total := 0
	for i := 1; i < len(c.rows); i++ {
		type link struct{ top, bottom int }
		var links []link
		place := map[*item]int{}
		for n, it := range c.rows[i].items {
			place[it] = n
		}
		for n, it := range c.rows[i-1].items {
			for _, to := range below(it, c.rows[i]) {
				links = append(links, link{n, place[to]})
			}
		}
		for a := range links {
			for _, b := range links[a+1:] {
				if (links[a].top-b.top)*(links[a].bottom-b.bottom) < 0 {
					total++
				}
			}
		}
	}
	return total
}
