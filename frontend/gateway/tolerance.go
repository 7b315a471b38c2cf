package gateway

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/crash"
	"github.com/stagecraft/stagecraft/llb/resolve"
)

// patience is how long a drawing waits for an image. A build would wait
// longer: it cannot do without.
const patience = 30 * time.Second

// Tolerant has an empty image in place of one that is out of reach,
// and remembers which these are.
type Tolerant struct {
	resolve.Sources

	mu     sync.Mutex
	failed map[string]string // the reason by sourceKey
}

// Tolerate returns sources that do without what src cannot get.
func Tolerate(src resolve.Sources) *Tolerant {
	return &Tolerant{Sources: src, failed: map[string]string{}}
}

func sourceKey(ref string, p *ocispecs.Platform) string {
	if p == nil {
		return ref
	}
	return ref + " " + platforms.FormatAll(platforms.Normalize(*p))
}

// Unresolved returns why a source could not be had, empty where it could or
// nobody asked.
func (s *Tolerant) Unresolved(ref string, p *ocispecs.Platform) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed[sourceKey(ref, p)]
}

// ask asks for a source and notes why it could not be had. The error is that
// of a question that nobody waits for any more.
func (s *Tolerant) ask(ctx context.Context, ref string, p *ocispecs.Platform, question func(context.Context) error) (answered bool, _ error) {
	if s.Unresolved(ref, p) != "" {
		return false, nil // once is enough to wait
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := question(limited)
	if crashed := new(crash.Error); err == nil || ctx.Err() != nil || errors.As(err, &crashed) {
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

func (s *Tolerant) Image(ctx context.Context, ref string, p ocispecs.Platform, log string) (resolve.Image, error) {
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

func (s *Tolerant) Context(ctx context.Context, name string, p *ocispecs.Platform) (*resolve.Context, error) {
	var c *resolve.Context
	answered, err := s.ask(ctx, name, p, func(ctx context.Context) (err error) {
		c, err = s.Sources.Context(ctx, name, p)
		if err == nil && c == nil {
			err = errors.New("it has no content")
		}
		return err
	})
	if !answered {
		empty := llb.Scratch()
		return resolve.NewContext(ctx, &empty, nil, nil)
	}
	return c, err
}

// Modified has no time for a source that is out of reach: SOURCE_DATE_EPOCH
// changes no edge.
func (s *Tolerant) Modified(ctx context.Context, what resolve.EpochSource) (*time.Time, error) {
	t, err := s.Sources.Modified(ctx, what)
	if err != nil && ctx.Err() == nil {
		return nil, nil
	}
	return t, err
}
