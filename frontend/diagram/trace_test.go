package diagram

import (
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/frontend/view"
)

// TestLinesAreEdges reads drawings of random graphs back: whoever follows the
// lines from box to box must find the edges of the graph, no other ones, and
// no line that belongs to nothing.
func TestLinesAreEdges(t *testing.T) {
	drawn, listed, most := 0, 0, 0
	graphs, crowd := int64(300), 15
	if testing.Short() {
		graphs, crowd = 100, 12
	}
	for seed := range graphs {
		g := randomGraph(rand.New(rand.NewSource(seed)))
		needed, spare := charts(g)
		var found []string
		for _, c := range slices.Concat(needed, spare) {
			picture := c.draw()
			if picture.width() > columns {
				t.Errorf("seed %d: a drawing is %d columns wide:\n%s", seed, picture.width(), picture)
			}
			lines, err := follow(c, picture)
			if err != nil {
				t.Fatalf("seed %d: %v:\n%s", seed, err, picture)
			}
			drawn += len(lines)
			found = append(found, lines...)
			for _, b := range c.boxes {
				names := namedIn(g, b)
				listed += len(names)
				found = append(found, names...)
				most = max(most, len(b.ports))
			}
		}
		slices.Sort(found)
		if want := edgesAsFound(g, found); !slices.Equal(found, want) {
			t.Errorf("seed %d: the lines say\n%q\nthe edges are\n%q\n%s", seed, found, want, g.draw())
		}
	}
	t.Logf("%d lines followed, %d edges listed by name, at most %d lines to a box", drawn, listed, most)
	if drawn < 33*int(graphs) || listed < int(graphs)/3 || most < crowd {
		t.Error("the graphs are too easy")
	}
}

// randomGraph has up to 60 nodes and from few to many edges.
func randomGraph(r *rand.Rand) *Graph {
	g := &view.Graph{Platform: "linux/amd64"}
	stages, images := 1+r.Intn(45), r.Intn(15)
	density := []float64{0.02, 0.05, 0.1, 0.3}[r.Intn(4)]
	name := func(kind string, i int) string {
		return fmt.Sprintf("%s%d%s", kind, i, strings.Repeat("x", r.Intn(1+r.Intn(20))))
	}
	for i := range stages {
		g.Nodes = append(g.Nodes, view.Node{ID: fmt.Sprintf("s%d", i), Kind: view.KindStage, Name: name("s", i), File: "Dockerfile", Line: i + 1, Steps: r.Intn(4)})
	}
	for i := range images {
		g.Nodes = append(g.Nodes, view.Node{ID: fmt.Sprintf("i%d", i), Kind: view.KindImage, Name: name("i", i)})
	}
	add := func(stage, needs string, kind view.EdgeKind) {
		g.Edges = append(g.Edges, view.Edge{Stage: stage, Needs: needs, Kind: kind, File: "Dockerfile", Line: 1})
	}
	for i := range stages {
		id := g.Nodes[i].ID
		switch {
		case i > 0 && r.Intn(3) == 0:
			add(id, g.Nodes[r.Intn(i)].ID, view.Base)
		case images > 0:
			add(id, g.Nodes[stages+r.Intn(images)].ID, view.Base)
		}
		for j := range stages {
			// A few edges go to later stages, so that there are cycles.
			if i != j && (j < i || r.Intn(100) == 0) && r.Float64() < density {
				add(id, g.Nodes[j].ID, edgeKinds[1+r.Intn(len(edgeKinds)-1)])
				if r.Intn(5) == 0 {
					add(id, g.Nodes[j].ID, edgeKinds[1+r.Intn(len(edgeKinds)-1)])
				}
			}
		}
	}
	// An image that nothing needs would not be in the graph.
	g.Nodes = slices.DeleteFunc(g.Nodes, func(n view.Node) bool {
		return n.Kind != view.KindStage && !slices.ContainsFunc(g.Edges, func(e view.Edge) bool { return e.Needs == n.ID })
	})
	g.Target = g.Nodes[r.Intn(stages)].ID
	g.Complete()
	return New(g)
}

// edgesAsFound are the edges as a drawing has them: those of one kind between
// the same nodes are one line; those that are only named have no kind.
func edgesAsFound(g *Graph, found []string) []string {
	var edges []string
	for _, e := range g.Edges {
		way := line(e.Needs, e.Stage)
		if drawn := way + " " + string(e.Kind); slices.Contains(found, drawn) {
			edges = append(edges, drawn)
		} else {
			edges = append(edges, way)
		}
	}
	slices.Sort(edges)
	return slices.Compact(edges)
}

func line(from, to string) string { return from + " -> " + to }

// namedIn are the edges that a box names in place of a line, as somebody who
// reads the box would find them.
func namedIn(g *Graph, b *box) []string {
	var found []string
	text := strings.Join(b.content(), " ")
	_, text, _ = strings.Cut(text, "↑")
	for name := range strings.SplitSeq(text, ",") {
		for _, n := range g.Nodes {
			if n.Name == strings.TrimSpace(name) {
				found = append(found, line(n.ID, b.node.ID))
			}
		}
	}
	return found
}

type cell struct{ x, y int }

// follow reads a picture: it goes down from each box and takes every branch
// until it is at another box.
func follow(c *chart, picture *canvas) ([]string, error) {
	at := func(p cell) string {
		if p.y < 0 || p.y >= len(picture.lines) || p.x < 0 || p.x >= len(picture.lines[p.y]) {
			return " "
		}
		return picture.lines[p.y][p.x]
	}
	boxes := slices.Clone(c.boxes)
	for _, b := range c.boxes {
		if b.lid != nil {
			boxes = append(boxes, b.lid)
		}
	}
	roof := map[cell]*box{} // the cells right above a box
	inside := map[cell]bool{}
	for _, b := range boxes {
		left, height := b.center()-b.frame()/2, len(b.content())+2
		for x := left; x < left+b.frame(); x++ {
			roof[cell{x, b.y - 1}] = b
			for y := b.y; y < b.y+height; y++ {
				inside[cell{x, y}] = true
			}
		}
	}
	kinds := map[string]view.EdgeKind{}
	for kind, head := range heads {
		kinds[head] = kind
	}
	turns := map[string]ways{}
	for way, s := range corners {
		turns[s] = way
	}

	var found []string
	visited := map[cell]bool{}
	var walk func(from *box, p cell, way ways) error
	walk = func(from *box, p cell, way ways) error {
		visited[p] = true
		s := at(p)
		if kind, ok := kinds[s]; ok {
			if way != down || roof[p] == nil {
				return fmt.Errorf("a head at %v is above no box", p)
			}
			found = append(found, line(from.node.ID, roof[p].node.ID)+" "+string(kind))
			return nil
		}
		next := turns[s]
		if s == "│" && (way == left || way == right) {
			next = left | right // it passes behind
		}
		if next&opposite[way] == 0 {
			return fmt.Errorf("the line of %s ends at %v with %q", from.node.Name, p, s)
		}
		for _, w := range []ways{up, down, left, right} {
			if next&w == 0 || w == opposite[way] {
				continue
			}
			step := steps4[w]
			if err := walk(from, cell{p.x + step.x, p.y + step.y}, w); err != nil {
				return err
			}
		}
		return nil
	}
	for _, b := range boxes {
		foot := cell{b.center(), b.y + len(b.content()) + 1}
		if leaves := at(foot) == "┬" || at(foot) == "┯"; leaves {
			if err := walk(b, cell{foot.x, foot.y + 1}, down); err != nil {
				return nil, err
			}
		}
	}
	for y, row := range picture.lines {
		for x, s := range row {
			if p := (cell{x, y}); s != " " && !inside[p] && !visited[p] {
				return nil, fmt.Errorf("%q at %v belongs to no line", s, p)
			}
		}
	}
	return found, nil
}

var opposite = map[ways]ways{up: down, down: up, left: right, right: left}

var steps4 = map[ways]cell{up: {0, -1}, down: {0, 1}, left: {-1, 0}, right: {1, 0}}
