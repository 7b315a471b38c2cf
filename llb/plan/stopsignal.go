package plan

import (
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/sys/signal"
)

func (e *stageEval) stopSignal(c *instructions.StopSignalCommand) error {
	if _, err := signal.ParseSignal(c.Signal); err != nil {
		return err
	}
	e.out.Image.Config.StopSignal = c.Signal
	e.commit("STOPSIGNAL "+c.Signal, false)
	return nil
}
