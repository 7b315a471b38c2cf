package plan

import (
	"path"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/moby/buildkit/util/system"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// startFrom begins a stage with the variables and the directory of its image
// config. A PATH is always set; Windows keeps its own.
func (e *stageEval) startFrom() error {
	config := &e.out.Image.Config
	if _, ok := shell.EnvsFromSlice(config.Env).Get("PATH"); !ok && !e.pathUnset && e.out.Platform.OS != "windows" {
		config.Env = append(config.Env, "PATH="+system.DefaultPathEnv(e.out.Platform.OS))
	}
	for _, kv := range config.Env {
		key, value, _ := strings.Cut(kv, "=")
		e.env.Set(key, value)
	}
	e.dir = "/"
	if config.WorkingDir != "" {
		return e.changeDir(config.WorkingDir)
	}
	return nil
}

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

// resolveDest is a destination as an absolute path with slashes.
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

// stageNode is the evaluated node that an instruction refers to.
func (e *stageEval) stageNode(id stage.ID) *Stage { return e.plan.byID[id] }
