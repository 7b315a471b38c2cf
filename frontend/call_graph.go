package frontend

import (
	"context"
	"encoding/json"
	"maps"
	"sync"
	"time"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/frontend/answer"
	"github.com/stagecraft/stagecraft/frontend/diagram"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/resolve"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// The subrequests that draw the stages: docs/graph.md.

// graphCall answers with the graph as JSON and, for people, as draw has it.
func graphCall(draw func(*diagram.Graph) string) func(context.Context, *request) (answer.Answer, error) {
	return func(ctx context.Context, r *request) (answer.Answer, error) {
		g, err := r.graph(ctx)
		if err != nil {
			return answer.Answer{}, err
		}
		return answer.New(g, draw(g))
	}
}

// graph is the view of the stages for the first of the target platforms.
// Findings of the build checks are left to --call=check.
func (r *request) graph(ctx context.Context) (*diagram.Graph, error) {
	var platform *ocispecs.Platform
	if len(r.ui.TargetPlatforms) > 0 {
		platform = &r.ui.TargetPlatforms[0]
	}
	c := r.compilation(ctx, platform)
	src := &tolerantSources{Sources: c.Sources, failed: map[string]string{}}
	c.Sources = src
	resolved, err := compiler.Graph(ctx, c.Request)
	if err != nil {
		return nil, c.locate(err)
	}
	return diagram.New(resolved, diagram.Options{
		Platform:   stage.NewPlatforms(platform, c.BuildPlatforms).Target,
		FileName:   func(id dockerfile.FileID) string { return c.Files.Source(id).Name() },
		Unresolved: func(ref string, p *ocispecs.Platform) string { return src.failures()[sourceKey(ref, p)] },
	}), nil
}

// patience is how long a drawing waits for an image. A build would wait
// longer: it cannot do without.
const patience = 30 * time.Second

// tolerantSources has an empty image in place of one that is out of reach,
// and remembers which these are.
type tolerantSources struct {
	resolve.Sources

	mu     sync.Mutex
	failed map[string]string // the reason by sourceKey
}

func sourceKey(ref string, p *ocispecs.Platform) string {
	if p == nil {
		return ref
	}
	return ref + " " + platforms.FormatAll(platforms.Normalize(*p))
}

// failures are the reasons by sourceKey.
func (s *tolerantSources) failures() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.failed)
}

// ask asks for a source and notes why it could not be had. The error is that
// of a question that nobody waits for any more.
func (s *tolerantSources) ask(ctx context.Context, ref string, p *ocispecs.Platform, question func(context.Context) error) (answered bool, _ error) {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := question(limited)
	if err == nil || ctx.Err() != nil {
		return err == nil, err
	}
	reason := err.Error()
	if limited.Err() != nil {
		reason = "no answer within " + patience.String()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed[sourceKey(ref, p)] = reason
	return false, nil
}

func (s *tolerantSources) Image(ctx context.Context, ref string, p ocispecs.Platform, log string) (resolve.Image, error) {
	var img resolve.Image
	answered, err := s.ask(ctx, ref, &p, func(ctx context.Context) (err error) {
		img, err = s.Sources.Image(ctx, ref, p, log)
		if err == nil && !json.Valid(img.Config) {
			err = errors.New("its config is not JSON")
		}
		return err
	})
	if !answered {
		img = resolve.Image{Ref: ref, Config: []byte("{}")}
	}
	return img, err
}

func (s *tolerantSources) Context(ctx context.Context, name string, p *ocispecs.Platform) (*resolve.Context, error) {
	var c *resolve.Context
	answered, err := s.ask(ctx, name, p, func(ctx context.Context) (err error) {
		c, err = s.Sources.Context(ctx, name, p)
		if err == nil && c == nil {
			err = errors.New("it has no content")
		}
		return err
	})
	if !answered {
		c = &resolve.Context{State: llb.Scratch()}
	}
	return c, err
}

// Modified has no time for a source that is out of reach: SOURCE_DATE_EPOCH
// changes no edge.
func (s *tolerantSources) Modified(ctx context.Context, what resolve.EpochSource) (*time.Time, error) {
	t, err := s.Sources.Modified(ctx, what)
	if err != nil && ctx.Err() == nil {
		return nil, nil
	}
	return t, err
}
