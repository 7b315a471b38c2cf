package plan

import "github.com/moby/buildkit/frontend/dockerfile/instructions"

func (e *stageEval) maintainer(c *instructions.MaintainerCommand) {
	e.out.Image.Author = c.Maintainer
	e.commit("MAINTAINER "+c.Maintainer, false)
}
