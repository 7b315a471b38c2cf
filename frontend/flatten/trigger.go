package flatten

import (
	"slices"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// isAddition reports whether docker/dockerfile cannot read a trigger at all.
func isAddition(step *stage.Instruction, n *stage.Node) bool {
	switch step.Command.(type) {
	case *dockerfile.UnsetCommand, *dockerfile.FileCommand, *dockerfile.ConfigCommand:
		return true
	}
	return step.Loc.File != n.Loc.File || step.Flags.IfExists || step.Flags.NoCache || step.Flags.KeepRoot || step.Flags.Chown+step.Flags.Chmod != "" ||
		slices.ContainsFunc(step.Refs, func(r stage.Reference) bool { return r.HasVariables() || dockerfile.IsPath(r.Written) })
}

// trigger says why docker/dockerfile would do something else with an
// instruction that a base brought, empty where it would not.
func (f *flattening) trigger(id stage.ID, step *stage.Instruction) string {
	if isAddition(step, f.Graph.Node(id)) {
		return "docker/dockerfile could not read it"
	}
	context := f.contexts[f.Graph.UnitOf(f.Graph.Node(id)).Context]
	switch c := step.Command.(type) {
	case *instructions.AddCommand:
		if context != "" {
			return "it adds files of another build context"
		}
	case *instructions.CopyCommand:
		if c.From == "" && context != "" && len(c.SourcePaths) > 0 {
			return "it copies files of another build context"
		}
		if c.From != "" && !f.triggerMeans(stage.Copy, id, step, 0, c.From) {
			return "--from=" + c.From + " would mean something else"
		}
	case *instructions.RunCommand:
		for i, m := range instructions.GetMounts(c) {
			switch {
			case m.From != "" && !f.triggerMeans(stage.Mount, id, step, i, m.From):
				return "--mount=from=" + m.From + " would mean something else"
			case m.From == "" && m.Type == instructions.MountTypeBind && context != "":
				return "it mounts another build context"
			}
		}
	}
	return ""
}

func (f *flattening) triggerMeans(kind stage.EdgeKind, id stage.ID, step *stage.Instruction, i int, text string) bool {
	if i >= len(step.Refs) {
		return true
	}
	to := step.Refs[i].Node
	return to == id || f.means(stageRef{kind: kind, from: id, to: to, text: text}, text)
}
