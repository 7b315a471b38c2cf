package stage

import (
	"fmt"
	"strings"

	"github.com/containerd/platforms"
)

// String returns the graph as text, for tests and for people: its files, its nodes,
// and for each node what it needs, in the order of the file. The same graph
// has the same text.
func (g *Graph) String() string {
	var b strings.Builder
	for i := range g.Units {
		fmt.Fprintf(&b, "unit %d: %s, %d stages\n", i, g.Units[i].Key, len(g.Units[i].Stages))
	}
	needed := g.Reach(g.Target)
	for id := range ID(len(g.Nodes)) {
		fmt.Fprintf(&b, "%s\n", strings.Join(g.describe(id, needed[id]), ", "))
		for _, e := range g.Out(id) {
			fmt.Fprintf(&b, "  %s\n", g.describeEdge(e))
		}
	}
	return b.String()
}

// describe returns what there is to say of a node.
func (g *Graph) describe(id ID, needed bool) []string {
	n := g.Node(id)
	first := fmt.Sprintf("%d:%s <- %s", id, n.Label, n.Ref)
	if n.Kind == External {
		first = fmt.Sprintf("%d: external %s", id, n.Ref)
	}
	words := []string{first}
	if n.Platform != nil {
		words = append(words, "platform "+platforms.FormatAll(*n.Platform))
	}
	if n.Unit != 0 {
		words = append(words, fmt.Sprintf("unit %d", n.Unit))
	}
	if len(n.Loc.Ranges) > 0 {
		words = append(words, g.Files.FullPlace(n.Loc))
	}
	if len(n.Steps) > 0 {
		words = append(words, fmt.Sprintf("%d instructions", len(n.Steps)))
	}
	for _, flag := range []struct {
		set  bool
		word string
	}{
		{id == g.Target, "target"},
		{!needed, "not needed"},
		{n.Replaced, "replaced by a named context"},
		{n.Open, "not followed"},
		{n.NoCache, "no-cache"},
		{n.Squash, "squashed"},
	} {
		if flag.set {
			words = append(words, flag.word)
		}
	}
	return words
}

func (g *Graph) describeEdge(e Edge) string {
	to := g.Node(e.To)
	words := []string{e.Kind.String(), fmt.Sprintf("%d:%s", e.To, to.Label)}
	if to.Kind == External {
		words[1] = fmt.Sprintf("%d: %s", e.To, to.Ref)
	}
	words = append(words, e.Paths...)
	if e.OnBuild {
		words = append(words, "(onbuild)")
	}
	if e.Implied {
		words = append(words, "(implied)")
	}
	return strings.Join(append(words, "at", g.Files.FullPlace(e.Loc)), " ")
}
