package plan

import (
	"fmt"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	"github.com/moby/sys/signal"
	"github.com/pkg/errors"
)

// The instructions that change the image config and nothing else.

func (e *stageEval) label(c *instructions.LabelCommand) {
	history := "LABEL"
	config := &e.out.Image.Config
	if config.Labels == nil {
		config.Labels = map[string]string{}
	}
	for _, kv := range c.Labels {
		e.checkLegacyForm(kv, c)
		config.Labels[kv.Key] = kv.Value
		history += " " + kv.String()
	}
	e.commit(history, false)
}

func (e *stageEval) maintainer(c *instructions.MaintainerCommand) {
	e.out.Image.Author = c.Maintainer
	e.commit("MAINTAINER "+c.Maintainer, false)
}

func (e *stageEval) user(c *instructions.UserCommand) {
	e.out.Image.Config.User = c.User
	e.commit("USER "+c.User, false)
}

func (e *stageEval) shell(c *instructions.ShellCommand) {
	e.out.Image.Config.Shell = c.Shell
	e.commit(fmt.Sprintf("SHELL %v", c.Shell), false)
}

func (e *stageEval) cmd(c *instructions.CmdCommand) {
	e.checkOnce(&e.lastCmd, c)
	args := e.startCommand(c, c.ShellDependantCmdLine)
	e.out.Image.Config.Cmd = args
	//lint:ignore SA1019 deprecated in OCI, but Docker's images have it and so must ours
	e.out.Image.Config.ArgsEscaped = true
	e.commit(fmt.Sprintf("CMD %q", args), false)
}

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

// startCommand is the argv of CMD and ENTRYPOINT.
func (e *stageEval) startCommand(c instructions.Command, line instructions.ShellDependantCmdLine) []string {
	if !line.PrependShell {
		return line.CmdLine
	}
	if len(e.out.Image.Config.Shell) == 0 {
		e.lint.Run(&linter.RuleJSONArgsRecommended, c.Location(), linter.RuleJSONArgsRecommended.Format(c.Name()))
	}
	return shellForm(&e.out.Image, line.CmdLine)
}

func (e *stageEval) healthcheck(c *instructions.HealthCheckCommand) {
	e.checkOnce(&e.lastHealthcheck, c)
	e.out.Image.Config.Healthcheck = &dockerspec.HealthcheckConfig{
		Test:          c.Health.Test,
		Interval:      c.Health.Interval,
		Timeout:       c.Health.Timeout,
		StartPeriod:   c.Health.StartPeriod,
		StartInterval: c.Health.StartInterval,
		Retries:       c.Health.Retries,
	}
	e.commit(fmt.Sprintf("HEALTHCHECK %+v", *e.out.Image.Config.Healthcheck), false)
}

func (e *stageEval) stopSignal(c *instructions.StopSignalCommand) error {
	if _, err := signal.ParseSignal(c.Signal); err != nil {
		return err
	}
	e.out.Image.Config.StopSignal = c.Signal
	e.commit("STOPSIGNAL "+c.Signal, false)
	return nil
}

func (e *stageEval) volume(c *instructions.VolumeCommand) error {
	config := &e.out.Image.Config
	if config.Volumes == nil {
		config.Volumes = map[string]struct{}{}
	}
	for _, v := range c.Volumes {
		if v == "" { // after expansion
			return errors.New("VOLUME specified can not be an empty string")
		}
		config.Volumes[v] = struct{}{}
	}
	e.commit(fmt.Sprintf("VOLUME %v", c.Volumes), false)
	return nil
}
