package size

import (
	"fmt"
	"slices"

	"github.com/containerd/platforms"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagecraft/stagecraft/frontend/size/measure"
	"github.com/stagecraft/stagecraft/frontend/size/walk"
	"github.com/stagecraft/stagecraft/llb/plan"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// Input is what a report is made of.
type Input struct {
	Platform ocispecs.Platform
	Target   Goal
	// Gates are the gates of the target, each compiled alone.
	Gates []Goal
}

// Goal is what was built: the target or a gate.
type Goal struct {
	Plan *plan.Plan
	// Chains and Results are the layers of the stages of the plan. A stage without any is absent.
	Chains  map[stage.ID]measure.Chain
	Results map[stage.ID]*walk.Result
}

// New makes the report.
func New(in Input) *Report {
	b := &builder{Goal: in.Target, report: &Report{
		Version:  SchemaVersion,
		Platform: platforms.FormatAll(platforms.Normalize(in.Platform)),
		Origins:  []Origin{},
		Covered:  Covered{Causes: []Cause{}},
		Largest:  []File{},
		Paths:    []File{},
	}}
	b.report.Target = name(b.Plan.Target().Node)
	b.addOrigins()
	b.addStages(in.Gates)
	b.addUnion()
	b.report.Incomplete = b.incomplete()
	return b.report
}

type builder struct {
	Goal
	report *Report
}

// addOrigins adds what the layers of the target are from, and what they cover.
func (b *builder) addOrigins() {
	chain, result := b.Chains[b.Plan.Graph.Target], b.Results[b.Plan.Graph.Target]
	if result == nil {
		return
	}
	r := b.report
	origins := make([]int, len(chain.Steps)) // by layer
	for i, step := range chain.Steps {
		if i == 0 || step != chain.Steps[i-1] {
			r.Origins = append(r.Origins, b.origin(step))
		}
		origins[i] = len(r.Origins) - 1
		o, l := &r.Origins[origins[i]], result.Layers[i]
		o.Add(l.Amount)
		r.Total.Add(l.Amount)
		r.Covered.Add(l.Covers)
		if l.Covers == (Amount{}) {
			continue
		}
		if last := len(r.Covered.Causes) - 1; i > 0 && step == chain.Steps[i-1] && last >= 0 && r.Covered.Causes[last].is(o) {
			r.Covered.Causes[last].Add(l.Covers)
		} else {
			r.Covered.Causes = append(r.Covered.Causes, Cause{File: o.File, Line: o.Line, Code: o.Code, Amount: l.Covers})
		}
	}
	slices.SortStableFunc(r.Covered.Causes, func(x, y Cause) int { return int(max(-1, min(1, y.Bytes-x.Bytes))) })
	for _, f := range result.Largest {
		r.Largest = append(r.Largest, File{f.Path, f.Bytes, origins[f.Layer]})
	}
	for _, f := range result.Paths {
		r.Paths = append(r.Paths, File{f.Path, f.Bytes, origins[f.Layer]})
	}
	r.PathDepth = result.Depth
}

func (c *Cause) is(o *Origin) bool { return c.File == o.File && c.Line == o.Line && c.Code == o.Code }

// addStages adds the stages, each with what the target or else a gate has of it.
func (b *builder) addStages(gates []Goal) {
	g := b.Plan.Graph
	gateOf := map[stage.ID][]string{}
	for _, gate := range g.Gates() {
		gateOf[gate.Stage] = append(gateOf[gate.Stage], name(g.Node(gate.By)))
	}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if n.Kind != stage.Stage {
			continue
		}
		s := Stage{
			Name:   name(n),
			File:   b.file(n.Loc),
			Line:   n.Loc.Line(),
			Needed: b.Plan.Stage(n.ID) != nil,
			GateOf: gateOf[n.ID],
		}
		if s.Needed {
			s.Amount, s.Own = b.amounts(n.ID)
		}
		for _, gate := range gates {
			if s.Amount == nil {
				s.Amount, s.Own = gate.named(s.Name)
			}
		}
		b.report.Stages = append(b.report.Stages, s)
	}
}

// amounts returns what the layers of a stage carry, and those of its own.
func (g *Goal) amounts(id stage.ID) (all, own *Amount) {
	all, own = &Amount{}, &Amount{}
	if r := g.Results[id]; r != nil {
		for i, l := range r.Layers {
			all.Add(l.Amount)
			if i >= len(r.Layers)-g.Chains[id].Own {
				own.Add(l.Amount)
			}
		}
	}
	return all, own
}

// named returns the amounts of the stage of a name, nil where the goal does not need it.
func (g *Goal) named(label string) (all, own *Amount) {
	for _, s := range g.Plan.Stages {
		if s.Node.Kind == stage.Stage && name(s.Node) == label {
			return g.amounts(s.ID)
		}
	}
	return nil, nil
}

// addUnion adds up what the needed stages carry: each base once, and the own layers of each.
func (b *builder) addUnion() {
	counted := map[stage.ID]bool{} // the stages whose base was
	for _, s := range b.Plan.Stages {
		r, chain := b.Results[s.ID], b.Chains[s.ID]
		if r == nil || s.Node.Kind != stage.Stage {
			continue
		}
		based := map[stage.ID]bool{}
		for i, step := range chain.Steps {
			own := i >= len(chain.Steps)-chain.Own
			if own || step.Index == plan.BaseStep && !counted[step.Stage] {
				b.report.Union.Add(r.Layers[i].Amount)
			}
			if step.Index == plan.BaseStep {
				based[step.Stage] = true
			}
		}
		for id := range based {
			counted[id] = true
		}
	}
}

// incomplete says of which base the daemon did not show all layers.
func (b *builder) incomplete() string {
	chain, result := b.Chains[b.Plan.Graph.Target], b.Results[b.Plan.Graph.Target]
	if result == nil || len(b.report.Origins) == 0 || b.report.Origins[0].Kind != KindBase {
		return ""
	}
	layers := 0
	changes := int64(0)
	for i, step := range chain.Steps {
		if step.Index == plan.BaseStep {
			if layers++; layers > 1 {
				changes += result.Layers[i].Changes
			}
		}
	}
	if chain.Whole || layers > 1 && changes == 0 {
		return fmt.Sprintf("this daemon does not show the layers of %s one by one: what they hide of each other is not counted", b.report.Origins[0].From)
	}
	return ""
}

// name returns a stage as progress names it.
func name(n *stage.Node) string {
	switch {
	case n.Label != "":
		return n.Label
	case n.Name != "":
		return n.Name
	default:
		return fmt.Sprintf("stage-%d", n.ID)
	}
}
