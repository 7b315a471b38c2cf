package plan

import (
	"fmt"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/pkg/errors"
)

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
