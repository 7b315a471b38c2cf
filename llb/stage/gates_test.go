package stage

import (
	"strings"
	"testing"
)

func TestGates(t *testing.T) {
	for _, c := range []struct{ name, target, text, want string }{
		{"of the target", "", "FROM a AS x\nFROM --after=x b\n", "x"},
		{"of what the target needs", "", "FROM a AS x\nFROM --after=x b AS y\nFROM y AS z\nFROM c\nCOPY --from=z / /\n", "x"},
		{"of a gate", "", "FROM a AS x\nFROM --after=x b AS y\nFROM --after=y c\n", "y x"},
		{"each once", "", "FROM a AS x\nFROM --after=x b AS y\nFROM --after=x,y c\n", "x y"},
		{"of another stage", "y", "FROM a AS x\nFROM b AS y\nFROM --after=x c\n", ""},
		{"the target's own base", "", "FROM a AS x\nFROM --after=x x\n", ""},
		{"what the target copies from, and the gate of that", "", "FROM a AS w\nFROM --after=w a AS x\nFROM --after=x b\nCOPY --from=x / /\n", "w"},
	} {
		g, err := build(c.text, c.target)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var names []string
		for _, gate := range g.Gates() {
			names = append(names, g.Node(gate.Stage).Name)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%s: want %q, got %q", c.name, c.want, got)
		}
	}
}
