package lock

import (
	"context"
	"slices"
	"sync"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/resolve"
)

// Recorder is an outside world that notes which images are looked up. One
// without layers is needed for its config, and no operation fetches it.
type Recorder struct {
	resolve.Sources

	mu    sync.Mutex
	found []Source
}

// Record returns src with a record.
func Record(src resolve.Sources) *Recorder { return &Recorder{Sources: src} }

func (r *Recorder) Image(ctx context.Context, ref string, p ocispecs.Platform, log string) (resolve.Image, error) {
	img, err := r.Sources.Image(ctx, ref, p, log)
	if err != nil {
		return img, err
	}
	dgst := img.Digest.String()
	if named, err := reference.ParseNormalizedNamed(ref); err == nil && dgst == "" {
		if canonical, ok := named.(reference.Canonical); ok {
			dgst = canonical.Digest().String()
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.found = append(r.found, Source{Ref: ref, Digest: dgst, Platforms: []string{platforms.FormatAll(platforms.Normalize(p))}})
	return img, nil
}

// Found returns the images that were looked up, with the places that used has
// of each. A reference of a tag and a digest counts as the tag.
func (r *Recorder) Found(used func(ref string) []string) ([]Source, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := slices.Clone(r.found)
	for i := range list {
		s := &list[i]
		if s.Digest == "" {
			return nil, errors.Errorf("%s: the engine does not tell its digest; an image that was built locally has none until it is pushed", s.Name())
		}
		s.UsedBy = used(s.Ref)
		named, err := reference.ParseNormalizedNamed(s.Ref)
		if err != nil {
			return nil, errors.Wrap(err, s.Ref)
		}
		_, digested := named.(reference.Digested)
		if tagged, ok := named.(reference.Tagged); ok && digested {
			if s.Ref, err = withTag(named, tagged.Tag()); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}
