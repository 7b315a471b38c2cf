package llb_test

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stagecraft/stagecraft/llb/llbtest"
)

var performance = flag.String("performance", "", "the page to write the measurements into (make bench)")

const (
	tableBegin = "<!-- written by make bench -->\n"
	tableEnd   = "<!-- end of what make bench writes -->\n"
)

// TestPerformance measures both compilers for the tables of
// docs/performance.md. Without -performance everything is measured once and
// small, so that the measuring itself does not rot; no time is asserted.
func TestPerformance(t *testing.T) {
	m := &meter{ctx: t.Context(), rounds: 1, least: time.Nanosecond}
	if *performance != "" {
		m.rounds, m.least = 5, 40*time.Millisecond
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", machine())
	b.WriteString(m.files(t))
	b.WriteString(m.shapes(t, *performance != ""))
	if *performance == "" {
		return
	}
	page, err := os.ReadFile(*performance)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(page), tableBegin)
	_, after, ended := strings.Cut(rest, tableEnd)
	if !found || !ended {
		t.Fatalf("%s lacks %q or %q", *performance, tableBegin, tableEnd)
	}
	if err := os.WriteFile(*performance, []byte(before+tableBegin+"\n"+b.String()+tableEnd+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// machine is where and how busy it was measured.
func machine() string {
	model := "an unknown processor"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, rest, ok := strings.Cut(string(info), "model name"); ok {
			line, _, _ := strings.Cut(rest, "\n")
			model = strings.TrimSpace(strings.TrimLeft(line, "\t :"))
		}
	}
	load := "unknown"
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		load, _, _ = strings.Cut(string(text), " ")
	}
	return fmt.Sprintf("Measured on %s, %d cores, %s, with a load of %s when it began.\n", model, runtime.NumCPU(), runtime.Version(), load)
}

// meter measures compilations.
type meter struct {
	ctx    context.Context
	rounds int           // of which the cheapest counts
	least  time.Duration // what one round takes at least
}

// pair is the cost with both compilers. Upstream's is zero where it was not
// measured.
type pair struct{ upstream, ours llbtest.Cost }

func (p pair) cpu() float64    { return float64(p.ours.CPU) / float64(p.upstream.CPU) }
func (p pair) bytes() float64  { return p.ours.Bytes / p.upstream.Bytes }
func (p pair) allocs() float64 { return p.ours.Allocs / p.upstream.Allocs }

// both measures a request, upstream and ours in turns.
func (m *meter) both(r llbtest.Request) (p pair, err error) {
	for range m.rounds {
		for _, side := range []struct {
			compile llbtest.Compiler
			best    *llbtest.Cost
		}{{llbtest.CompileUpstream, &p.upstream}, {llbtest.CompileOurs, &p.ours}} {
			if err := m.once(side.compile, r, side.best); err != nil {
				return p, err
			}
		}
	}
	return p, nil
}

// alone measures ours only.
func (m *meter) alone(r llbtest.Request) (p pair, err error) {
	for range m.rounds {
		if err := m.once(llbtest.CompileOurs, r, &p.ours); err != nil {
			return p, err
		}
	}
	return p, nil
}

func (m *meter) once(compile llbtest.Compiler, r llbtest.Request, best *llbtest.Cost) error {
	times := 1
	if best.CPU > 0 {
		times = int(m.least/best.CPU) + 1
	}
	runtime.GC()
	c, err := llbtest.Measure(m.ctx, compile, r, times)
	if err != nil {
		return err
	}
	if best.CPU == 0 || c.CPU < best.CPU {
		*best = c
	}
	return nil
}

// files are the tables of real files: the examples, and the corpus.
func (m *meter) files(t *testing.T) string {
	var b strings.Builder
	b.WriteString("| file | CPU time | bytes | allocations |\n|---|---|---|---|\n")
	examples, err := filepath.Glob(filepath.Join("..", "examples", "*", "Dockerfile"))
	if err != nil || len(examples) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, path := range examples {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		p, err := m.both(onLinux(string(text)))
		if err != nil {
			continue // with words of ours: there is nothing to compare with
		}
		fmt.Fprintf(&b, "| `%s` | %.2f | %.2f | %.2f |\n", strings.TrimPrefix(path, "../"), p.cpu(), p.bytes(), p.allocs())
	}
	var all []pair
	for _, f := range corpus(t) {
		if *performance == "" && len(all) == 10 {
			break
		}
		if p, err := m.both(f.With(map[string]string{"platform": "linux/amd64"})); err == nil {
			all = append(all, p)
		}
	}
	if len(all) == 0 {
		t.Fatal("no file of the corpus compiles with both")
	}
	for _, row := range []struct {
		name string
		of   func(sorted []float64) float64
	}{
		{"the median", func(s []float64) float64 { return s[len(s)/2] }},
		{"nine in ten are below", func(s []float64) float64 { return s[len(s)*9/10] }},
		{"the worst", func(s []float64) float64 { return s[len(s)-1] }},
	} {
		fmt.Fprintf(&b, "| corpus of %d files: %s | %.2f | %.2f | %.2f |\n", len(all), row.name,
			row.of(ratios(all, pair.cpu)), row.of(ratios(all, pair.bytes)), row.of(ratios(all, pair.allocs)))
	}
	return b.String()
}

func ratios(all []pair, of func(pair) float64) []float64 {
	var list []float64
	for _, p := range all {
		list = append(list, of(p))
	}
	slices.Sort(list)
	return list
}

func onLinux(text string) llbtest.Request {
	return llbtest.Request{Dockerfile: []byte(text), Opts: map[string]string{"platform": "linux/amd64"}}
}

// shape is a Dockerfile of any size.
type shape struct {
	name  string
	sizes []int
	// limit is up to which size upstream's compiler is measured, which needs
	// minutes for more; 0 where it does not know the words.
	limit int
	make  func(n int) llbtest.Request
}

var performanceShapes = []shape{
	{"stages in a chain", []int{10, 100, 400, 2000}, 400, chain},
	{"stages that one copies from", []int{10, 100, 1000}, 1000, func(n int) llbtest.Request {
		var b, last strings.Builder
		last.WriteString("FROM scratch\n")
		for i := range n {
			fmt.Fprintf(&b, "FROM alpine AS s%d\nRUN make %d\n", i, i)
			fmt.Fprintf(&last, "COPY --from=s%d /a /a%d\n", i, i)
		}
		return onLinux(b.String() + last.String())
	}},
	{"instructions in a stage, every other an ENV", []int{100, 500, 5000}, 500, func(n int) llbtest.Request {
		b := strings.Builder{}
		b.WriteString("FROM alpine\n")
		for i := range n / 2 {
			fmt.Fprintf(&b, "ENV V%d=%d\nRUN make %d\n", i, i, i)
		}
		return onLinux(b.String())
	}},
	{"ARGs", []int{20, 200}, 200, func(n int) llbtest.Request {
		b := strings.Builder{}
		for i := range n {
			fmt.Fprintf(&b, "ARG A%d=%d\n", i, i)
		}
		b.WriteString("FROM alpine\n")
		for i := range n {
			fmt.Fprintf(&b, "ARG A%d\n", i)
		}
		return onLinux(b.String() + "RUN make\n")
	}},
	{"COPY --from one stage", []int{200, 2000}, 2000, func(n int) llbtest.Request {
		b := strings.Builder{}
		b.WriteString("FROM alpine AS a\nRUN make\nFROM scratch\n")
		for i := range n {
			fmt.Fprintf(&b, "COPY --from=a /%d /%d\n", i, i)
		}
		return onLinux(b.String())
	}},
	{"included files", []int{100, 1000}, 0, func(n int) llbtest.Request {
		b := strings.Builder{}
		b.WriteString("FROM alpine\n")
		beside := map[string]string{}
		for i := range n {
			fmt.Fprintf(&b, "INCLUDE ./part%d\n", i)
			beside[fmt.Sprintf("part%d", i)] = fmt.Sprintf("RUN make %d\n", i)
		}
		r := onLinux(b.String())
		r.Beside = beside
		return r
	}},
}

// shapes is the table of made-up files.
func (m *meter) shapes(t *testing.T, large bool) string {
	var b strings.Builder
	b.WriteString("\n| shape | size | CPU time | bytes | allocations | our time | per unit, against the size above |\n|---|---|---|---|---|---|---|\n")
	for _, s := range performanceShapes {
		perUnit := 0.0
		for i, n := range s.sizes {
			if !large && i > 0 {
				break
			}
			measure := m.both
			if n > s.limit {
				measure = m.alone
			}
			p, err := measure(s.make(n))
			if err != nil {
				t.Fatalf("%s, %d: %v", s.name, n, err)
			}
			ratio := "| | | |"
			if n <= s.limit {
				ratio = fmt.Sprintf("| %.3g | %.3g | %.3g |", p.cpu(), p.bytes(), p.allocs())
			}
			growth, now := "", float64(p.ours.CPU)/float64(n)
			if perUnit > 0 {
				growth = fmt.Sprintf("%.2f", now/perUnit)
			}
			perUnit = now
			fmt.Fprintf(&b, "| %s | %d %s %s | %s |\n", cmp.Or(s.name, "-"), n, ratio, p.ours.CPU.Round(10*time.Microsecond), growth)
		}
	}
	return b.String()
}
