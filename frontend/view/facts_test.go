package view

import (
	"fmt"
	"math/rand"
	"testing"
)

// In any graph, exactly what the target leads to is needed, and without the
// edges that are marked there is no cycle; where there is none, no edge is
// marked.
func TestComplete(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	cycles := 0
	for range 2000 {
		g := randomGraph(r)
		leads := closure(g, func(*Edge) bool { return true })
		g.Complete()
		target, cyclic := 0, false
		for n := range g.Nodes {
			if g.Nodes[n].ID == g.Target {
				target = n
			}
			cyclic = cyclic || leads[n][n]
		}
		for n, node := range g.Nodes {
			if want := n == target || leads[target][n]; node.Needed != want {
				t.Fatalf("%+v: %s is needed: %v", g, node.ID, node.Needed)
			}
		}
		marked := 0
		for _, e := range g.Edges {
			if e.Circular {
				marked++
			}
		}
		if (marked > 0) != cyclic {
			t.Fatalf("%+v: %d edges are marked, there is a cycle: %v", g, marked, cyclic)
		}
		for n, reached := range closure(g, func(e *Edge) bool { return !e.Circular }) {
			if reached[n] {
				t.Fatalf("%+v: %s is in a cycle without the marked edges", g, g.Nodes[n].ID)
			}
		}
		if cyclic {
			cycles++
		}
	}
	if cycles < 100 || cycles > 1900 {
		t.Errorf("%d of 2000 graphs have a cycle", cycles)
	}
}

func randomGraph(r *rand.Rand) *Graph {
	g := &Graph{}
	for n := range 1 + r.Intn(8) {
		g.Nodes = append(g.Nodes, Node{ID: fmt.Sprint("n", n), Kind: KindStage})
	}
	for range r.Intn(12) {
		g.Edges = append(g.Edges, Edge{Stage: g.Nodes[r.Intn(len(g.Nodes))].ID, Needs: g.Nodes[r.Intn(len(g.Nodes))].ID, Kind: Copy})
	}
	g.Target = g.Nodes[r.Intn(len(g.Nodes))].ID
	return g
}

// closure tells of each node which others it leads to, by some edges.
func closure(g *Graph, follow func(*Edge) bool) [][]bool {
	number := map[string]int{}
	leads := make([][]bool, len(g.Nodes))
	for n := range g.Nodes {
		number[g.Nodes[n].ID] = n
		leads[n] = make([]bool, len(g.Nodes))
	}
	for i := range g.Edges {
		if e := &g.Edges[i]; follow(e) {
			leads[number[e.Stage]][number[e.Needs]] = true
		}
	}
	for via := range leads {
		for from := range leads {
			for to := range leads {
				leads[from][to] = leads[from][to] || leads[from][via] && leads[via][to]
			}
		}
	}
	return leads
}
