package frontend

import (
	"context"

	"github.com/moby/buildkit/frontend/subrequests/targets"
	"github.com/stagecraft/stagecraft/frontend/answer"
	"github.com/stagecraft/stagecraft/frontend/gateway"
	"github.com/stagecraft/stagecraft/frontend/outgoing"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// targetsCall lists the stages. Nothing is expanded for it, so that it answers
// where a build would lack arguments.
func targetsCall(ctx context.Context, r *request) (answer.Answer, error) {
	c := r.compilation(ctx, gateway.Goal{})
	f, err := dockerfile.List(c.Files)
	if err != nil {
		return answer.Answer{}, c.locate(err)
	}
	sources := newAnswerSources(r)
	list := targets.List{}
	for i, s := range f.Stages {
		list.Targets = append(list.Targets, targets.Target{
			Name:        s.Name,
			Description: s.DocComment,
			Default:     i == len(f.Stages)-1,
			Base:        s.BaseName,
			Platform:    s.Platform,
			Location:    location(sources.in(c, s.Loc)),
		})
	}
	list.Sources = sources.data
	outgoing.Values(&list) // clients print them
	return answer.Of(list.ToResult())
}
