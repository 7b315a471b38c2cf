// Package diagram draws the stages of a Dockerfile.
//
// [New] adds to a view of the stages (package view) what a picture shows of it:
// layers, what runs in parallel, the longest chain. The [Graph] is of plain
// values, and also the JSON that programs read (docs/graph.md). It is found in
// time that grows with the number of nodes and edges (analysis.go,
// parallel.go): a Dockerfile can have thousands of stages. Four renderers are
// functions of it and of nothing else:
//
//	Text      boxes and lines of at most 100 columns, and a table (text.go)
//	Mermaid   a flowchart for Markdown documents (mermaid.go)
//	Dot       a digraph for Graphviz (dot.go)
//	SVG       the drawing of Text as a picture (svg.go)
//
// The drawing in Text is made in the steps of every layered layout, each in a
// file of its own:
//
//	chart.go   nodes become boxes; all edges that leave a node, one net
//	rows.go    layers are broken into rows that fit the width
//	order.go   the order inside a row, such that few lines cross
//	place.go   columns for boxes, passing lines and ports
//	route.go   tracks for the horizontal parts between two rows
//	canvas.go  characters
//
// In the drawing a line belongs to what it comes from. It branches to every
// stage that needs that, and two lines never share a character: where they
// cross, the vertical one is in front. What a line would need too much room
// for is listed inside the box of the stage instead, by name.
package diagram
