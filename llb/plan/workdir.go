package plan

import (
	"cmp"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/util/system"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// workdir changes the directory and makes it, unless it is the root.
func (e *stageEval) workdir(step *Step, in *stage.Instruction, c *instructions.WorkdirCommand) error {
	// A relative path is fine once this file has said to what it is relative.
	if !e.workdirSet && !system.IsAbs(c.Path, e.out.Platform.OS) {
		e.lint.Run(&linter.RuleWorkdirRelativePath, c.Location(), linter.RuleWorkdirRelativePath.Format(c.Path))
	}
	e.workdirSet = true
	if err := e.changeDir(c.Path); err != nil {
		return err
	}
	chown, mode, err := e.folderAttributes(in)
	if err != nil {
		return err
	}
	dir := system.ToSlash(e.out.Image.Config.WorkingDir, e.out.Platform.OS)
	if dir != "/" {
		step.Op = &Mkdir{Path: dir, User: cmp.Or(chown, e.out.Image.Config.User), Mode: mode, Created: e.opt.Epoch}
		step.Progress = e.progress.next(title(e.lex, c.String(), &e.env), &e.out.Platform, &e.env)
	}
	e.commit(strings.Join(append(attributeFlags(chown, in.Flags.Chmod, mode), dir), " "), step.Op != nil)
	return nil
}

// defaultFolderMode is that of the folders which WORKDIR makes.
const defaultFolderMode = 0o755

// folderAttributes are WORKDIR --chown, empty for the user of the stage, and
// --chmod.
func (e *stageEval) folderAttributes(in *stage.Instruction) (chown string, mode fs.FileMode, err error) {
	if chown, err = e.word(e.lex, in.Flags.Chown, in); err != nil {
		return "", 0, err
	}
	chmod, err := e.word(e.lex, in.Flags.Chmod, in)
	if err != nil || chmod == "" {
		return chown, defaultFolderMode, err
	}
	n, err := strconv.ParseUint(chmod, 8, 32)
	if err != nil || n > 0o777 {
		// The daemon makes folders with these bits only.
		return "", 0, errors.Errorf("WORKDIR --chmod=%s: the mode of a folder that is made is an octal number up to 777; for other bits write RUN chmod after it", chmod)
	}
	return chown, fs.FileMode(n), nil
}

// attributeFlags returns the words of a WORKDIR before its path, as the history of
// the image has them.
func attributeFlags(chown, chmod string, mode fs.FileMode) []string {
	words := []string{"WORKDIR"}
	if chown != "" {
		words = append(words, "--chown="+chown)
	}
	if chmod != "" {
		words = append(words, fmt.Sprintf("--chmod=%o", mode))
	}
	return words
}
