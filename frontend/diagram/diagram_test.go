package diagram_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/frontend/dockerui"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagecraft/stagecraft/frontend/diagram"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/resolve"
)

var amd64 = ocispecs.Platform{OS: "linux", Architecture: "amd64"}

// images has every image. One whose name contains "onbuild" has triggers that
// copy from another image and from a stage called tools.
type images struct{}

func (images) Image(_ context.Context, ref string, p ocispecs.Platform, _ string) (resolve.Image, error) {
	config := `{"os":"linux","architecture":"` + p.Architecture + `","rootfs":{"type":"layers","diff_ids":["` + digest.FromString(ref).String() + `"]}}`
	if strings.Contains(ref, "onbuild") {
		config = `{"config":{"OnBuild":["COPY --from=busybox /bin/wget /bin/","COPY --from=tools /t /t","RUN true"]},` + config[1:]
	}
	return resolve.Image{Ref: ref, Digest: digest.FromString(ref), Config: []byte(config)}, nil
}

func (images) HasContext(string, *ocispecs.Platform) (bool, error) { return false, nil }

func (images) Context(context.Context, string, *ocispecs.Platform) (*resolve.Context, error) {
	return nil, errors.New("there are no named contexts")
}

func (images) Modified(context.Context, resolve.EpochSource) (*time.Time, error) { return nil, nil }

// graphOf is the view of a Dockerfile.
func graphOf(t testing.TB, text, target string) *diagram.Graph {
	t.Helper()
	r, err := compiler.Graph(t.Context(), compiler.Request{
		Config:         dockerui.Config{Target: target},
		Dockerfile:     []byte(text),
		TargetPlatform: &amd64,
		Sources:        images{},
	})
	if err != nil {
		t.Fatal(err)
	}
	return diagram.New(r, diagram.Options{
		Platform: amd64,
		FileName: func(dockerfile.FileID) string { return "Dockerfile" },
		Unresolved: func(ref string, _ *ocispecs.Platform) string {
			if strings.Contains(ref, "missing") {
				return ref + ": not found"
			}
			return ""
		},
	})
}
