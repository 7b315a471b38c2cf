package llb_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stagecraft/stagecraft/llb/llbtest"
)

// BenchmarkCompile compiles the corpus with both compilers in one run. An
// iteration is the whole corpus; "ours/upstream" is the ratio of the times.
func BenchmarkCompile(b *testing.B) {
	var files []llbtest.Request
	for _, f := range corpus(b) {
		r := f.With(map[string]string{"platform": "linux/amd64"})
		if _, _, err := llbtest.Time(b.Context(), r); err == nil {
			files = append(files, r)
		}
	}
	b.ReportMetric(float64(len(files)), "files")
	race(b, files)
}

// BenchmarkChain compiles stages that are built on each other, each with a
// variable of its own: upstream reads all variables back for each.
func BenchmarkChain(b *testing.B) {
	for _, stages := range []int{50, 400} {
		b.Run(fmt.Sprint(stages), func(b *testing.B) {
			race(b, []llbtest.Request{chain(stages)})
		})
	}
}

func chain(stages int) llbtest.Request {
	var text strings.Builder
	text.WriteString("FROM alpine AS s0\n")
	for i := 1; i < stages; i++ {
		fmt.Fprintf(&text, "FROM s%d AS s%d\nENV V%d=$V%d-%d\n", i-1, i, i%10, (i+9)%10, i%10)
		if i%20 == 0 { // or the values grow without end
			fmt.Fprintf(&text, "ENV V%d=x\n", i%10)
		}
		text.WriteString("RUN make\n")
	}
	return llbtest.Request{Dockerfile: []byte(text.String()), Opts: map[string]string{"platform": "linux/amd64"}}
}

// BenchmarkVariables is such a chain in which each stage has all variables of
// those before it.
func BenchmarkVariables(b *testing.B) {
	var text strings.Builder
	text.WriteString("FROM alpine AS s0\n")
	for i := 1; i < 800; i++ {
		fmt.Fprintf(&text, "FROM s%d AS s%d\nENV A%d=x\n", i-1, i, i)
	}
	race(b, []llbtest.Request{{Dockerfile: []byte(text.String()), Opts: map[string]string{"platform": "linux/amd64"}}})
}

func race(b *testing.B, requests []llbtest.Request) {
	var upstream, ours time.Duration
	for b.Loop() {
		for _, r := range requests {
			u, o, err := llbtest.Time(b.Context(), r)
			if err != nil {
				b.Fatal(err)
			}
			upstream += u
			ours += o
		}
	}
	b.ReportMetric(float64(ours)/float64(upstream), "ours/upstream")
	b.ReportMetric(float64(ours.Microseconds())/float64(b.N)/1000, "ours-ms/op")
	b.ReportMetric(float64(upstream.Microseconds())/float64(b.N)/1000, "upstream-ms/op")
}

// A chain is the same with both, whatever it costs.
func TestChain(t *testing.T) {
	r := chain(60)
	if diff, _ := compare(t.Context(), r, llbtest.Upstream(t.Context(), r)); diff != "" {
		t.Error(diff)
	}
}
