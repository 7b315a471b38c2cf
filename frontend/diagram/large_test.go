package diagram_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerui"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagecraft/stagecraft/frontend/diagram"
	"github.com/stagecraft/stagecraft/frontend/view"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// shapes are Dockerfiles of some thousand stages.
var shapes = map[string]func(stages int) string{
	// chain: each stage is built from the one before.
	"chain": func(stages int) string {
		var b strings.Builder
		b.WriteString("FROM alpine AS s0\n")
		for i := 1; i < stages; i++ {
			fmt.Fprintf(&b, "FROM s%d AS s%d\nRUN true\n", i-1, i)
		}
		return b.String()
	},
	// copies: the same with COPY --from.
	"copies": func(stages int) string {
		var b strings.Builder
		b.WriteString("FROM alpine AS s0\n")
		for i := 1; i < stages; i++ {
			fmt.Fprintf(&b, "FROM scratch AS s%d\nCOPY --from=s%d /a /a\n", i, i-1)
		}
		return b.String()
	},
	// fan: one stage takes something of each of the others.
	"fan": func(stages int) string {
		var b, last strings.Builder
		last.WriteString("FROM scratch\n")
		for i := range stages - 1 {
			fmt.Fprintf(&b, "FROM alpine AS s%d\nRUN true\n", i)
			fmt.Fprintf(&last, "COPY --from=s%d /a /a\n", i)
		}
		return b.String() + last.String()
	},
	// grid: layers of 70 stages, each of which takes something of three
	// stages of the layer above.
	"grid": func(stages int) string {
		const width = 70
		var b, last strings.Builder
		last.WriteString("FROM scratch\n")
		for layer := range stages / width {
			for i := range width {
				fmt.Fprintf(&b, "FROM alpine AS l%d-%d\n", layer, i)
				for d := range 3 {
					if layer > 0 {
						fmt.Fprintf(&b, "COPY --from=l%d-%d /a /a\n", layer-1, (i+d)%width)
					}
				}
				if layer == stages/width-1 {
					fmt.Fprintf(&last, "COPY --from=l%d-%d /a /a\n", layer, i)
				}
			}
		}
		return b.String() + last.String()
	},
	// comb: a chain with a short branch at each of its stages.
	"comb": func(stages int) string {
		var b strings.Builder
		b.WriteString("FROM alpine AS s0\n")
		for i := 1; i < stages/2; i++ {
			fmt.Fprintf(&b, "FROM alpine AS b%d\nRUN true\nFROM s%d AS s%d\nCOPY --from=b%d /a /a\n", i, i-1, i, i)
		}
		return b.String()
	},
}

func largeGraph(t testing.TB, text string) *diagram.Graph {
	t.Helper()
	files := dockerfile.NewFiles("Dockerfile", []byte(text), nil)
	r, err := compiler.Expanded(t.Context(), compiler.Request{Config: dockerui.Config{}, Files: files, TargetPlatform: &amd64, Sources: images{}})
	if err != nil {
		t.Fatal(err)
	}
	return diagram.New(view.New(r, view.Options{
		Platform:   amd64,
		FileName:   func(id dockerfile.FileID) string { return files.Source(id).Name() },
		Unresolved: func(string, *ocispecs.Platform) string { return "" },
	}))
}

// BenchmarkLarge is --call=graph and its siblings for Dockerfiles of 5,000
// stages.
func BenchmarkLarge(b *testing.B) {
	for name, shape := range shapes {
		text := shape(5000)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				g := largeGraph(b, text)
				data, err := json.Marshal(g)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(len(data)), "json-bytes")
				b.ReportMetric(float64(len(g.Text())+len(g.Mermaid())+len(g.Dot())), "text-bytes")
			}
		})
	}
}

// What a graph costs grows with it, not with its square.
func TestLargeGraphIsLinear(t *testing.T) {
	for _, name := range []string{"chain", "copies", "fan", "grid"} {
		cost := func(stages int) float64 {
			text := shapes[name](stages)
			return testing.AllocsPerRun(1, func() {
				g := largeGraph(t, text)
				if len(g.Nodes) < stages-70 || len(g.Text()+g.Mermaid()+g.Dot()) < 100*stages {
					t.Fatalf("%s has %d nodes", name, len(g.Nodes))
				}
			})
		}
		if small, large := cost(280), cost(2240); large > 10*small {
			t.Errorf("%s: %.0f allocations for 280 stages, %.0f for 8 times as many", name, small, large)
		}
	}
}
