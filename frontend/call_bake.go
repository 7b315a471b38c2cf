package frontend

import (
	"bytes"
	"context"
	"strings"

	"github.com/containerd/platforms"
	"github.com/stagecraft/stagecraft/frontend/answer"
	"github.com/stagecraft/stagecraft/frontend/bake"
	"github.com/stagecraft/stagecraft/frontend/gateway"
	compiler "github.com/stagecraft/stagecraft/llb"
)

// bakeCall answers with a docker-bake.json: docs/bake.md.
func bakeCall(ctx context.Context, r *request) (answer.Answer, error) {
	c := r.compilation(ctx, r.goals()[0])
	c.Sources, c.Tolerant = gateway.Tolerate(c.Sources), true
	resolved, err := compiler.Graph(ctx, c.Request)
	if err != nil {
		return answer.Answer{}, c.locate(err)
	}
	in := bake.Input{Graph: resolved.Graph, Dockerfile: r.Dockerfile.Filename, Target: c.Target, Syntax: r.opts[syntaxArg], BuildArgs: map[string]string{}, Contexts: map[string]string{}}
	for _, p := range r.UI.TargetPlatforms {
		in.Platforms = append(in.Platforms, platforms.FormatAll(p))
	}
	for key, value := range r.opts {
		if name, ok := strings.CutPrefix(key, "context:"); ok {
			in.Contexts[name] = value
		}
		if name, ok := strings.CutPrefix(key, "build-arg:"); ok && name != "BUILDKIT_SYNTAX" && !strings.HasPrefix(key, optionPrefix) {
			in.BuildArgs[name] = value
		}
	}
	dt, err := bake.New(in).Bytes()
	return answer.Answer{JSON: bytes.TrimSuffix(dt, []byte("\n")), Text: string(dt), Version: answer.Version}, err
}
