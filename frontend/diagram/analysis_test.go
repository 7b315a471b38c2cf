package diagram

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/frontend/view"
)

// sketch is a graph from words such as "c<b:after": stage c needs b, by a
// copy unless another kind is named. Nodes in capitals are images. A stage's
// number of steps may follow its name where it is first met, as in "c*3<b".
// The target is the last stage.
func sketch(t *testing.T, text string) *Graph {
	t.Helper()
	g := &view.Graph{Platform: "linux/amd64"}
	node := func(word string) string {
		name, steps, _ := strings.Cut(word, "*")
		if slices.ContainsFunc(g.Nodes, func(n view.Node) bool { return n.ID == name }) {
			return name
		}
		n := view.Node{ID: name, Name: name, Kind: view.KindStage, Ref: "scratch", File: "Dockerfile", Line: len(g.Nodes) + 1}
		if strings.ToUpper(name) == name {
			n = view.Node{ID: name, Name: name, Kind: view.KindImage}
		}
		if steps != "" {
			if _, err := fmt.Sscan(steps, &n.Steps); err != nil {
				t.Fatal(err)
			}
		}
		g.Nodes = append(g.Nodes, n)
		return name
	}
	for word := range strings.FieldsSeq(text) {
		stage, needs, edge := strings.Cut(word, "<")
		needs, kind, _ := strings.Cut(needs, ":")
		if edge {
			if kind == "" {
				kind = "copy"
			}
			needs = node(needs)
			g.Edges = append(g.Edges, view.Edge{Stage: node(stage), Needs: needs, Kind: view.EdgeKind(kind), File: "Dockerfile", Line: len(g.Edges) + 1})
		} else {
			node(stage)
		}
	}
	for _, n := range g.Nodes {
		if n.Kind == view.KindStage {
			g.Target = n.ID
		}
	}
	g.Complete()
	return New(g)
}

func TestAnalysis(t *testing.T) {
	for _, test := range []struct {
		name, graph             string
		needed, chain, parallel string
		layers                  string
		circular                string
	}{
		{
			name: "one stage", graph: "a<IMAGE:base",
			needed: "IMAGE a", chain: "a", layers: "IMAGE=0 a=1",
		},
		{
			name: "two tracks", graph: "a b<a c z<b z<c",
			needed: "a b c z", chain: "a b z", parallel: "[a b|c]", layers: "a=0 b=1 c=0 z=2",
		},
		{
			name: "a track that splits again", graph: "a b<a c<a d e<d z<b z<c z<e",
			needed: "a b c d e z", chain: "a b z", parallel: "[a b c|d e] [b|c]", layers: "a=0 b=1 c=1 d=0 e=1 z=2",
		},
		{
			name: "too entangled for tracks", graph: "a b c<a c<b d<b z<c z<d",
			needed: "a b c d z", chain: "a c z", parallel: "[a|b] [c|d]", layers: "a=0 b=0 c=1 d=1 z=2",
		},
		{
			name: "what nothing needs", graph: "a test<a:base z<a",
			needed: "a z", chain: "a z", layers: "a=0 test=1 z=1",
		},
		{
			name: "steps decide between chains of equal length", graph: "a*1 b*5 z<a z<b",
			needed: "a b z", chain: "b z", parallel: "[a|b]", layers: "a=0 b=0 z=1",
		},
		{
			name: "stages count before steps", graph: "a*1 b<a c*50 z<b z<c",
			needed: "a b c z", chain: "a b z", parallel: "[a b|c]", layers: "a=0 b=1 c=0 z=2",
		},
		{
			name: "a gate is needed, runs beside, and may have the longest chain", graph: "a b<a test<b z<a:base z<test:after",
			needed: "a b test z", chain: "a b test", parallel: "[b test|z]", layers: "a=0 b=1 test=2 z=3",
		},
		{
			name: "a circle of what nothing needs", graph: "a<b b<a c<b z",
			needed: "z", chain: "z", layers: "a=0 b=1 c=2 z=0", circular: "a<b",
		},
		{
			name: "an image stands above the first that needs it", graph: "a<IMAGE:base b<a c<b c<OTHER z<c z<IMAGE",
			needed: "IMAGE OTHER a b c z", chain: "a b c z", layers: "IMAGE=0 OTHER=2 a=1 b=2 c=3 z=4",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := sketch(t, test.graph)
			var needed, layers, circular, parallel []string
			for _, n := range g.Nodes {
				if n.Needed {
					needed = append(needed, n.ID)
				}
				layers = append(layers, fmt.Sprintf("%s=%d", n.ID, n.Layer))
			}
			for _, e := range g.Edges {
				if e.Circular {
					circular = append(circular, e.Stage+"<"+e.Needs)
				}
			}
			for _, set := range g.Parallel {
				var tracks []string
				for _, track := range set {
					tracks = append(tracks, strings.Join(track, " "))
				}
				parallel = append(parallel, "["+strings.Join(tracks, "|")+"]")
			}
			slices.Sort(needed)
			slices.Sort(layers)
			for _, c := range []struct {
				what, want string
				got        []string
			}{
				{"needed", test.needed, needed},
				{"longest chain", test.chain, g.LongestChain},
				{"parallel", test.parallel, parallel},
				{"layers", test.layers, layers},
				{"circular", test.circular, circular},
			} {
				if got := strings.Join(c.got, " "); got != c.want {
					t.Errorf("%s: %s, want %s", c.what, got, c.want)
				}
			}
		})
	}
}

// A stage is told to run next to another one exactly where neither waits for
// the other, in sets that are not a mere row of an entangled part.
func TestTracksDoNotWait(t *testing.T) {
	g := sketch(t, "a b<a c d<c d<b e z<d z<e:after")
	reach := map[string]map[string]bool{}
	for i, n := range g.Nodes {
		reach[n.ID] = map[string]bool{}
		for to, reached := range g.lookup().Reach(i, view.Waits) {
			reach[n.ID][g.Nodes[to].ID] = reached
		}
	}
	beside := map[string]bool{}
	for _, set := range g.Parallel {
		for i, track := range set {
			for _, other := range set[i+1:] {
				for _, a := range track {
					for _, b := range other {
						if reach[a][b] || reach[b][a] {
							t.Errorf("%s and %s are said to be parallel", a, b)
						}
						beside[a+" "+b] = true
					}
				}
			}
		}
	}
	want := map[string]bool{"a c": true, "b c": true, "a e": true, "b e": true, "c e": true, "d e": true, "z e": true}
	for pair := range beside {
		a, b, _ := strings.Cut(pair, " ")
		if !want[pair] && !want[b+" "+a] {
			t.Errorf("unexpected pair %s", pair)
		}
	}
	if len(beside) != len(want) {
		t.Errorf("pairs %q, want %q", slices.Sorted(maps.Keys(beside)), slices.Sorted(maps.Keys(want)))
	}
}

// Gates have a line of their own kind in every rendering.
func TestGate(t *testing.T) {
	g := sketch(t, "a<IMAGE:base test<a:base z<a z<test:after")
	for _, r := range []struct{ name, text, want string }{
		{"text", g.Text(), "○ after"},
		{"text", g.Text(), "test     after"},
		{"mermaid", g.Mermaid(), `test -. "after<br/>line 4" .-o z`},
		{"dot", g.Dot(), `test -> z [label="after\nline 4", style=dotted, arrowhead=odot]`},
	} {
		if !strings.Contains(r.text, r.want) {
			t.Errorf("%s lacks %q:\n%s", r.name, r.want, r.text)
		}
	}
}

// A graph that is too large to draw still has its table.
func TestTooLargeToDraw(t *testing.T) {
	var words []string
	for i := range 200 {
		words = append(words, fmt.Sprintf("z<s%d", i))
	}
	text := sketch(t, strings.Join(words, " ")).Text()
	if !strings.Contains(text, "201 stages and images are too many") || strings.Contains(text, "┌") {
		t.Errorf("it is drawn:\n%.500s", text)
	}
	if !strings.Contains(text, "s199") {
		t.Error("the table is incomplete")
	}
}
