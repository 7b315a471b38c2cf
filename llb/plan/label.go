package plan

import "github.com/moby/buildkit/frontend/dockerfile/instructions"

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
