package plan

import (
	"fmt"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

// entrypoint also drops a CMD that it does not belong to: one of the base.
func (e *stageEval) entrypoint(c *instructions.EntrypointCommand) {
	e.checkOnce(&e.lastEntrypoint, c)
	args := e.startCommand(c, c.ShellDependantCmdLine)
	e.out.Image.Config.Entrypoint = args
	if !e.lastCmd.set {
		e.out.Image.Config.Cmd = nil
	}
	e.commit(fmt.Sprintf("ENTRYPOINT %q", args), false)
}
