package stage

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// A name means the nearest earlier stage of it, else the nearest later one,
// else the stage itself; and its last stage is the last of the file.
func TestNames(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	names := []string{"", "a", "kilo", "s"}
	asked := []string{"", "A", "a", "b", "Kilo", "\u212ailo", "\u017f"}
	for range 2000 {
		u := &Unit{File: &dockerfile.File{}}
		for range 1 + random.IntN(6) {
			var s dockerfile.Stage
			s.Name = names[random.IntN(len(names))]
			u.File.Stages = append(u.File.Stages, s)
		}
		stages := u.File.Stages
		u.nameStages()
		from := random.IntN(len(stages))
		for _, name := range asked {
			called := func(i int) bool { return name != "" && stages[i].Name == strings.ToLower(name) }
			want := from
			for i := from + 1; want == from && i < len(stages); i++ {
				if called(i) {
					want = i
				}
			}
			above := -1
			for i := range from {
				if called(i) {
					want = i
				}
				if stages[i].Name == name && name != "" {
					above = i
				}
			}
			if got, ok := u.visible(name, from); got != want || ok != called(want) {
				t.Fatalf("%q from %d is %d (%v), want %d (%v): %+v", name, from, got, ok, want, called(want), stages)
			}
			if got, ok := u.earlier(name, from); ok != (above >= 0) || ok && got != above {
				t.Fatalf("%q above %d is %d (%v), want %d: %+v", name, from, got, ok, above, stages)
			}
			last := -1
			for i := range stages {
				if name != "" && strings.EqualFold(stages[i].Name, name) {
					last = i
				}
			}
			if got, ok := u.latest(name); ok != (last >= 0) || ok && got != last {
				t.Fatalf("the last %q is %d, want %d: %+v", name, got, last, stages)
			}
		}
	}
}
