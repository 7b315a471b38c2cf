package plan

import (
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// unset removes what the base image or an earlier instruction set.
func (e *stageEval) unset(c *dockerfile.UnsetCommand, loc dockerfile.Loc) error {
	before := len(e.out.Unset)
	names, err := e.lex.ProcessWords(c.Names, &e.env)
	if err != nil {
		return err
	}
	if c.Names != "" && len(names) == 0 {
		return errors.Errorf("UNSET %s: %s expands to nothing; * removes all", c.What, c.Names)
	}
	if c.Names == "" {
		e.unsetOne(c)
	} else if err := e.unsetNames(c, names); err != nil {
		return err
	}
	for i := range e.out.Unset[before:] {
		e.out.Unset[before+i].Loc = loc
	}
	history := append([]string{"UNSET", c.What}, names...)
	e.commit(strings.Join(history, " "), false)
	return nil
}

// unsetNames removes entries of a list; "*" stands for all of them.
func (e *stageEval) unsetNames(c *dockerfile.UnsetCommand, names []string) error {
	config := &e.out.Image.Config
	for _, name := range names {
		removed := false
		switch c.What {
		case "ENV":
			removed = e.unsetEnv(name)
		case "LABEL":
			removed = removeKeys(config.Labels, name)
		case "VOLUME":
			removed = removeKeys(config.Volumes, name)
		case "EXPOSE":
			ports := []string{name}
			if name != "*" {
				spec, err := parsePort(name)
				if err != nil {
					return err
				}
				ports = spec.expand()
			}
			for _, port := range ports {
				removed = removeKeys(config.ExposedPorts, port) || removed
			}
		}
		if !removed {
			e.warnNeverSet(c, c.What+" "+name, e.whyNotSet(c.What, name))
		}
		e.out.Unset = append(e.out.Unset, Unset{What: c.What, Name: name})
	}
	return nil
}

// unsetEnv removes a variable from the config and from later instructions.
func (e *stageEval) unsetEnv(name string) bool {
	config := &e.out.Image.Config
	before := len(config.Env)
	config.Env = slices.DeleteFunc(slices.Clone(config.Env), func(kv string) bool {
		key, _, _ := strings.Cut(kv, "=")
		if name != "*" && !shell.EqualEnvKeys(key, name) {
			return false
		}
		e.env.Delete(key)
		e.pathUnset = e.pathUnset || key == "PATH"
		return true
	})
	return len(config.Env) < before
}

func removeKeys[V any](set map[string]V, name string) bool {
	before := len(set)
	if name == "*" {
		clear(set)
	} else {
		delete(set, name)
	}
	return len(set) < before
}

// unsetOne removes what an instruction sets as a whole.
func (e *stageEval) unsetOne(c *dockerfile.UnsetCommand) {
	config := &e.out.Image.Config
	wasSet := true
	switch c.What {
	case "ENTRYPOINT":
		wasSet = len(config.Entrypoint) > 0
		config.Entrypoint = nil
	case "CMD":
		wasSet = len(config.Cmd) > 0
		config.Cmd = nil
		//lint:ignore SA1019 see cmd
		config.ArgsEscaped = false
	case "HEALTHCHECK":
		wasSet = config.Healthcheck != nil
		config.Healthcheck = nil
	case "USER":
		wasSet = config.User != ""
		config.User = ""
	case "WORKDIR":
		wasSet = config.WorkingDir != "" && config.WorkingDir != "/"
		config.WorkingDir, e.dir = "", "/"
	case "STOPSIGNAL":
		wasSet = config.StopSignal != ""
		config.StopSignal = ""
	case "SHELL":
		wasSet = len(config.Shell) > 0
		config.Shell = nil
	case "ONBUILD":
		wasSet = len(config.OnBuild) > 0
		config.OnBuild = nil
	}
	if !wasSet {
		e.warnNeverSet(c, c.What, e.whyNotSet(c.What, ""))
	}
	e.out.Unset = append(e.out.Unset, Unset{What: c.What})
}

// whyNotSet is why there was nothing to remove, in a sentence.
func (e *stageEval) whyNotSet(what, name string) string {
	declares := func(kv instructions.KeyValuePairOptional) bool { return kv.Key == name }
	switch {
	case what == "ENV" && slices.ContainsFunc(e.declared, declares):
		return name + " is an ARG, which no image has"
	case what == "ONBUILD":
		return "no earlier instruction of this stage sets it, and the triggers of the base image fire before"
	default:
		return "neither the base image nor an earlier instruction sets it"
	}
}

// ruleUnsetNeverSet is Stagecraft's own build check.
var ruleUnsetNeverSet = linter.LinterRule[func(string, string) string]{
	Name:        "UnsetNeverSet",
	Description: "UNSET should name something that the base image or an earlier instruction sets",
	Format: func(what, why string) string {
		return "UNSET " + what + " has no effect: " + why
	},
}

func (e *stageEval) warnNeverSet(c *dockerfile.UnsetCommand, what, why string) {
	e.lint.Run(&ruleUnsetNeverSet, c.Location(), ruleUnsetNeverSet.Format(what, why))
}
