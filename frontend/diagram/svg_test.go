package diagram

import (
	"encoding/xml"
	"errors"
	"io"
	"math/rand"
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/frontend/view"
)

// elements reads a picture: how many elements there are of each class, and
// its texts. It fails where the picture is not XML.
func elements(t *testing.T, svg string) (classes map[string]int, texts string) {
	t.Helper()
	classes = map[string]int{}
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return classes, texts
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
		switch token := token.(type) {
		case xml.StartElement:
			for _, a := range token.Attr {
				if a.Name.Local == "class" {
					classes[strings.Fields(a.Value)[0]]++
				}
			}
		case xml.CharData:
			texts += string(token)
		}
	}
}

// A picture has a box for each node, a head for each line that reaches a box,
// and one of each for the legend: the same as the drawing for terminals, which
// TestLinesAreEdges follows.
func TestPicture(t *testing.T) {
	for seed := range int64(60) {
		g := randomGraph(rand.New(rand.NewSource(seed)))
		needed, spare := charts(g)
		ports := 0
		for _, c := range append(needed, spare...) {
			c.draw()
			ports += c.ports()
			for _, b := range c.boxes {
				if b.lid != nil {
					ports++
				}
			}
		}
		styles, kinds := map[*boxStyle]bool{}, map[view.EdgeKind]bool{}
		for i := range g.Nodes {
			styles[styleOf(g, &g.Nodes[i])] = true
		}
		for _, e := range g.Edges {
			if !e.Circular {
				kinds[e.Kind] = true
			}
		}
		classes, texts := elements(t, g.SVG())
		if classes["box"] != len(g.Nodes)+len(styles) || classes["head"] != ports+len(kinds) || classes["ground"] != 1 {
			t.Errorf("seed %d: %d nodes and %d lines are drawn as %v", seed, len(g.Nodes), ports, classes)
		}
		for _, n := range g.Nodes {
			if len(n.Name) < nameColumns && !strings.Contains(texts, n.Name) {
				t.Errorf("seed %d: %s is not in the picture", seed, n.Name)
			}
		}
	}
}

// Names may have what is markup in XML.
func TestPictureEscapes(t *testing.T) {
	g := sketch(t, "a z<a")
	g.Nodes[0].Name = `<b>&"x"`
	if _, texts := elements(t, g.SVG()); !strings.Contains(texts, `<b>&"x"`) {
		t.Errorf("the name is missing in %q", texts)
	}
}
