package diagram

import (
	"math"
	"math/rand"
	"slices"
	"testing"
)

func TestCells(t *testing.T) {
	for text, want := range map[string]int{
		"":             0,
		"abc":          3,
		"資料":           4,
		"e\u0301":      1, // an accent of its own
		"│┌▼…":         4,
		"a\u200bb":     2,
		"\U0001F433 x": 4,
	} {
		if got := cells(text); got != want {
			t.Errorf("%q takes %d columns, want %d", text, got, want)
		}
	}
}

func TestShorten(t *testing.T) {
	for _, test := range []struct {
		text  string
		limit int
		want  string
	}{
		{"builder", 7, "builder"},
		{"builder", 6, "bu…der"},
		{"builder", 1, "…"},
		{"builder", 0, ""},
		{"", 0, ""},
		{"docker.io/library/golang:1.22-alpine", 20, "docker.…:1.22-alpine"},
		{"資料図表資料図表", 9, "資料…図表"},
		{"資料図表資料図表", 8, "資…図表"},
	} {
		got := shorten(test.text, test.limit)
		if got != test.want {
			t.Errorf("%q in %d columns: %q, want %q", test.text, test.limit, got, test.want)
		}
		if cells(got) > test.limit {
			t.Errorf("%q takes more than %d columns", got, test.limit)
		}
	}
}

func TestClean(t *testing.T) {
	if got, want := clean("a\nb\t\x1b[31mc\u202e\x00"), "a b \ufffd[31mc\ufffd\ufffd"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestFold(t *testing.T) {
	got := fold([]string{"one", "two", "three", "a-long-word-that-does-not-fit"}, ", ", 12)
	want := []string{"one, two,", "three,", "a-lo…not-fit"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

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
