package resolve

import (
	"context"
	"time"

	"github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// Sources is the outside world of a build.
type Sources interface {
	// Image finds an image in a registry (or the engine's store) and reads
	// its config. log is the name of this step in the progress.
	Image(ctx context.Context, ref string, p ocispecs.Platform, log string) (Image, error)
	// HasContext reports whether the client gave a named context of this
	// name, for the platform or for all; nil is the target platform.
	HasContext(name string, p *ocispecs.Platform) (bool, error)
	// Context opens a named context. It is asked only after HasContext.
	Context(ctx context.Context, name string, p *ocispecs.Platform) (*Context, error)
	// Modified is the time of the last change of a source: the commit time
	// of Git, Last-Modified of HTTP, else the newest file of an archive.
	// Nil without an error: the source has none.
	Modified(ctx context.Context, what EpochSource) (*time.Time, error)
	// Digest returns what a source of ADD has now, in the form of its
	// Checksum: the digest of a file over HTTP, the commit of a Git
	// reference. It fetches no more than it takes to tell. log is the name of
	// this step in the progress. Empty without an error: the engine does not
	// tell.
	Digest(ctx context.Context, what *Remote, log string) (string, error)
}

// Image is an image that was found.
type Image struct {
	// Ref is the reference under which it was found: a source policy may
	// have changed it.
	Ref string
	// Digest of the manifest or index; empty where the engine does not tell.
	Digest digest.Digest
	// Config is the image config as JSON.
	Config []byte
}

// Context is a named context that was opened.
type Context struct {
	// Image is the config where the context is an image, else nil.
	Image *dockerspec.DockerOCIImage
	// Platform is the one that LLB knows the content to have, nil for none.
	Platform *ocispecs.Platform
	// Open returns the content. Of a local folder no more is sent than some
	// paths; no paths is all of it. It is called once, when it is known what
	// is read.
	Open func(paths []string) llb.State
}

// NewContext returns a named context with the content of a state. limit is
// called before the state is marshaled, with the paths to send of a local
// folder; nil for a content that is never sent.
func NewContext(ctx context.Context, st *llb.State, img *dockerspec.DockerOCIImage, limit func(paths []string)) (*Context, error) {
	p, err := st.GetPlatform(ctx)
	if err != nil {
		return nil, err
	}
	return &Context{Image: img, Platform: p, Open: func(paths []string) llb.State {
		if limit != nil {
			limit(paths)
		}
		return *st
	}}, nil
}

// EpochSource is something whose time SOURCE_DATE_EPOCH takes. One field is
// set.
type EpochSource struct {
	MainContext bool
	Context     string  // the name of a named context
	Remote      *Remote // the one source of a stage that adds it
	// Log names the step in the progress.
	Log string
}
