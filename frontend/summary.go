package frontend

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"sync"

	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/frontend/outgoing"
	"github.com/stagecraft/stagecraft/frontend/size"
	"github.com/stagecraft/stagecraft/frontend/size/measure"
)

// optionSummary has a build end with a summary: docs/size.md.
const optionSummary = "SUMMARY"

// summary collects what a build says at its end. Nil says nothing.
type summary struct {
	program measure.Program
	// unable is why there can be no summary. The build goes on without.
	unable error

	mu      sync.Mutex
	failed  error // to measure, as unable
	reports []*size.Report
}

func (r *request) newSummary() (*summary, error) {
	text := r.option(optionSummary)
	if text == "" {
		return nil, nil
	}
	wanted, err := strconv.ParseBool(text)
	if err != nil {
		return nil, errors.Errorf("--build-arg STAGECRAFT_%s=%s: write 1 for a summary, or 0 for none", optionSummary, text)
	}
	if !wanted {
		return nil, nil
	}
	s := &summary{}
	s.program, s.unable = r.measuringProgram()
	return s, nil
}

// solve builds a target with its gates. For a summary it is not built lazily: there has to be something to measure.
func (s *summary) solve(ctx context.Context, c *compilation, target *compiled) (client.Reference, error) {
	if s == nil || s.unable != nil {
		return c.solveWithGates(ctx, target)
	}
	ref, gates, err := c.solveNow(ctx, target)
	if err != nil {
		return nil, err
	}
	report, err := c.sizeOf(ctx, s.program, target, gates)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		s.failed = err // what was built is as good as without a summary
		return ref, nil
	}
	s.reports = append(s.reports, report)
	return ref, nil
}

// The keys of a result that clients know: a message after the build, and what --metadata-file has, which is decoded
// from base64.
const (
	metaMessage = "frontend.result.inlinemessage"
	metaSummary = "frontend.stagecraft.summary"
)

// addTo adds the summary to a result. What is built stays as it is.
func (s *summary) addTo(res *client.Result) error {
	if s == nil {
		return nil
	}
	if err := cmp.Or(s.unable, s.failed); err != nil {
		res.AddMeta(metaMessage, []byte("No summary: "+outgoing.Text(err.Error())))
		return nil
	}
	slices.SortFunc(s.reports, func(a, b *size.Report) int { return cmp.Compare(a.Platform, b.Platform) })
	all := size.NewSummary(s.reports)
	data, err := json.Marshal(all)
	if err != nil {
		return err
	}
	res.AddMeta(metaMessage, []byte(outgoing.Text(all.Text())))
	res.AddMeta(metaSummary, []byte(base64.StdEncoding.EncodeToString(outgoing.JSON(data))))
	return nil
}
