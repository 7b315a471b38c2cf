package plan

import (
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

func (e *stageEval) setEnv(c *instructions.EnvCommand, code string) {
	for _, kv := range c.Env {
		e.checkLegacyForm(kv, c)
		e.checkSecretName("ENV", kv.Key, c)
	}
	e.setPairs(c.Env, code)
}

// setPairs sets variables for later instructions and in the image config.
func (e *stageEval) setPairs(pairs instructions.KeyValuePairs, code string) {
	history := "ENV"
	config := &e.out.Image.Config
	for _, kv := range pairs {
		e.env.Set(kv.Key, kv.Value)
		e.assign(kv.Key, kv.Value, code, false)
		config.Env = withEnv(config.Env, kv.Key, kv.Value)
		history += " " + kv.String()
	}
	e.commit(history, false)
}

// withEnv sets a variable in the list of an image config, where it stands.
func withEnv(env []string, key, value string) []string {
	i := slices.IndexFunc(env, func(kv string) bool {
		k, _, _ := strings.Cut(kv, "=")
		return shell.EqualEnvKeys(k, key)
	})
	if i < 0 {
		return append(env, key+"="+value)
	}
	env[i] = key + "=" + value
	return env
}
