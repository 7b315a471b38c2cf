package llb_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/llb/llbtest"
)

// variables writes Dockerfiles in which variables are set, changed and unset
// in all ways, and used in references. What follows a reference is a path with
// the same variables, which is expanded as in RUN.
type variables struct {
	*rand.Rand
	closed bool // no base image has a say
	// global are the names of global ARGs: the first stage declares each, for
	// RUN has nothing of one that is not declared.
	global []string
	lines  []string
}

func (g *variables) one(of ...string) string { return of[g.IntN(len(of))] }
func (g *variables) name() string            { return g.one("A", "B", "C") }
func (g *variables) value() string {
	return g.one("1", "2", "3", "", "$"+g.name(), "${"+g.name()+":-2}", `"1"`)
}
func (g *variables) line(format string, args ...any) {
	g.lines = append(g.lines, fmt.Sprintf(format, args...))
}

// expression is part of a reference.
func (g *variables) expression() string {
	n, m, v := g.name(), g.name(), g.one("1", "2", "3")
	return g.one("$"+n, "${"+n+"}", "${"+n+":-"+v+"}", "${"+n+"-"+v+"}", "${"+n+":+"+v+"}", "${"+n+":-$"+m+"}", "${"+n+"+$"+m+"}", "${"+n+":-${"+m+":-1}}")
}

func (g *variables) setting() string {
	switch g.IntN(10) {
	case 0:
		return "ARG " + g.name()
	case 1, 2:
		return fmt.Sprintf("ARG %s=%s", g.name(), g.value())
	case 3:
		return fmt.Sprintf("ARG %s=%s %s", g.name(), g.value(), g.name())
	case 4, 5:
		return fmt.Sprintf("ENV %s=%s", g.name(), g.value())
	case 6:
		return fmt.Sprintf("ENV %s=%s %s=%s", g.name(), g.value(), g.name(), g.value())
	case 7:
		return "ENV --file=./values"
	case 8:
		return "ENV " + g.name() + " " + g.one("1", "2", "3")
	default:
		return "UNSET ENV " + g.one("A", "B", "C", "A B", "*", "$"+g.name()+" C")
	}
}

func (g *variables) stage(n int, base string) {
	g.line("FROM %s AS s%d", base, n)
	if n == 0 && len(g.global) > 0 {
		g.line("ARG %s", strings.Join(g.global, " "))
	}
	for range g.IntN(6) {
		switch g.IntN(6) {
		case 0:
			g.line("ONBUILD %s", g.setting())
		case 1:
			g.line("INCLUDE ./included")
		default:
			g.line("%s", g.setting())
		}
		if g.IntN(2) == 0 {
			continue
		}
		if e := g.expression(); g.IntN(2) == 0 {
			g.line("COPY --from=b-%s-x /b-%s-x /d", e, e)
		} else {
			g.line("RUN --mount=from=b-%s-x,source=/b-%s-x,target=/m true", e, e)
		}
	}
}

func (g *variables) file() string {
	for range g.IntN(3) {
		name := g.name()
		g.global = append(g.global, name)
		g.line("ARG %s", g.one(name, name+"="+g.one("1", "2", "3", "", "$"+g.name())))
	}
	for _, v := range []string{"", "1", "2", "3"} {
		g.line("FROM scratch AS b-%s-x", v)
	}
	base := "scratch"
	if !g.closed {
		base = g.one("alpine", "example.com/setsab", "example.com/obsetsab", "./other#last")
	}
	last := g.IntN(3)
	for i := range last + 1 {
		g.stage(i, base)
		base = fmt.Sprintf("s%d", i)
	}
	return strings.Join(g.lines, "\n") + "\n"
}

var referenceAndPath = regexp.MustCompile(`from=\d+:b-(\S*)-x path=/b-([^ }]*)-x`)

// A variable in a reference means what it means in RUN at the same place, or
// the build stops. On the empty image, where nothing is unknown, it stops only
// for variables without a value.
func TestVariablesMeanTheSame(t *testing.T) {
	compared, stopped := 0, 0
	for seed := range uint64(4000) {
		g := &variables{Rand: rand.New(rand.NewPCG(7, seed)), closed: seed%2 == 0}
		text := g.file()
		opts := map[string]string{"platform": "linux/amd64"}
		if g.IntN(3) == 0 {
			opts["build-arg:"+g.name()] = g.one("1", "2", "3", "")
		}
		other := &variables{Rand: g.Rand}
		included := &variables{Rand: g.Rand}
		included.line("%s", included.setting())
		other.line("ARG %s=%s\nFROM %s AS first\n%s\nFROM first AS last\n%s", g.name(), g.one("1", "2", ""), g.one("alpine", "scratch", "example.com/setsab"), g.setting(), g.setting())
		r := llbtest.Request{Dockerfile: []byte(text), Opts: opts, Beside: map[string]string{
			"included": strings.Join(included.lines, "\n") + "\n",
			"values":   fmt.Sprintf("%s=%s\n%s=%s\n%s\n", g.name(), g.value(), g.name(), g.value(), g.name()),
			"other":    strings.Join(other.lines, "\n") + "\n",
		}}
		for _, f := range llbtest.Show(t.Context(), r) {
			switch f.Name {
			case "plan":
				for _, m := range referenceAndPath.FindAllStringSubmatch(string(f.Data), -1) {
					compared++
					if m[1] != m[2] {
						t.Fatalf("a reference means %q, and RUN %q:\n%s\n%v\n%s", m[1], m[2], text, r.Beside, f.Data)
					}
				}
			case "error":
				stopped++
				if e := string(f.Data); g.closed && !strings.Contains(e, "is not set") {
					t.Fatalf("stopped for no reason: %s\n%s\n%v", e, text, r.Beside)
				}
			}
		}
	}
	if compared < 2000 || stopped < 500 {
		t.Errorf("%d references were compared, and %d files stopped", compared, stopped)
	}
	t.Logf("%d references were compared, and %d files stopped", compared, stopped)
}
