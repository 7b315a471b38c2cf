package stage

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// A name means the nearest earlier stage of it, else the nearest later one,
// else the stage itself; and its last stage is the last of the file.
func TestNames(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	names := []string{"", "a", "kilo", "s"}
	asked := []string{"", "A", "a", "b", "Kilo", "\u212ailo", "\u017f"}
	for range 2000 {
		g := &Graph{Units: make([]Unit, 1)}
		for id := range ID(1 + random.IntN(6)) {
			g.Nodes = append(g.Nodes, Node{ID: id, Name: names[random.IntN(len(names))]})
			g.Units[0].Stages = append(g.Units[0].Stages, id)
		}
		g.Units[0].nameStages(g)
		from := ID(random.IntN(len(g.Nodes)))
		for _, name := range asked {
			called := func(id ID) bool { return name != "" && g.Node(id).Name == strings.ToLower(name) }
			want := from
			for id := from + 1; want == from && int(id) < len(g.Nodes); id++ {
				if called(id) {
					want = id
				}
			}
			for id := range from {
				if called(id) {
					want = id
				}
			}
			if got, ok := g.Visible(name, from); got != want || ok != called(want) {
				t.Fatalf("%q from %d is %d (%v), want %d (%v): %+v", name, from, got, ok, want, called(want), g.Nodes)
			}
			last := None
			for _, id := range slices.Backward(g.Units[0].Stages) {
				if last == None && name != "" && strings.EqualFold(g.Node(id).Name, name) {
					last = id
				}
			}
			if got, ok := g.latest(name, from); got != last || ok != (last != None) {
				t.Fatalf("the last %q is %d, want %d: %+v", name, got, last, g.Nodes)
			}
		}
	}
}
