package plan

import (
	"fmt"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
)

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
