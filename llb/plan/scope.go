package plan

import (
	"path"

	"github.com/moby/buildkit/util/system"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// changeDir is WORKDIR without its directory: dir may be relative to the
// present one.
func (e *stageEval) changeDir(dir string) error {
	os := e.out.Platform.OS
	config := &e.out.Image.Config
	wd, err := system.NormalizeWorkdir(config.WorkingDir, dir, os)
	if err != nil {
		return errors.Wrap(err, "normalizing workdir")
	}
	config.WorkingDir = wd // with the separators of the platform
	e.dir = system.ToSlash(wd, os)
	if !path.IsAbs(e.dir) {
		e.dir = path.Join("/", e.dir)
	}
	return nil
}

// resolveDest returns a destination as an absolute path with slashes.
func (e *stageEval) resolveDest(p string) (string, error) {
	os := e.out.Platform.OS
	p, err := system.CheckSystemDriveAndRemoveDriveLetter(p, os, true)
	if err != nil {
		return "", errors.Wrap(err, "removing drive letter")
	}
	if system.IsAbs(p, os) {
		return system.NormalizePath("/", p, os, true)
	}
	if p == "" || p == "." {
		p = "./" // the directory itself, which may not be the root
	}
	return system.NormalizePath(e.dir, p, os, true)
}

// stageNode returns the evaluated node that an instruction refers to.
func (e *stageEval) stageNode(id stage.ID) *Stage { return e.plan.byID[id] }
