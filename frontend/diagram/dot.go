package diagram

import (
	"fmt"
	"strings"

	"github.com/stagecraft/stagecraft/frontend/view"
)

// Dot returns the graph in the language of Graphviz. It ends with a newline.
// Syntax: https://graphviz.org/doc/info/lang.html
func (g *Graph) Dot() string {
	var b strings.Builder
	for _, line := range g.remarks() {
		b.WriteString("// " + line + "\n")
	}
	b.WriteString("digraph stages {\n")
	b.WriteString("  graph [rankdir=TB]\n")
	b.WriteString("  node [shape=box, fontname=\"sans-serif\", fontsize=11]\n")
	b.WriteString("  edge [fontname=\"sans-serif\", fontsize=9]\n")
	for i := range g.Nodes {
		n := &g.Nodes[i]
		fmt.Fprintf(&b, "  %s [label=%s, style=%q%s]\n", n.ID, dotText(g.label(n)), dotStyle(g, n), dotLooks[classOf(g, n)])
	}
	for _, a := range g.arrows() {
		fmt.Fprintf(&b, "  %s -> %s [label=%s%s]\n", a.needs, a.stage, dotText(a.label()), dotLines[a.kind])
	}
	b.WriteString("}\n")
	return b.String()
}

var dotLooks = map[string]string{
	"target":     ", penwidth=3",
	"spare":      ", color=gray40, fontcolor=gray40",
	"unresolved": ", color=red",
}

func dotStyle(g *Graph, n *Node) string {
	style := "solid"
	switch {
	case n.Unresolved != "":
		style = "dotted"
	case !n.Needed:
		style = "dashed"
	}
	if n.Kind != view.KindStage {
		style += ",rounded"
	}
	return style
}

var dotLines = map[view.EdgeKind]string{
	view.Base:  ", style=bold",
	view.Copy:  "",
	view.Mount: ", style=dashed",
	view.Add:   "",
	// A gate may run before, next to or behind the stage: its place in the
	// drawing is that of what needs it, but nothing waits.
	view.After: ", style=dotted, arrowhead=odot",
	// Its image config is read.
	view.Config: ", style=dotted, arrowhead=odiamond",
}

// dotText returns a quoted label.
func dotText(lines []string) string {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	quoted := make([]string, len(lines))
	for i, line := range lines {
		quoted[i] = escape.Replace(line)
	}
	return `"` + strings.Join(quoted, `\n`) + `"`
}
