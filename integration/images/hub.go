package images

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/sync/errgroup"

	"github.com/stagecraft/stagecraft/integration/tools"
)

// What Origin says.
const (
	fromHub    = "Docker Hub"
	fromDebian = "stand-ins made from Debian packages"
)

// hub is the registry that real images are pulled from.
const hub = name.DefaultRegistry

// hubURL is asked once whether Docker Hub answers.
const hubURL = "https://registry-1.docker.io/v2/"

// chooseOrigin decides between real images and stand-ins, for the whole program.
func chooseOrigin(ctx context.Context) (string, error) {
	switch choice := os.Getenv("STAGECRAFT_IMAGES"); choice {
	case "":
		if hubAnswers() {
			return fromHub, nil
		}
		return fromDebian, ctx.Err()
	case "hub":
		return fromHub, nil
	case "stand-ins":
		return fromDebian, nil
	default:
		return "", fmt.Errorf(`STAGECRAFT_IMAGES is %q; it can be "hub" or "stand-ins"`, choice)
	}
}

var hubAnswers = sync.OnceValue(func() bool {
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Second)
	defer cancel()
	return answers(ctx, hubURL)
})

// answers tells whether a registry is at url. 401 is the usual answer to one who has not logged in;
// anything else, such as the page of a proxy that lets nobody out, is not a registry.
func answers(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.Header.Get("Docker-Distribution-Api-Version") == "registry/2.0" &&
		(resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusUnauthorized)
}

// pullAll pulls images from the registry at host, as far as the cache lacks what their tags name now.
func pullAll(ctx context.Context, st *store, host string, names []string) ([]entry, error) {
	unlock, err := tools.Lock(ctx, st.path("hub.lock"), "the pulling of base images")
	if err != nil {
		return nil, err
	}
	defer unlock()
	entries := make([]entry, len(names))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(3)
	for i, n := range names {
		group.Go(func() (err error) {
			if entries[i], err = pull(ctx, st, host, n); err != nil {
				err = fmt.Errorf("pulling %s from %s (STAGECRAFT_IMAGES=stand-ins does without it): %w", n, host, err)
			}
			return err
		})
	}
	return entries, group.Wait()
}

func pull(ctx context.Context, st *store, host, imageName string) (entry, error) {
	var opts []name.Option
	if strings.HasPrefix(host, "127.0.0.1:") {
		opts = append(opts, name.Insecure)
	}
	ref, err := name.NewTag(host+"/"+imageName, opts...)
	if err != nil {
		return entry{}, err
	}
	// Docker Hub limits how many manifests one may get, not how often one may ask for a digest.
	head, err := remote.Head(ref, remote.WithContext(ctx))
	if err != nil {
		return entry{}, err
	}
	dir := st.path("hub", fmt.Sprintf("%s-%.16s", fileName(imageName), head.Digest.Hex))
	if _, err := os.Stat(dir + "/index.json"); err == nil {
		return openEntry(imageName, dir)
	}
	st.tell("pulling %s …", imageName)
	got, err := remote.Get(ref.Context().Digest(head.Digest.String()), remote.WithContext(ctx))
	if err != nil {
		return entry{}, err
	}
	index, err := wanted(got, imageName)
	if err != nil {
		return entry{}, err
	}
	if err := st.writeLayout(dir, index); err != nil {
		return entry{}, err
	}
	return openEntry(imageName, dir)
}

// wanted keeps of what a registry has under a name the platforms that tests build for: this machine's,
// and both of linux/amd64 and linux/arm64 of the small images. All of them would be gigabytes.
func wanted(got *remote.Descriptor, imageName string) (v1.ImageIndex, error) {
	if !got.MediaType.IsIndex() {
		image, err := got.Image()
		if err != nil {
			return nil, err
		}
		config, err := image.ConfigFile()
		if err != nil {
			return nil, err
		}
		return mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: config.Platform()},
		}), nil
	}
	index, err := got.ImageIndex()
	if err != nil {
		return nil, err
	}
	archs := map[string]bool{runtime.GOARCH: true}
	switch repository, _, _ := strings.Cut(imageName, ":"); repository {
	case "library/busybox", "library/alpine", "library/debian":
		archs["amd64"], archs["arm64"] = true, true
	}
	kept := mutate.RemoveManifests(index, func(d v1.Descriptor) bool {
		return d.Platform == nil || d.Platform.OS != "linux" || !archs[d.Platform.Architecture]
	})
	manifest, err := kept.IndexManifest()
	if err != nil {
		return nil, err
	}
	if len(manifest.Manifests) == 0 {
		return nil, fmt.Errorf("it has no image for linux/%s", runtime.GOARCH)
	}
	return kept, nil
}
