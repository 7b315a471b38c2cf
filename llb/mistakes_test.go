package llb_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/stagecraft/stagecraft/llb/llbtest"
)

// mistakes are Dockerfiles with several mistakes of reference. Either compiler
// reports one: of those that an earlier phase finds, the first of the file; of
// images, which docker/dockerfile looks up all at once, the one that it hears
// of first, which is chance, and ours the first of the file.
var mistakes = []struct {
	name, dockerfile string
	opts             map[string]string
	// line is where ours points first, 0 for nowhere.
	line int
	// chance are further lines that docker/dockerfile may point to; 0 where it
	// points nowhere.
	chance []int
}{
	{name: "two missing images", dockerfile: "FROM missing:1 AS a\nFROM missing:2 AS b\nFROM alpine\nCOPY --from=a / /\nCOPY --from=b / /\n",
		line: 1, chance: []int{2}},
	{name: "the missing base and a missing image to copy from", dockerfile: "FROM missing:1\nCOPY --from=missing:2 / /\nRUN --mount=from=missing:3,target=/m x\n",
		line: 1, chance: []int{2, 0}},
	{name: "two malformed references", dockerfile: "FROM Bad:1 AS a\nFROM Bad:2\nCOPY --from=a / /\n",
		line: 1, chance: []int{2}},
	{name: "malformed references that nobody needs", dockerfile: "FROM Bad:1 AS a\nFROM Bad:2 AS b\nFROM alpine\n",
		line: 1, chance: []int{2}},
	{name: "a malformed reference behind a missing image", dockerfile: "FROM missing AS a\nFROM Bad:1 AS b\nFROM alpine\nCOPY --from=a / /\nCOPY --from=b / /\n",
		line: 2, chance: []int{1}},
	{name: "a malformed reference that nobody needs behind a missing image", dockerfile: "FROM missing AS a\nFROM Bad:1 AS b\nFROM a\n",
		line: 2, chance: []int{1}},
	{name: "a missing image that nobody needs", dockerfile: "FROM missing:1 AS a\nFROM missing:2\n", line: 2},
	{name: "a broken image and a missing one", dockerfile: "FROM example.com/broken AS a\nFROM missing\nCOPY --from=a / /\n",
		line: 1, chance: []int{2}},
	{name: "a named context that cannot be, and a missing image", dockerfile: "FROM missing AS a\nFROM alpine\nCOPY --from=a / /\n",
		opts: map[string]string{"context:alpine": "odd"}, line: 1, chance: []int{2}},
	{name: "no base name behind a malformed one", dockerfile: "ARG NONE\nFROM Bad:1 AS a\nFROM $NONE\n", line: 3},
	{name: "two without a base name", dockerfile: "ARG NONE\nFROM $NONE\nFROM ${NONE}\n", line: 2},
	{name: "a malformed platform behind a malformed reference", dockerfile: "FROM Bad:1 AS a\nFROM --platform=a/b/c/d alpine\n", line: 2},
	{name: "an unknown target", dockerfile: "FROM Bad:1 AS a\nFROM missing\nCOPY --from=9 / /\n",
		opts: map[string]string{"target": "nowhere"}, line: 0},
	{name: "two indexes that there are not", dockerfile: "FROM missing\nCOPY --from=9 / /\nCOPY --from=8 / /\n", line: 2, chance: []int{0}},
	{name: "an index that there is not, in a stage that nobody needs", dockerfile: "FROM alpine AS a\nCOPY --from=9 / /\nFROM Bad:1\n", line: 2, chance: []int{0}},
	{name: "a circle and a missing image", dockerfile: "FROM missing AS a\nCOPY --from=b / /\nFROM Bad:1 AS b\nCOPY --from=a / /\nFROM alpine\n", line: 2},
	{name: "a circle behind an index that there is not", dockerfile: "FROM alpine AS a\nCOPY --from=a / /\nCOPY --from=9 / /\n", line: 3, chance: []int{0}},
	{name: "a mistake in an instruction and a missing image", dockerfile: "FROM alpine AS a\nEXPOSE x\nFROM missing\nCOPY --from=a / /\n", line: 3},
	{name: "a mistake in an instruction and a malformed reference that nobody needs", dockerfile: "FROM Bad:1 AS a\nFROM alpine\nEXPOSE x\n", line: 1},
	{name: "two mistakes in instructions", dockerfile: "FROM alpine AS a\nEXPOSE x\nFROM alpine\nEXPOSE y\nCOPY --from=a / /\n", line: 2},
	{name: "mistakes in instructions, the first where nobody needs it", dockerfile: "FROM alpine AS a\nEXPOSE x\nFROM alpine\nEXPOSE y\n", line: 4},
	{name: "mistakes in instructions that run later stages first", dockerfile: "FROM alpine AS a\nFROM alpine AS b\nEXPOSE y\nFROM a\nEXPOSE z\nCOPY --from=b / /\n", line: 3},
	{name: "mistakes in instructions, a later stage by its index", dockerfile: "FROM alpine AS a\nEXPOSE x\nCOPY --from=1 /a /a\nFROM alpine\nEXPOSE y\n", opts: map[string]string{"target": "a"}, line: 2},
	{name: "a trigger with a malformed reference, and a missing image in the first round", dockerfile: "FROM alpine AS base\nONBUILD COPY --from=Bad:1 / /\nFROM base\nCOPY --from=missing / /\n", line: 4},
	{name: "a trigger with a malformed reference, and a mistake in an instruction", dockerfile: "FROM alpine AS base\nONBUILD COPY --from=Bad:1 / /\nFROM base\nEXPOSE x\n", line: 3},
	{name: "triggers with two missing images", dockerfile: "FROM alpine AS base\nONBUILD COPY --from=missing:1 / /\nONBUILD COPY --from=missing:2 / /\nFROM base\n", line: 4},
}

func TestSeveralMistakes(t *testing.T) {
	for _, m := range mistakes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			opts := map[string]string{"platform": "linux/amd64"}
			for k, v := range m.opts {
				opts[k] = v
			}
			r := llbtest.Request{Dockerfile: []byte(m.dockerfile), Opts: opts}
			for _, r := range append([]llbtest.Request{r}, llbtest.Orders(t.Context(), r)...) {
				if r.Order.Wait > 100*time.Millisecond {
					continue // longer waits are for compare, on a busy machine
				}
				if err := llbtest.Ours(t.Context(), r).Err; err == nil || line(err) != m.line {
					t.Fatalf("ours at line %d, want %d: %v", line(err), m.line, err)
				}
				if !llbtest.Oracle {
					continue
				}
				upstream := llbtest.Upstream(t.Context(), r).Err
				if upstream == nil || line(upstream) != m.line && !slices.Contains(m.chance, line(upstream)) {
					t.Errorf("docker/dockerfile at line %d, want %d or %v: %v", line(upstream), m.line, m.chance, upstream)
				}
			}
			// What needs no answer of the daemon, no order of answers puts last: that takes many runs.
			diff := "not compared"
			for tries := 0; diff != "" && tries < 20; tries++ {
				diff, _ = compare(t.Context(), r, llbtest.Upstream(t.Context(), r))
			}
			if diff != "" {
				t.Error(diff)
			}
		})
	}
}

// line is where an error points first, 0 for nowhere.
func line(err error) int {
	var located *parser.LocationError
	if !errors.As(err, &located) || len(located.Locations) == 0 || len(located.Locations[0]) == 0 {
		return 0
	}
	return located.Locations[0][0].Start.Line
}
