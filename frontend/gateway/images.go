package gateway

import (
	"context"
	"encoding/json"

	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/util/flightcontrol"
	digest "github.com/opencontainers/go-digest"
)

// rememberImages is c with a memory for image configs: within a build, an
// image that several stages, platforms or gates name is looked up once. This
// also gives all of them the same digest.
func rememberImages(c client.Client) client.Client {
	m := &imageMemory{Client: c}
	m.lookups.CacheError = true
	return m
}

type imageMemory struct {
	client.Client
	lookups flightcontrol.CachedGroup[imageConfig]
}

type imageConfig struct {
	ref    string
	digest digest.Digest
	config []byte
}

func (m *imageMemory) ResolveImageConfig(ctx context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	key, err := json.Marshal(opt)
	if err != nil {
		return "", "", nil, err
	}
	found, err := m.lookups.Do(ctx, ref+" "+string(key), guarded(func(ctx context.Context) (imageConfig, error) {
		ref, dgst, config, err := m.Client.ResolveImageConfig(ctx, ref, opt)
		return imageConfig{ref, dgst, config}, err
	}))
	return found.ref, found.digest, found.config, err
}
