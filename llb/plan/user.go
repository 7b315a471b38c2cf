package plan

import "github.com/moby/buildkit/frontend/dockerfile/instructions"

func (e *stageEval) user(c *instructions.UserCommand) {
	e.out.Image.Config.User = c.User
	e.commit("USER "+c.User, false)
}
