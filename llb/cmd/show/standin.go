package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/util/system"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagecraft/stagecraft/llb/resolve"
)

// standIn is the outside world of a build, invented where the command line
// says nothing of it.
type standIn struct {
	*options
	configs map[string][]byte // by complete reference
}

func (s *standIn) Image(_ context.Context, ref string, p ocispecs.Platform, _ string) (resolve.Image, error) {
	config, known := s.configs[normalized(ref)]
	if !known {
		config = invented(p)
	}
	return resolve.Image{Ref: ref, Digest: digest.FromString(ref), Config: config}, nil
}

func normalized(ref string) string {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return ref
	}
	return reference.TagNameOnly(named).String()
}

// invented returns the config of an image that has a layer and a PATH.
func invented(p ocispecs.Platform) []byte {
	var img dockerspec.DockerOCIImage
	img.Platform = p
	img.RootFS = ocispecs.RootFS{Type: "layers", DiffIDs: []digest.Digest{digest.FromString("a layer")}}
	img.Config.Env = []string{"PATH=" + system.DefaultPathEnv(p.OS)}
	data, err := json.Marshal(img)
	if err != nil {
		panic(err) // plain values
	}
	return data
}

func (s *standIn) HasContext(name string, _ *ocispecs.Platform) (bool, error) {
	_, ok := s.named(name)
	return ok, nil
}

func (s *standIn) named(name string) (string, bool) {
	for _, known := range []string{name, strings.TrimPrefix(name, "docker.io/library/"), strings.TrimSuffix(strings.TrimPrefix(name, "docker.io/library/"), ":latest")} {
		if value, ok := s.contexts[known]; ok {
			return value, true
		}
	}
	return "", false
}

func (s *standIn) Context(ctx context.Context, name string, p *ocispecs.Platform) (*resolve.Context, error) {
	value, ok := s.named(name)
	if !ok {
		return nil, fmt.Errorf("there is no context %s", name)
	}
	ref, isImage := strings.CutPrefix(value, "docker-image://")
	if !isImage {
		return &resolve.Context{Open: func(paths []string) llb.State { return *local(name, paths) }}, nil
	}
	if p == nil {
		p = &s.platform
	}
	found, err := s.Image(ctx, normalized(ref), *p, "")
	if err != nil {
		return nil, err
	}
	var img dockerspec.DockerOCIImage
	if err := json.Unmarshal(found.Config, &img); err != nil {
		return nil, fmt.Errorf("the config of %s: %w", ref, err)
	}
	st := llb.Image(normalized(ref), llb.Platform(*p))
	return resolve.NewContext(ctx, &st, &img, nil)
}

// Modified is unknown: nothing is fetched.
func (s *standIn) Modified(context.Context, resolve.EpochSource) (*time.Time, error) {
	return nil, nil
}

// Digest is unknown, too.
func (s *standIn) Digest(context.Context, *resolve.Remote, string) (string, error) {
	return "", nil
}
