package diagram

import (
	"math"
	"math/rand"
	"testing"
)

// TestSpread compares with all placements that there are.
func TestSpread(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for range 300 {
		n, hi := 1+r.Intn(4), 12
		want, weight, distance := make([]float64, n), make([]float64, n), make([]int, n)
		for i := range n {
			want[i], weight[i], distance[i] = float64(r.Intn(30)-5), 1, 1+r.Intn(3)
		}
		cost := func(at []int) float64 {
			sum := 0.0
			for i, x := range at {
				sum += weight[i] * math.Pow(float64(x)-want[i], 2)
			}
			return sum
		}
		best := math.Inf(1)
		var try func(at []int)
		try = func(at []int) {
			if len(at) == n {
				best = min(best, cost(at))
				return
			}
			from := 0
			if len(at) > 0 {
				from = at[len(at)-1] + distance[len(at)]
			}
			for x := from; x <= hi; x++ {
				try(append(at, x))
			}
		}
		try(nil)
		got := spread(want, weight, func(i int) int { return distance[i] }, 0, hi)
		for i, x := range got {
			if x < 0 || x > hi || i > 0 && x < got[i-1]+distance[i] {
				t.Fatalf("want %v, distances %v: %v is not allowed", want, distance, got)
			}
		}
		// Rounding to columns may cost half of one for each.
		if cost(got) > best+float64(n) {
			t.Errorf("want %v, distances %v: %v costs %g, the best costs %g", want, distance, got, cost(got), best)
		}
	}
}
