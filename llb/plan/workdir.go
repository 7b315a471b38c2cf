package plan

import (
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/util/system"
)

// workdir changes the directory and makes it, unless it is the root.
func (e *stageEval) workdir(step *Step, c *instructions.WorkdirCommand) error {
	// A relative path is fine once this file has said to what it is relative.
	if !e.workdirSet && !system.IsAbs(c.Path, e.out.Platform.OS) {
		e.lint.Run(&linter.RuleWorkdirRelativePath, c.Location(), linter.RuleWorkdirRelativePath.Format(c.Path))
	}
	e.workdirSet = true
	if err := e.changeDir(c.Path); err != nil {
		return err
	}
	dir := system.ToSlash(e.out.Image.Config.WorkingDir, e.out.Platform.OS)
	if dir != "/" {
		step.Op = &Mkdir{Path: dir, User: e.out.Image.Config.User, Created: e.opt.Epoch}
		step.Progress = e.progress.next(title(e.lex, c.String(), &e.env), &e.out.Platform, &e.env)
	}
	e.commit("WORKDIR "+dir, step.Op != nil)
	return nil
}
