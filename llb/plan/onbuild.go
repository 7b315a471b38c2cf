package plan

import "github.com/moby/buildkit/frontend/dockerfile/instructions"

// onbuild stores a trigger as it is written. It is interpreted where it fires:
// stage.Graph.AddTriggers.
func (e *stageEval) onbuild(c *instructions.OnbuildCommand) {
	e.out.Image.Config.OnBuild = append(e.out.Image.Config.OnBuild, c.Expression)
}
