package review

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/plan"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// Subject is what the rules look at.
type Subject struct {
	Input
	Graph *stage.Graph
	// Stages are those of all files, in the order of the graph.
	Stages []*Stage
	// Target is the stage that the build gives.
	Target *Stage

	byID map[stage.ID]*Stage
	text map[dockerfile.FileID][]string
}

// Stage is a FROM and its instructions.
type Stage struct {
	*stage.Node
	Subject *Subject
	Steps   []*Step
	// Planned is the evaluated stage, nil where it could not be evaluated.
	Planned *plan.Stage
	// Needed stages are built for the target or for its gates, and Shipped ones
	// have their layers in its image.
	Needed, Shipped bool

	chain []*Stage
}

// Step is an instruction of a stage.
type Step struct {
	*stage.Instruction
	Stage *Stage
	// Index is the place in Stage.Steps.
	Index int
	// Op is what happens to the filesystem, nil where that is unknown, or
	// nothing.
	Op plan.Op

	script *script
}

func newSubject(in Input) *Subject {
	s := &Subject{Input: in, Graph: in.Plan.Graph, byID: map[stage.ID]*Stage{}, text: map[dockerfile.FileID][]string{}}
	needed := s.Graph.Reach(s.Graph.Target)
	for _, gate := range s.Graph.Gates() {
		maps.Copy(needed, s.Graph.Reach(gate.Stage))
	}
	for i := range s.Graph.Nodes {
		n := &s.Graph.Nodes[i]
		if n.Kind != stage.Stage {
			continue
		}
		st := &Stage{Node: n, Subject: s, Needed: needed[n.ID], Planned: in.Plan.Stage(n.ID)}
		if !n.Replaced { // nothing of it is built
			st.addSteps()
		}
		s.Stages = append(s.Stages, st)
		s.byID[n.ID] = st
	}
	s.Target = s.byID[s.Graph.Target]
	for _, st := range s.Target.Chain() {
		st.Shipped = true
	}
	return s
}

func (st *Stage) addSteps() {
	for i := range st.Node.Steps {
		step := &Step{Instruction: &st.Node.Steps[i], Stage: st, Index: i}
		if st.Planned != nil && i < len(st.Planned.Steps) {
			step.Op = st.Planned.Steps[i].Op
		}
		st.Steps = append(st.Steps, step)
	}
}

// Title returns what messages call the stage.
func (st *Stage) Title() string {
	return cmp.Or(st.Label, st.Name, fmt.Sprintf("stage-%d", st.ID))
}

// BaseStage returns the stage that this one is built from, nil where that is an
// image.
func (st *Stage) BaseStage() *Stage { return st.Subject.byID[st.Base] }

// Chain returns the stages that a stage is built from and itself, the one on an
// image first.
func (st *Stage) Chain() []*Stage {
	if st.chain == nil {
		// A cycle, which only a stage that nobody needs can be in, is cut.
		for at := st; at != nil && len(st.chain) < len(st.Subject.Stages); at = at.BaseStage() {
			st.chain = append(st.chain, at)
		}
		slices.Reverse(st.chain)
	}
	return st.chain
}

// RootImage returns the reference of the image that a stage goes back to, as the
// file has it after expansion; empty where a named context replaces it.
func (st *Stage) RootImage() string {
	root := st.Chain()[0]
	if root.Replaced || root.Open {
		return ""
	}
	return root.Ref
}

// InChain returns the steps that made the filesystem of a stage, its bases' first.
func (st *Stage) InChain() []*Step {
	var all []*Step
	for _, s := range st.Chain() {
		all = append(all, s.Steps...)
	}
	return all
}

// Users returns the stages that need this one, and how.
func (st *Stage) Users() []stage.Edge {
	var edges []stage.Edge
	for _, e := range st.Subject.Graph.Edges {
		if e.To == st.ID && e.From != st.ID {
			edges = append(edges, e)
		}
	}
	return edges
}

// Siblings returns the stages of the same file.
func (st *Stage) Siblings() []*Stage {
	var all []*Stage
	for _, other := range st.Subject.Stages {
		if other.Unit == st.Unit {
			all = append(all, other)
		}
	}
	return all
}

// steps returns the instructions of all stages that somebody wrote: triggers of
// base images are not.
func (s *Subject) steps() []*Step {
	var all []*Step
	for _, st := range s.Stages {
		for _, step := range st.Steps {
			if !step.OnBuild {
				all = append(all, step)
			}
		}
	}
	return all
}

// shipped returns the instructions whose results are in the target's image.
func (s *Subject) shipped() []*Step {
	return slices.DeleteFunc(s.steps(), func(step *Step) bool { return !step.Stage.Shipped })
}

// several reports whether the Dockerfile has several stages.
func (s *Subject) several() bool { return len(s.Stages) > 1 }

// source returns the text of an instruction's lines.
func (step *Step) source() []string {
	first, last := span(step.Loc.Ranges)
	return step.Stage.Subject.lines(step.Loc.File, first, last)
}

// lines returns the lines first to last of a file, none where it has no such lines.
func (s *Subject) lines(file dockerfile.FileID, first, last int) []string {
	all, ok := s.text[file]
	if !ok {
		all = strings.Split(string(s.Files.Source(file).Data), "\n")
		s.text[file] = all
	}
	if first < 1 || first > len(all) {
		return nil
	}
	return all[first-1 : min(last, len(all))]
}

// at returns a finding at an instruction.
func (step *Step) at(message string) Finding {
	return Finding{Message: message, unit: step.Stage.Unit, loc: step.Loc, comments: step.Comments()}
}

// at returns a finding at a FROM.
func (st *Stage) at(message string) Finding {
	return Finding{Message: message, unit: st.Unit, loc: st.Loc, comments: st.From.Comments}
}

// near makes a finding point at the first line of its instruction that has a
// text.
func (f Finding) pointing(text string) Finding {
	f.near = text
	return f
}

// mended adds an edit of the instruction's lines to a finding: old is replaced
// with new, once. A text that is not there makes no edit.
func (f Finding) mended(s *Subject, old, new string) Finding {
	first, last := span(f.loc.Ranges)
	for i, line := range s.lines(f.loc.File, first, last) {
		if strings.Contains(line, old) {
			mended := strings.TrimSuffix(strings.Replace(line, old, new, 1), "\r")
			f.edits = append(f.edits, edit{f.loc.File, first + i, first + i, []string{mended}})
			return f
		}
	}
	return f
}

// mendedAll adds an edit of each line of the instruction that a pattern
// matches.
func (f Finding) mendedAll(s *Subject, old *regexp.Regexp, new string) Finding {
	first, last := span(f.loc.Ranges)
	for i, line := range s.lines(f.loc.File, first, last) {
		if mended := old.ReplaceAllString(line, new); mended != line {
			f.edits = append(f.edits, edit{f.loc.File, first + i, first + i, []string{strings.TrimSuffix(mended, "\r")}})
		}
	}
	return f
}
