package llb_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/moby/buildkit/client/llb"
	digest "github.com/opencontainers/go-digest"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/llbtest"
	"github.com/stagecraft/stagecraft/llb/plan"
	"github.com/stagecraft/stagecraft/llb/stage"
)

const stagesAndSteps = `FROM busybox AS tools
RUN one
FROM busybox AS build
ENV A=b
COPY a.txt /a
RUN --mount=type=bind,source=src,target=/src two
COPY --link --from=tools /bin /bin
FROM busybox AS same
ENV A=b
COPY a.txt /a
FROM build
COPY --from=build /out /out
COPY --from=same /out /out
COPY <<E /e
text
E
`

func compileText(t *testing.T, dockerfile string) *compiler.Compiled {
	t.Helper()
	c, err := llbtest.Compile(t.Context(), llbtest.Request{Dockerfile: []byte(dockerfile)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// marshaled is a state with the same ids for local sources each time.
func marshaled(t *testing.T, st llb.State) *llb.Definition {
	t.Helper()
	def, err := st.Marshal(t.Context(), llb.LocalUniqueID("unique"))
	if err != nil {
		t.Fatal(err)
	}
	return def
}

// The state of a stage ends with its last step that changes files, and the
// target's is the result.
func TestStateOfEveryStage(t *testing.T) {
	c := compileText(t, stagesAndSteps)
	for _, s := range c.Plan.Stages {
		if s.Node.Kind != stage.Stage {
			continue
		}
		st, ok := c.Stage(s.ID)
		if !ok {
			t.Fatalf("no state of stage %d", s.ID)
		}
		got := marshaled(t, st)
		if s == c.Plan.Target() && !slices.EqualFunc(got.Def, marshaled(t, c.State).Def, bytes.Equal) {
			t.Error("the target's state is not the result's")
		}
		checkHead(t, c, got, s)
	}
	for _, id := range []plan.StepID{{Stage: 99}, {Stage: 0, Index: 1}, {Stage: 0, Index: -2}} {
		if _, ok := c.After(id); ok {
			t.Errorf("there is a state after %v", id)
		}
	}
}

// checkHead finds the last operation of a stage among those of its last step
// that changes files.
func checkHead(t *testing.T, c *compiler.Compiled, def *llb.Definition, s *plan.Stage) {
	t.Helper()
	head, err := def.Head()
	if err != nil {
		t.Fatal(err)
	}
	made, err := c.Operations(t.Context(), def)
	if err != nil {
		t.Fatal(err)
	}
	last := plan.StepID{Stage: s.ID, Index: plan.BaseStep}
	for i := range s.Steps {
		if s.Steps[i].Op != nil {
			last.Index = i
		}
	}
	if !slices.Contains(made[head], last) {
		t.Errorf("stage %d ends with %v, not with %v", s.ID, made[head], last)
	}
}

func TestOperationsOfSteps(t *testing.T) {
	c := compileText(t, stagesAndSteps)
	def := marshaled(t, c.State)
	made, err := c.Operations(t.Context(), def)
	if err != nil {
		t.Fatal(err)
	}
	count := map[plan.StepID]int{}
	names := map[string][]plan.StepID{}
	for _, dt := range def.Def {
		dgst := digest.FromBytes(dt)
		for _, id := range made[dgst] {
			count[id]++
		}
		names[def.Metadata[dgst].Description["llb.customname"]] = made[dgst]
	}
	for id, want := range map[plan.StepID]int{
		{Stage: 0, Index: -1}: 1, {Stage: 0, Index: 0}: 1,
		{Stage: 1, Index: 0}:  0, // ENV
		{Stage: 1, Index: 3}:  2, // copy and merge
		{Stage: 3, Index: 2}:  2, // a file and its copy
		{Stage: 3, Index: -1}: 0,
	} {
		if count[id] != want {
			t.Errorf("%v makes %d operations, want %d", id, count[id], want)
		}
	}
	// The same in two stages is one operation.
	both := []plan.StepID{{Stage: 1, Index: 1}, {Stage: 2, Index: 1}}
	if got := names["[same 2/2] COPY a.txt /a"]; !slices.Equal(got, both) {
		if got = names["[build 2/4] COPY a.txt /a"]; !slices.Equal(got, both) {
			t.Errorf("the copy belongs to %v, not to %v: %v", got, both, names)
		}
	}
}

func TestReadsOfSteps(t *testing.T) {
	r := llbtest.Request{
		Dockerfile: []byte("FROM assets AS a\nFROM busybox\n" +
			"COPY a.txt b* /a/\nENV A=b\nRUN --mount=type=bind,source=src,target=/src x\n" +
			"COPY --from=a /x /x\nADD https://example.com/f c /\nCOPY --from=busybox /bin /bin\n"),
		Opts:  map[string]string{"context:assets": "local:assets"},
		Files: map[string]map[string]string{"assets": {"x": "x"}},
	}
	c, err := llbtest.Compile(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	main, named := plan.BuildContext(0), plan.Source{Base: 0}
	want := [][]plan.Read{
		{{From: main, Path: "/a.txt"}, {From: main, Path: "/b*"}},
		nil,
		{{From: main, Path: "/src"}},
		{{From: named, Path: "/x"}},
		{{From: main, Path: "/c"}},
		nil,
	}
	for i, s := range c.Plan.Target().Steps {
		if !slices.Equal(s.Reads, want[i]) {
			t.Errorf("%s reads %v, want %v", s.Code, s.Reads, want[i])
		}
	}
}
