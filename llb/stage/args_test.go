package stage

import (
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

func TestArgValue(t *testing.T) {
	g := &Globals{BuildArgs: map[string]string{"A": "client", "EMPTY": ""}}
	for _, key := range []string{"A", "B", "C", "EMPTY"} {
		g.Env.Set(key, "global")
	}
	def := "default"
	expand := func(word string) (string, error) { return "expanded " + word, nil }
	for _, c := range []struct {
		key    string
		value  *string
		want   string
		origin ArgOrigin
	}{
		{"A", &def, "client", FromClient},
		{"A", nil, "client", FromClient},
		{"EMPTY", &def, "", FromClient},
		{"B", &def, "expanded default", FromDefault},
		{"C", nil, "global", FromGlobal},
		{"D", &def, "expanded default", FromDefault},
		{"D", nil, "", NoValue},
	} {
		got, origin, err := g.ArgValue(instructions.KeyValuePairOptional{Key: c.key, Value: c.value}, expand)
		if got != c.want || origin != c.origin || err != nil {
			t.Errorf("%+v: %q, %d, %v", c, got, origin, err)
		}
	}
}

func TestWithValue(t *testing.T) {
	g := &Globals{BuildArgs: map[string]string{"A": "context"}}
	g.Env.Set("A", "context")
	g.Env.Set("B", "b")
	one := "1"
	with, without := g.WithValue("A", &one), g.WithValue("A", nil)
	if v, _ := with.Env.Get("A"); v != "1" || with.BuildArgs["A"] != "1" {
		t.Errorf("with: %v %v", with.Env.List(), with.BuildArgs)
	}
	if _, ok := without.Env.Get("A"); ok || len(without.BuildArgs) != 0 {
		t.Errorf("without: %v %v", without.Env.List(), without.BuildArgs)
	}
	if v, _ := g.Env.Get("A"); v != "context" || g.BuildArgs["A"] != "context" {
		t.Errorf("the receiver changed: %v %v", g.Env.List(), g.BuildArgs)
	}
	if got := g.WithValue("C", &one); len(got.BuildArgs) != 1 || len(got.Env.Keys()) != 2 {
		t.Errorf("an arg appeared that nobody has: %v %v", got.Env.List(), got.BuildArgs)
	}
}
