package frontend

import (
	"context"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/frontend/outgoing"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/lower"
)

// reporter shows a finding of the build checks.
type reporter func(sm *llb.SourceMap, short, description, url string, where []parser.Range)

// reporter shows findings until ctx is over: that of the whole request, since
// a finding of one platform counts when another has failed already.
func (r *request) reporter(ctx context.Context) reporter {
	return func(sm *llb.SourceMap, short, description, url string, where []parser.Range) {
		opts := client.WarnOpts{
			Level:      1,
			Detail:     [][]byte{[]byte(outgoing.Text(description))},
			URL:        outgoing.Text(url),
			SourceInfo: sourceInfo(sm, where),
		}
		if where != nil {
			opts.Range = lower.Ranges(where)
		}
		r.Dockerfile.Warn(ctx, cut(outgoing.Text(short)), opts)
	}
}

// locate gives an error of a Dockerfile its source, for each location that it
// has: that is where the client's code frames come from. For another file
// than the Dockerfile itself, the text says how the build came there.
func (c *compilation) locate(err error) error {
	var located *parser.LocationError
	if !errors.As(err, &located) {
		return err
	}
	file := dockerfile.FileOf(err)
	err = c.withWay(err)
	for _, where := range located.Locations {
		err = withSource(err, c.sourceMap(file), where)
	}
	return err
}

// withWay puts the way to another file in front of an error that is located
// there.
func (c *compilation) withWay(err error) error {
	var located *parser.LocationError
	if !errors.As(err, &located) || len(located.Locations) == 0 {
		return err
	}
	if way := c.Files.Way(dockerfile.Loc{File: dockerfile.FileOf(err), Ranges: located.Locations[0]}); way != "" {
		return errors.WithMessage(err, way)
	}
	return err
}

func withSource(err error, sm *llb.SourceMap, where []parser.Range) error {
	if sm == nil {
		return err
	}
	return errdefs.WithSource(err, &errdefs.Source{
		Info:   sourceInfo(sm, where),
		Ranges: lower.Ranges(where),
	})
}

// sourceInfo returns a file as clients show some of its lines. In LLB it is as
// it was read; see lower.
func sourceInfo(sm *llb.SourceMap, where []parser.Range) *pb.SourceInfo {
	data := sm.Data
	if len(where) > 0 {
		data = outgoing.Frame(data, where[0].Start.Line, where[len(where)-1].End.Line)
	}
	info := &pb.SourceInfo{Data: outgoing.Data(data), Filename: outgoing.Text(sm.Filename), Language: sm.Language}
	if sm.Definition != nil {
		info.Definition = sm.Definition.ToPB()
	}
	return info
}
