package frontend

import (
	"context"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/lower"
)

// warner shows findings of the build checks while the build runs.
func (r *request) warner(ctx context.Context) linter.LintWarnFunc {
	return func(rule, description, url, msg string, where []parser.Range) {
		line := 0
		if len(where) > 0 {
			line = where[0].Start.Line
		}
		opts := client.WarnOpts{Level: 1, Detail: [][]byte{[]byte(description)}, URL: url}
		if where != nil {
			opts.Range = lower.Ranges(where)
		}
		r.dockerfile.Warn(ctx, linter.LintFormatShort(rule, msg, line), opts)
	}
}

// locate gives an error of the Dockerfile its source, for each location that
// it has: that is where the client's code frames come from.
func (r *request) locate(err error) error {
	var located *parser.LocationError
	if errors.As(err, &located) {
		for _, where := range located.Locations {
			err = withSource(err, r.dockerfile.SourceMap, where)
		}
	}
	return err
}

func withSource(err error, sm *llb.SourceMap, where []parser.Range) error {
	if sm == nil {
		return err
	}
	return errdefs.WithSource(err, &errdefs.Source{
		Info:   sourceInfo(sm),
		Ranges: lower.Ranges(where),
	})
}

func sourceInfo(sm *llb.SourceMap) *pb.SourceInfo {
	return &pb.SourceInfo{
		Data:       sm.Data,
		Filename:   sm.Filename,
		Language:   sm.Language,
		Definition: sm.Definition.ToPB(),
	}
}
