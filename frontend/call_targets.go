package frontend

import (
	"context"

	"github.com/moby/buildkit/frontend/subrequests/targets"
	"github.com/stagecraft/stagecraft/frontend/answer"
	"github.com/stagecraft/stagecraft/frontend/docker"
	"github.com/stagecraft/stagecraft/frontend/gateway"
	"github.com/stagecraft/stagecraft/frontend/outgoing"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// targetsCall lists the stages. Nothing is expanded for it, so that it answers
// where a build would lack arguments.
func targetsCall(ctx context.Context, r *request) (answer.Answer, error) {
	c := r.compilation(ctx, gateway.Goal{})
	f, err := dockerfile.List(c.Files)
	if err != nil {
		return answer.Answer{}, c.locate(err)
	}
	sources := docker.NewSources(r.Dockerfile.Filename, r.Dockerfile.Data)
	list := targets.List{}
	for i, s := range f.Stages {
		list.Targets = append(list.Targets, targets.Target{
			Name:        s.Name,
			Description: s.DocComment,
			Default:     i == len(f.Stages)-1,
			Base:        s.BaseName,
			Platform:    s.Platform,
			Location:    docker.Location(sources.In(c.Files, s.Loc)),
		})
	}
	for _, s := range settingsTargets(ctx, c, f) {
		s.Location = docker.Location(sources.In(c.Files, s.loc))
		list.Targets = append(list.Targets, s.Target)
	}
	list.Sources = sources.Data
	outgoing.Values(&list) // clients print them
	return upstream(list.ToResult())
}

type settingsTarget struct {
	targets.Target
	loc dockerfile.Loc
}

// settingsTargets returns the stages of the Dockerfile with settings of their own,
// such as build(GO=1.25), under the names that --target knows them by. They
// depend on arguments: where these are missing, there are none.
func settingsTargets(ctx context.Context, c *compilation, f *dockerfile.File) []settingsTarget {
	if !f.HasSettings() {
		return nil
	}
	req := c.Request
	req.Target, req.Tolerant = "", true
	g, err := compiler.Stages(ctx, req)
	if err != nil {
		return nil
	}
	var list []settingsTarget
	asked := g.Asked()
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if u := g.UnitOf(n); n.Kind != stage.Stage || u.Settings.Empty() || u.File.ID != 0 || !asked[n.ID] {
			continue
		}
		list = append(list, settingsTarget{targets.Target{
			Name:        n.Label,
			Description: n.From.DocComment,
			Base:        n.From.BaseName,
			Platform:    n.From.Platform,
		}, n.Loc})
	}
	return list
}
