package diagram

import (
	"fmt"
	"strings"

	"github.com/stagecraft/stagecraft/frontend/view"
)

// Mermaid returns the graph as a Mermaid flowchart, the text between the fences of
// a ```mermaid block in Markdown. It ends with a newline.
// Syntax: https://mermaid.js.org/syntax/flowchart.html
func (g *Graph) Mermaid() string {
	var b strings.Builder
	for _, line := range g.remarks() {
		// Braces could be a directive.
		b.WriteString("%% " + strings.NewReplacer("{", "(", "}", ")").Replace(line) + "\n")
	}
	b.WriteString("flowchart TD\n")
	used := map[string]bool{}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		open, end := "[", "]"
		if n.Kind != view.KindStage {
			open, end = "([", "])"
		}
		class := classOf(g, n)
		used[class] = true
		fmt.Fprintf(&b, "  %s%s%s%s:::%s\n", n.ID, open, mermaidText(g.label(n)), end, class)
	}
	for _, a := range g.arrows() {
		line, head := "--", "-->"
		switch a.kind {
		case view.Base:
			line, head = "==", "==>"
		case view.Mount:
			line, head = "-.", ".->"
		case view.Add:
			line, head = "--", "-->"
		case view.After:
			line, head = "-.", ".-o"
		case view.Config:
			line, head = "-.", ".-x"
		}
		fmt.Fprintf(&b, "  %s %s %s %s %s\n", a.needs, line, mermaidText(a.label()), head, a.stage)
	}
	for _, class := range mermaidClasses {
		if used[class.name] {
			fmt.Fprintf(&b, "  classDef %s %s\n", class.name, class.look)
		}
	}
	return b.String()
}

// mermaidClasses are looks that can be read on light and dark pages, so
// without colours but for what is missing.
var mermaidClasses = []struct{ name, look string }{
	{"target", "stroke-width:4px"},
	{"stage", "stroke-width:2px"},
	{"spare", "stroke-width:1px,stroke-dasharray:5 4,opacity:0.6"},
	{"image", "stroke-width:1px"},
	{"unresolved", "stroke-width:1px,stroke-dasharray:1 3,stroke:#d33"},
}

func classOf(g *Graph, n *Node) string {
	switch styleOf(g, n) {
	case targetStyle:
		return "target"
	case stageStyle:
		return "stage"
	case spareStyle, spareImageStyle:
		return "spare"
	case imageStyle:
		return "image"
	default:
		return "unresolved"
	}
}

// mermaidText returns a quoted label. What Mermaid would read as markup stands as
// a character code.
func mermaidText(lines []string) string {
	var b strings.Builder
	for i, line := range lines {
		if i > 0 {
			b.WriteString("<br/>")
		}
		for _, r := range line {
			switch r {
			case '"', '#', '<', '>', '&', '`', '\\', '*', '_', '~', '$':
				fmt.Fprintf(&b, "#%d;", r)
			default:
				b.WriteRune(r)
			}
		}
	}
	return `"` + b.String() + `"`
}
