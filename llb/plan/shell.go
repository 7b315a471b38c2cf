package plan

import (
	"fmt"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

func (e *stageEval) shell(c *instructions.ShellCommand) {
	e.out.Image.Config.Shell = c.Shell
	e.commit(fmt.Sprintf("SHELL %v", c.Shell), false)
}
