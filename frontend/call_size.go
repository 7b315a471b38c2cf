package frontend

import (
	"context"

	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/frontend/answer"
	"github.com/stagecraft/stagecraft/frontend/size"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

const (
	sizeMax    = "SIZE_MAX"
	sizeBefore = "SIZE_BEFORE"
)

// sizeCall builds the target for the first of the platforms, with its gates, and says where its bytes are from.
func sizeCall(ctx context.Context, r *request) (answer.Answer, error) {
	limit, before, err := r.sizeOptions(ctx)
	if err != nil {
		return answer.Answer{}, err
	}
	report, err := r.size(ctx)
	if err != nil {
		return answer.Answer{}, err
	}
	if before != nil {
		report.Compare(before)
	}
	status := answer.None
	if limit != nil {
		status = answer.Judge(report.Judge(*limit))
	}
	a, err := answer.New(report, report.Text())
	a.Status = status
	return a, err
}

// sizeOptions reads the options of --call=size. Nil is for one that is not given.
func (r *request) sizeOptions(ctx context.Context) (limit *int64, before *size.Report, _ error) {
	if text := r.option(sizeMax); text != "" {
		bytes, err := size.ParseLimit(text)
		if err != nil {
			return nil, nil, errors.WithMessagef(err, "--build-arg STAGECRAFT_%s", sizeMax)
		}
		limit = &bytes
	}
	if file := r.option(sizeBefore); file != "" {
		data, err := r.ReadFile(ctx, dockerfile.BesideDockerfile, file)
		if err == nil {
			before, err = size.ReadBefore(data)
		}
		if err != nil {
			return nil, nil, errors.WithMessagef(err, "--build-arg STAGECRAFT_%s=%s", sizeBefore, file)
		}
	}
	return limit, before, nil
}
