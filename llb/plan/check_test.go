package plan_test

import (
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/llb/llbtest"
	"github.com/stagecraft/stagecraft/llb/plan"
)

// Each thing that the check looks at is found where it is wrong.
func TestCheck(t *testing.T) {
	const dockerfile = "FROM alpine AS base\nWORKDIR /w\nFROM base\nCOPY --from=base a b /c/\nRUN --mount=type=cache,target=/x true\n"
	step := func(p *plan.Plan, i int) *plan.Step { return &p.Target().Steps[i] }
	for want, spoil := range map[string]func(p *plan.Plan){
		"":                              func(*plan.Plan) {},
		"is planned twice":              func(p *plan.Plan) { p.Stages = append(p.Stages, p.Stages[0]) },
		"before its base":               func(p *plan.Plan) { p.Stages = p.Stages[len(p.Stages)-1:] },
		"needed and not planned":        func(p *plan.Plan) { p.Stages = p.Stages[:1] },
		"1 steps for 2 instructions":    func(p *plan.Plan) { p.Target().Steps = p.Target().Steps[:1] },
		"no location":                   func(p *plan.Plan) { step(p, 0).Loc.Ranges = nil },
		"no progress name":              func(p *plan.Plan) { step(p, 1).Progress = "" },
		"no progress name for the link": func(p *plan.Plan) { step(p, 0).Op.(*plan.Copy).LinkProgress = "" },
		"copies nothing":                func(p *plan.Plan) { step(p, 0).Op.(*plan.Copy).Sources = nil },
		`destination "c" is not`:        func(p *plan.Plan) { step(p, 0).Op.(*plan.Copy).Dest = "c" },
		`working directory "w" is`:      func(p *plan.Plan) { step(p, 1).Op.(*plan.Run).Dir = "w" },
		`mount target "x" is not`:       func(p *plan.Plan) { step(p, 1).Op.(*plan.Run).Mounts[0].Target = "x" },
		"2 steps that change files, 1 in": func(p *plan.Plan) {
			p.Target().Image.History = p.Target().Image.History[:len(p.Target().Image.History)-1]
		},
		"are not sorted":  func(p *plan.Plan) { p.Paths[plan.BuildContext(0)] = []string{"b", "a"} },
		"is not relative": func(p *plan.Plan) { p.Paths[plan.BuildContext(0)] = []string{"/a"} },
	} {
		c, err := llbtest.Compile(t.Context(), llbtest.Request{Dockerfile: []byte(dockerfile)})
		if err != nil {
			t.Fatal(err)
		}
		spoil(c.Plan)
		if err := c.Plan.Check(); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
