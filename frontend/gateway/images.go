package gateway

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/flightcontrol"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
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

// Layers asks the daemon how many layers an image has. The source is an
// operation that fetches it.
func (s *Session) Layers(ctx context.Context, source *pb.SourceOp, platform *pb.Platform) (int, error) {
	scheme, ref, _ := strings.Cut(source.Identifier, "://")
	opt := sourceresolver.Opt{LogName: "[internal] load metadata for " + ref}
	var p *ocispecs.Platform
	if platform != nil {
		spec := platform.Spec()
		p = &spec
	}
	if scheme == "oci-layout" {
		opt.OCILayoutOpt = &sourceresolver.ResolveOCILayoutOpt{Platform: p, Store: sourceresolver.ResolveImageConfigOptStore{
			SessionID: source.Attrs[pb.AttrOCILayoutSessionID],
			StoreID:   source.Attrs[pb.AttrOCILayoutStoreID],
		}}
	} else {
		opt.ImageOpt = &sourceresolver.ResolveImageOpt{Platform: p, ResolveMode: s.UI.ImageResolveMode.String()}
	}
	_, _, dt, err := s.Client.ResolveImageConfig(ctx, ref, opt)
	if err != nil {
		return 0, err
	}
	var config ocispecs.Image
	if err := json.Unmarshal(dt, &config); err != nil {
		return 0, errors.Wrapf(err, "the config of %s", ref)
	}
	return len(config.RootFS.DiffIDs), nil
}
