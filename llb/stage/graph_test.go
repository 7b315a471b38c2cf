package stage

import (
	"fmt"
	"strings"
	"testing"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// build makes the graph of a text.
func build(text, target string) (*Graph, error) {
	f, err := dockerfile.Parse(dockerfile.NewFiles("Dockerfile", []byte(text), nil), 0, dockerfile.Options{})
	if err != nil {
		return nil, err
	}
	amd64 := ocispecs.Platform{OS: "linux", Architecture: "amd64"}
	platforms := NewPlatforms(&amd64, nil)
	globals, err := EvaluateGlobals(f, platforms, target, nil)
	if err != nil {
		return nil, err
	}
	b, err := Build(f, globals, Options{Target: target, Platforms: platforms})
	if err != nil {
		return nil, err
	}
	return b.Graph, nil
}

// edges are those of a graph as "from>to kind", in order.
func edges(g *Graph) string {
	var list []string
	for _, e := range g.Edges {
		kind := e.Kind.String()
		if e.Implied {
			kind = "implied"
		}
		list = append(list, fmt.Sprintf("%d>%d %s", e.From, e.To, kind))
	}
	return strings.Join(list, ", ")
}

func TestEdges(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"base", "FROM a AS x\nFROM x\n", "1>0 base"},
		{"the base's name has the case of the file", "FROM a AS x\nFROM X\n", ""},
		{"name, in any case", "FROM a AS x\nFROM b\nCOPY --from=X / /\n", "1>0 copy"},
		{"index", "FROM a\nFROM b\nCOPY --from=0 / /\n", "1>0 copy"},
		{"image", "FROM a\nCOPY --from=b / /\nCOPY --from=b / /\n", "0>1 copy, 0>2 copy"},
		{"index of an image", "FROM a\nCOPY --from=b / /\nCOPY --from=1 / /\n", "0>1 copy, 0>1 copy"},
		{"mount", "FROM a AS x\nFROM b\nRUN --mount=from=x,target=/x true\n", "1>0 mount"},
		{"a mount stands on something", "FROM b\nRUN --mount=target=/x true\n", "0>1 implied"},
		{"nearest earlier name", "FROM a AS x\nFROM b\nCOPY --from=x / /\nFROM c AS x\n", "1>0 copy"},
		{"later name", "FROM a\nCOPY --from=x / /\nFROM c AS x\nFROM c AS x\n", "0>1 copy"},
		{"FROM knows no later name", "FROM x\nFROM a AS x\n", ""},
		{"FROM knows no index", "FROM a\nFROM 0\n", ""},
	} {
		g, err := build(c.text, "")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if got := edges(g); got != c.want {
			t.Errorf("%s: want %q, got %q", c.name, c.want, got)
		}
	}
}

func TestGraphErrors(t *testing.T) {
	for _, c := range []struct{ name, text, target, want string }{
		{"itself", "FROM a AS x\nCOPY --from=x / /\n", "", "line 2)-> x; a stage cannot copy from itself"},
		{"two", "FROM a AS x\nCOPY --from=y / /\nFROM b AS y\nCOPY --from=x / /\n", "", "x -(copy, line 2)-> y -(copy, line 4)-> x;"},
		{"unreachable copies", "FROM a AS x\nCOPY --from=y / /\nFROM b AS y\nCOPY --from=x / /\nFROM c\n", "", "circular dependency"},
		{"unreachable base", "FROM a AS x\nCOPY --from=y / /\nFROM x AS y\nFROM c\n", "", ""},
		{"base", "FROM a AS x\nCOPY --from=y / /\nFROM x AS y\n", "", "x -(copy, line 2)-> y -(base, line 3)-> x"},
		{"target", "FROM a AS build\n", "biuld", `target stage "biuld" could not be found (did you mean build?); there are build`},
		{"target without names", "FROM a\n", "build", `target stage "build" could not be found; no stage has a name: give it one with FROM … AS build`},
		{"target in any case", "FROM a AS build\n", "BUILD", ""},
		{"index", "FROM a\nCOPY --from=1 / /\n", "", "invalid stage index 1"},
		{"negative index", "FROM a\nCOPY --from=-1 / /\n", "", "invalid stage index -1"},
		{"blank base", "FROM $X\n", "", "base name ($X) should not be blank"},
		{"platform", "FROM --platform=a/b/c/d x\n", "", "failed to parse platform a/b/c/d"},
		{"empty platform", "FROM --platform=$TARGTPLATFORM x\n", "", "did you mean TARGETPLATFORM?"},
	} {
		_, err := build(c.text, c.target)
		if got := fmt.Sprint(err); c.want == "" && err != nil || !strings.Contains(got, c.want) {
			t.Errorf("%s: want %q, got %q", c.name, c.want, got)
		}
	}
}

func TestOrder(t *testing.T) {
	g, err := build("FROM a AS app\nCOPY --from=assets / /\nFROM b AS unused\nFROM c AS assets\nFROM app\nCOPY --from=img / /\n", "")
	if err != nil {
		t.Fatal(err)
	}
	reach := g.Reach(g.Target)
	if reach[1] || !reach[2] {
		t.Errorf("reached %v", reach)
	}
	// assets before app, which names it; the image last, in front of the target.
	if got := fmt.Sprint(g.Order(reach)); got != "[2 0 4 3]" {
		t.Errorf("order %s", got)
	}
}

func TestLabels(t *testing.T) {
	g, err := build("FROM a\n", "")
	if err != nil || g.Nodes[0].Label != "" {
		t.Errorf("a lone stage has label %q (%v)", g.Nodes[0].Label, err)
	}
	g, err = build("FROM a\nFROM b AS Two\n", "")
	if err != nil || g.Nodes[0].Label != "stage-0" || g.Nodes[1].Label != "two" {
		t.Errorf("labels %q (%v)", g.Labels(), err)
	}
}

func TestGlobals(t *testing.T) {
	f, err := dockerfile.Parse(dockerfile.NewFiles("Dockerfile", []byte("ARG A=1\nARG B=$A-$TARGETARCH\nARG A=${A}2 C\nFROM x\n"), nil), 0, dockerfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	arm := ocispecs.Platform{OS: "linux", Architecture: "arm64"}
	g, err := EvaluateGlobals(f, NewPlatforms(&arm, nil), "", map[string]string{"C": "given", "TARGETARCH": "own"})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"A": "12", "B": "1-own", "C": "given", "TARGETPLATFORM": "linux/arm64", "TARGETSTAGE": "default"} {
		if got, _ := g.Env.Get(key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if got, _ := g.Defaults.Get("B"); got != "1-own" {
		t.Errorf("with platform arguments only B is %q", got)
	}
}

func TestPlatforms(t *testing.T) {
	amd64 := ocispecs.Platform{OS: "linux", Architecture: "amd64"}
	arm64 := ocispecs.Platform{OS: "linux", Architecture: "arm64"}
	if p := NewPlatforms(nil, []ocispecs.Platform{arm64}); !p.Implicit || p.Target.Architecture != "arm64" {
		t.Errorf("without a target: %+v", p)
	}
	if p := NewPlatforms(&arm64, []ocispecs.Platform{amd64}); p.Implicit || p.Build[0].Architecture != "amd64" {
		t.Errorf("with both: %+v", p)
	}
	if p := NewPlatforms(&arm64, nil); p.Build[0].Architecture != "arm64" {
		t.Errorf("without a build platform: %+v", p)
	}
}

// The order of Env is that of the last assignment; a copy stays as it is.
func TestEnv(t *testing.T) {
	var e Env
	e.Set("A", "1")
	e.Set("B", "2")
	before := e.Clone()
	keys := e.Keys()
	e.Set("A", "3")
	e.Delete("B")
	e.Delete("nothing")
	if got := fmt.Sprint(e.List()); got != "[{A 3}]" {
		t.Errorf("env %s", got)
	}
	if got := fmt.Sprint(before.List(), keys); got != "[{A 1} {B 2}] [A B]" {
		t.Errorf("what was handed out became %s", got)
	}
}

// SetAll is Set many times over.
func TestEnvSetAll(t *testing.T) {
	vars := []Var{{"C", "1"}, {"A", "2"}, {"D", "3"}, {"A", "4"}}
	var one, all Env
	for _, e := range []*Env{&one, &all} {
		e.Set("A", "0")
		e.Set("B", "0")
	}
	for _, v := range vars {
		one.Set(v.Key, v.Value)
	}
	all.SetAll(vars)
	if got, want := fmt.Sprint(all.List(), all.Keys()), fmt.Sprint(one.List(), one.Keys()); got != want {
		t.Errorf("%s, one by one %s", got, want)
	}
	all.SetAll(nil)
	var empty Env
	empty.SetAll([]Var{{"A", "1"}})
	if v, ok := empty.Get("A"); !ok || v != "1" {
		t.Errorf("A is %q (%v)", v, ok)
	}
}
