package measure_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	digest "github.com/opencontainers/go-digest"
	"golang.org/x/tools/txtar"

	"github.com/stagecraft/stagecraft/frontend/size/measure"
	"github.com/stagecraft/stagecraft/frontend/size/walk"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/llbtest"
	"github.com/stagecraft/stagecraft/llb/plan"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// Of all Dockerfiles that have a golden case: every step that does something to a filesystem is a layer, in the
// order of the file; the measuring is a definition that the daemon can load; and it contains the operations that
// were solved, so that none runs again.
func TestMeasuresEveryStep(t *testing.T) {
	cases, err := filepath.Glob("../../../llb/testdata/*.txtar")
	if err != nil || len(cases) < 20 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	measured := 0
	for _, path := range cases {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if f.Name != "Dockerfile" {
				continue
			}
			c, err := llbtest.Compile(t.Context(), llbtest.Request{Dockerfile: f.Data})
			if err != nil {
				continue // a case of an error, or one that needs more than its Dockerfile
			}
			measured++
			t.Run(filepath.Base(path), func(t *testing.T) { checkSteps(t, c) })
		}
	}
	if measured < 20 {
		t.Errorf("only %d cases were measured", measured)
	}
}

func checkSteps(t *testing.T, c *compiler.Compiled) {
	solved, err := c.Marshal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const count = 3
	def := define(t, c, solved, count, pb.Caps.CapSet(nil))
	again := define(t, c, solved, count, pb.Caps.CapSet(nil))
	if def.Definition == nil {
		return // nothing but empty filesystems
	}
	if !slices.EqualFunc(def.Def, again.Def, bytes.Equal) {
		t.Error("the definition is another one each time")
	}
	if _, err := llb.NewDefinitionOp(def.Definition); err != nil {
		t.Errorf("the definition cannot be loaded: %v", err)
	}
	for _, s := range c.Plan.Stages {
		if s.Node.Kind != stage.Stage {
			continue
		}
		var want []plan.StepID
		for i := range s.Steps {
			if s.Steps[i].Op != nil {
				want = append(want, plan.StepID{Stage: s.ID, Index: i})
			}
		}
		chain := def.Stages[s.ID]
		if got := chain.Steps[len(chain.Steps)-chain.Own:]; !slices.Equal(got, want) {
			t.Errorf("stage %d has the layers %v, and the steps %v", s.ID, got, want)
		}
	}
	for _, data := range solved.Def[:len(solved.Def)-1] {
		if !slices.ContainsFunc(def.Def, func(d []byte) bool { return bytes.Equal(d, data) }) {
			t.Errorf("an operation that was solved is not in the measuring: %q", data)
		}
	}
}

func define(t *testing.T, c *compiler.Compiled, solved *llb.Definition, count int, caps apicaps.CapSet) *measure.Definition {
	t.Helper()
	images, err := measure.New(t.Context(), c, solved)
	if err != nil {
		t.Fatal(err)
	}
	layers := map[digest.Digest]int{}
	for dgst := range images.List {
		layers[dgst] = count
	}
	program := measure.Program{Image: llb.Image("frontend"), Path: "/bin/frontend", Caps: caps}
	def, err := images.Define(t.Context(), program, layers)
	if err != nil {
		t.Fatal(err)
	}
	return def
}

const severalBases = `FROM alpine AS one
RUN first
FROM alpine AS two
COPY --link --from=one /a /b
COPY --link --from=one /a /b
RUN second
FROM two
COPY a /a
COPY a /b
`

// specs are what the steps of a definition measure, by their names in the progress.
func specs(t *testing.T, def *measure.Definition) map[string]walk.Spec {
	t.Helper()
	found := map[string]walk.Spec{}
	for _, data := range def.Def {
		var op pb.Op
		if err := op.UnmarshalVT(data); err != nil {
			t.Fatal(err)
		}
		exec := op.GetExec()
		if exec == nil || len(exec.Meta.Args) != 3 || exec.Meta.Args[1] != measure.Argument {
			continue
		}
		var s walk.Spec
		if err := json.Unmarshal([]byte(exec.Meta.Args[2]), &s); err != nil {
			t.Fatal(err)
		}
		found[def.Metadata[digest.FromBytes(data).String()].Description["llb.customname"]] = s
		if exec.Network != pb.NetMode_NONE || exec.Security != pb.SecurityMode_SANDBOX || exec.Meta.User != "" {
			t.Errorf("the step asks for more than it needs: %v", exec)
		}
		for _, m := range exec.Mounts[1:] {
			if m.Readonly == (m.Dest == walk.Out) {
				t.Errorf("%s is read-only: %v", m.Dest, m.Readonly)
			}
		}
	}
	return found
}

// A base of several layers is measured once, layer by layer; what --link copies is measured by itself; a stage
// stands on what was measured of its base.
func TestSteps(t *testing.T) {
	c, err := llbtest.Compile(t.Context(), llbtest.Request{Dockerfile: []byte(severalBases)})
	if err != nil {
		t.Fatal(err)
	}
	solved, err := c.Marshal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	def := define(t, c, solved, 3, pb.Caps.CapSet(pb.Caps.All()))
	got, err := json.Marshal(specs(t, def))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"[internal] measuring base of one":{"layers":[{"lower":-1,"upper":0,"unpacked":true},{"lower":0,"upper":1,"unpacked":true},{"lower":1,"upper":2,"unpacked":true}]},` +
		`"[internal] measuring one":{"layers":[{"lower":0,"upper":1}],"below":true},` +
		`"[internal] measuring stage-2":{"layers":[{"lower":0,"upper":1},{"lower":1,"upper":2}],"below":true},` +
		`"[internal] measuring two":{"layers":[{"lower":-1,"upper":0},{"lower":-1,"upper":0},{"lower":1,"upper":2}],"below":true}}`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if chain := def.Stages[2]; len(chain.Steps) != 8 || chain.Own != 2 || chain.Whole || chain.Steps[0] != (plan.StepID{Stage: 0, Index: plan.BaseStep}) {
		t.Errorf("the target is %+v", chain)
	}

	// A daemon that cannot fetch a part of an image shows it as one layer, and the chain says so.
	old := define(t, c, solved, 3, pb.Caps.CapSet(nil))
	if chain := old.Stages[2]; len(chain.Steps) != 6 || !chain.Whole {
		t.Errorf("without parts of images the target is %+v", chain)
	}
}
