package diagram

import (
	"cmp"
	"math"
	"slices"
)

// passWeight is how much more a passing net wants its place than a box: a
// line without bends is easier to follow.
const passWeight = 20

// place gives everything its column.
func (c *chart) place() {
	for range sweeps {
		for i := range c.rows {
			c.placeRow(i, func(it *item) []float64 { return c.columnsAbove(it, i) })
		}
		for i := len(c.rows) - 1; i >= 0; i-- {
			c.placeRow(i, func(it *item) []float64 { return c.columnsBelow(it, i) })
		}
	}
	for range sweeps {
		straight := c.straightened()
		for i := range c.rows {
			c.placeRow(i, func(it *item) []float64 {
				if it.net != nil {
					return []float64{straight[it.net]}
				}
				return slices.Concat(c.columnsAbove(it, i), c.columnsBelow(it, i))
			})
		}
	}
	c.shiftLeft()
	for i := range c.rows {
		c.placePorts(i)
	}
}

// straightened is, for each net that passes rows, the column that changes
// least in them.
func (c *chart) straightened() map[*net]float64 {
	columns := map[*net][]int{}
	for _, r := range c.rows {
		for n, it := range r.passes {
			columns[n] = append(columns[n], it.x)
		}
	}
	straight := map[*net]float64{}
	for n, list := range columns {
		slices.Sort(list)
		straight[n] = float64(list[len(list)/2])
	}
	return straight
}

// placeRow puts the items of a row as near as they can be to the means of
// what they are connected to.
func (c *chart) placeRow(number int, near func(*item) []float64) {
	items := c.rows[number].items
	want := make([]float64, len(items))
	weight := make([]float64, len(items))
	for i, it := range items {
		list := near(it)
		if len(list) == 0 {
			want[i], weight[i] = float64(it.x), 0.1
			continue
		}
		sum := 0.0
		for _, x := range list {
			sum += x
		}
		want[i] = sum/float64(len(list)) - float64(it.width()/2)
		weight[i] = 1
		if it.net != nil {
			weight[i] = passWeight
		}
	}
	at := spread(want, weight, func(i int) int {
		return items[i-1].width() + gap(items[i-1], items[i])
	}, 0, columns-items[len(items)-1].width())
	for i, it := range items {
		it.x = at[i]
		if it.box != nil {
			it.box.x = at[i]
		}
	}
}

func (c *chart) columnsAbove(it *item, number int) []float64 {
	if number == 0 {
		return nil
	}
	var list []float64
	for _, from := range above(it, c.rows[number-1]) {
		list = append(list, float64(from.center()))
	}
	return list
}

func (c *chart) columnsBelow(it *item, number int) []float64 {
	if number == len(c.rows)-1 {
		return nil
	}
	var list []float64
	for _, to := range below(it, c.rows[number+1]) {
		list = append(list, float64(to.center()))
	}
	return list
}

func (i *item) center() int { return i.x + i.width()/2 }

// spread finds whole numbers x with x[i] >= x[i-1]+distance(i) between lo and
// hi for which the weighted squares of their distances to want are least.
// Without the distances it is isotonic regression, which pooling adjacent
// violators solves; the bounds may be applied to its solution.
func spread(want, weight []float64, distance func(i int) int, lo, hi int) []int {
	type pool struct {
		mean, weight float64
		count        int
	}
	offset := make([]int, len(want))
	var pools []pool
	for i := range want {
		if i > 0 {
			offset[i] = offset[i-1] + distance(i)
		}
		pools = append(pools, pool{want[i] - float64(offset[i]), weight[i], 1})
		for n := len(pools) - 1; n > 0 && pools[n-1].mean > pools[n].mean; n-- {
			a, b := pools[n-1], pools[n]
			sum := a.weight + b.weight
			pools[n-1] = pool{(a.mean*a.weight + b.mean*b.weight) / sum, sum, a.count + b.count}
			pools = pools[:n]
		}
	}
	last := hi - offset[len(offset)-1]
	var at []int
	for _, p := range pools {
		base := max(lo, min(last, int(math.Floor(p.mean+0.5))))
		for range p.count {
			at = append(at, base+offset[len(at)])
		}
	}
	return at
}

// shiftLeft begins the drawing in the first column.
func (c *chart) shiftLeft() {
	least := columns
	for _, r := range c.rows {
		least = min(least, r.items[0].x)
	}
	for _, r := range c.rows {
		for _, it := range r.items {
			it.x -= least
			if it.box != nil {
				it.box.x -= least
			}
		}
	}
}

// column returns where a net leaves a row.
func (n *net) column(r *row) int {
	if pass := r.passes[n]; pass != nil {
		return pass.x
	}
	return n.from.center()
}

// placePorts puts the ports of each box of a row on its upper edge, right
// below where their nets come from if it can be.
func (c *chart) placePorts(number int) {
	for _, it := range c.rows[number].items {
		if it.box == nil || len(it.box.ports) == 0 {
			continue
		}
		b, from := it.box, c.rows[number-1]
		slices.SortStableFunc(b.ports, func(p, q *port) int {
			return cmp.Or(
				cmp.Compare(p.net.column(from), q.net.column(from)),
				cmp.Compare(slices.Index(edgeKinds, p.kind), slices.Index(edgeKinds, q.kind)),
			)
		})
		want := make([]float64, len(b.ports))
		weight := make([]float64, len(b.ports))
		for i, p := range b.ports {
			want[i], weight[i] = float64(p.net.column(from)), 1
		}
		at := spread(want, weight, func(int) int { return 2 }, b.x+1, b.x+b.w-2)
		for i, p := range b.ports {
			p.x = at[i]
		}
	}
}
