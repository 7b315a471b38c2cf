package diagram

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/frontend/view"
)

// naiveParallel is findParallel as it is defined: by what any two stages have
// to do with each other.
func naiveParallel(g *Graph) [][][]string {
	var running []int
	reach := make([][]bool, len(g.Nodes))
	for n := range g.Nodes {
		reach[n] = g.lookup().Reach(n, view.Waits)
		if g.Nodes[n].runs() {
			running = append(running, n)
		}
	}
	ordered := func(a, b int) bool { return reach[a][b] || reach[b][a] }
	ids := func(tracks [][]int) [][]string {
		list := make([][]string, len(tracks))
		for i, track := range tracks {
			for _, n := range track {
				list[i] = append(list[i], g.Nodes[n].ID)
			}
		}
		return list
	}
	found := [][][]string{}
	var divide func(set []int)
	divide = func(set []int) {
		for _, part := range connected(set, func(a, b int) bool { return !ordered(a, b) }) {
			tracks := connected(part, ordered)
			if len(part) > 1 && len(tracks) == 1 {
				for layer := range len(g.Nodes) {
					same := slices.DeleteFunc(slices.Clone(part), func(n int) bool { return g.Nodes[n].Layer != layer })
					if len(same) > 1 {
						found = append(found, ids(connected(same, func(a, b int) bool { return a == b })))
					}
				}
			} else if len(part) > 1 {
				found = append(found, ids(tracks))
				for _, track := range tracks {
					divide(track)
				}
			}
		}
	}
	divide(running)
	return found
}

// connected are the parts of a set that a relation holds together. Parts and
// what is in them keep the order of the set.
func connected(set []int, related func(a, b int) bool) [][]int {
	var parts [][]int
	member := map[int]int{} // number of the part, from 1
	for _, start := range set {
		if member[start] != 0 {
			continue
		}
		parts = append(parts, nil)
		member[start] = len(parts)
		for todo := []int{start}; len(todo) > 0; todo = todo[1:] {
			for _, n := range set {
				if member[n] == 0 && related(todo[0], n) {
					member[n] = len(parts)
					todo = append(todo, n)
				}
			}
		}
	}
	for _, n := range set {
		parts[member[n]-1] = append(parts[member[n]-1], n)
	}
	return parts
}

// longestChain is the longest chain and the most steps of one, found by trying
// all of them.
func longestChain(g *Graph) (stages, steps int) {
	var try func(n, before, beforeSteps int)
	try = func(n, before, beforeSteps int) {
		before, beforeSteps = before+1, beforeSteps+g.Nodes[n].Steps
		if before > stages || before == stages && beforeSteps > steps {
			stages, steps = before, beforeSteps
		}
		g.lookup().Needs(n, func(e *view.Edge, to int) {
			if view.Waits(e) && g.Nodes[to].runs() {
				try(to, before, beforeSteps)
			}
		})
	}
	for n := range g.Nodes {
		if g.Nodes[n].runs() {
			try(n, 0, 0)
		}
	}
	return stages, steps
}

// randomSketch has some stages in a random order of the file, edges that are
// more or less dense, and now and then a cycle that the target does not need.
func randomSketch(t *testing.T, random *rand.Rand) *Graph {
	n := 1 + random.IntN(10)
	names := random.Perm(n)
	dense := random.Float64()
	var words []string
	for _, name := range random.Perm(n) {
		words = append(words, fmt.Sprintf("s%d*%d", name, random.IntN(4)))
	}
	for i := range n {
		for j := range i {
			if random.Float64() < dense {
				kind := []view.EdgeKind{view.Base, view.Copy, view.Copy, view.Mount, view.After}[random.IntN(5)]
				words = append(words, fmt.Sprintf("s%d<s%d:%s", names[i], names[j], kind))
			}
		}
		if random.IntN(3) == 0 {
			words = append(words, fmt.Sprintf("s%d<IMAGE", names[i]))
		}
	}
	if random.IntN(4) == 0 {
		words = append(words, "u<v v<u", fmt.Sprintf("u<s%d", names[0]))
	}
	// The target, which is the last stage, needs most of the others.
	words = append(words, "z")
	for _, name := range names {
		if random.IntN(6) > 0 {
			words = append(words, fmt.Sprintf("z<s%d", name))
		}
	}
	return sketch(t, strings.Join(words, " "))
}

// nested is a graph of stages side by side and one after the other, in one
// another: what sets are divided into best.
func nested(random *rand.Rand, next *int, depth int) (words, first, last []string) {
	if depth == 0 || random.IntN(4) == 0 {
		name := fmt.Sprintf("s%d", *next)
		*next++
		return []string{name}, []string{name}, []string{name}
	}
	serial := random.IntN(2) == 0
	for i := range 2 + random.IntN(2) {
		w, f, l := nested(random, next, depth-1)
		words = append(words, w...)
		switch {
		case !serial:
			first, last = append(first, f...), append(last, l...)
		case i == 0:
			first, last = f, l
		default:
			for _, b := range f {
				for _, a := range last {
					words = append(words, b+"<"+a)
				}
			}
			last = l
		}
	}
	return words, first, last
}

func TestParallelIsAsDefined(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	sets := 0
	check := func(g *Graph) {
		t.Helper()
		if want := naiveParallel(g); !reflect.DeepEqual(g.Parallel, want) {
			t.Fatalf("parallel are %v, want %v, in\n%s", g.Parallel, want, g.table())
		}
		sets += len(g.Parallel)
		stages, steps := longestChain(g)
		got := 0
		for _, id := range g.LongestChain {
			got += g.node(id).Steps
		}
		if len(g.LongestChain) != stages || got != steps {
			t.Fatalf("the longest chain is %v, want %d stages and %d steps, in\n%s", g.LongestChain, stages, steps, g.table())
		}
	}
	rounds := 1000
	if testing.Short() {
		rounds = 300
	}
	for range rounds {
		check(randomSketch(t, random))
		next := 0
		words, _, last := nested(random, &next, 3)
		for _, name := range last {
			words = append(words, "z<"+name)
		}
		check(sketch(t, strings.Join(words, " ")))
	}
	if sets < rounds {
		t.Errorf("only %d sets were compared", sets)
	}
}

// A graph in which every stage of a chain has a branch of its own has sets of
// n*n stages. Not all are listed, and it is said how many are not.
func TestLongListOfParallel(t *testing.T) {
	var words []string
	for i := range 500 {
		words = append(words, fmt.Sprintf("s%d<s%d s%d<b%d", i+1, i, i+1, i))
	}
	g := sketch(t, strings.Join(append(words, "z<s500"), " "))
	ids := 0
	for _, set := range g.Parallel {
		for _, track := range set {
			ids += len(track)
		}
	}
	if ids > maxParallel || len(g.Parallel)+g.ParallelLeftOut != 500 || g.ParallelLeftOut == 0 {
		t.Errorf("%d sets with %d stages are listed, %d are not", len(g.Parallel), ids, g.ParallelLeftOut)
	}
	if want := fmt.Sprintf("(%d more sets not listed)", g.ParallelLeftOut); !strings.Contains(g.Text(), want) {
		t.Errorf("the text lacks %q", want)
	}
}
