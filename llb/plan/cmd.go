package plan

import (
	"fmt"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
)

func (e *stageEval) cmd(c *instructions.CmdCommand) {
	e.checkOnce(&e.lastCmd, c)
	args := e.startCommand(c, c.ShellDependantCmdLine)
	e.out.Image.Config.Cmd = args
	//lint:ignore SA1019 deprecated in OCI, but Docker's images have it and so must ours
	e.out.Image.Config.ArgsEscaped = true
	e.commit(fmt.Sprintf("CMD %q", args), false)
}

// startCommand returns the argv of CMD and ENTRYPOINT.
func (e *stageEval) startCommand(c instructions.Command, line instructions.ShellDependantCmdLine) []string {
	if !line.PrependShell {
		return line.CmdLine
	}
	if len(e.out.Image.Config.Shell) == 0 {
		e.lint.Run(&linter.RuleJSONArgsRecommended, c.Location(), linter.RuleJSONArgsRecommended.Format(c.Name()))
	}
	return shellForm(&e.out.Image, line.CmdLine)
}
