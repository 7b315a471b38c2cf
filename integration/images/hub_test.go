package images

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/stagecraft/stagecraft/integration/tools"
)

// Docker Hub is out of reach of some machines that run this, so a registry here takes its place.
func TestPull(t *testing.T) {
	var gets atomic.Int32
	images := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/manifests/") {
			gets.Add(1)
		}
		images.ServeHTTP(w, r)
	}))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")

	index := v1.ImageIndex(empty.Index)
	for _, p := range []v1.Platform{
		{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64", Variant: "v8"},
		{OS: "linux", Architecture: "s390x"}, {OS: "windows", Architecture: "amd64"}, {OS: "unknown", Architecture: "unknown"},
	} {
		image := randomImage(t, p)
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &p}})
	}
	single := randomImage(t, v1.Platform{OS: "linux", Architecture: runtime.GOARCH})
	tag := func(image string) name.Tag {
		ref, err := name.NewTag(host+"/"+image, name.Insecure)
		if err != nil {
			t.Fatal(err)
		}
		return ref
	}
	for _, image := range []string{"library/busybox:latest", "library/node:20"} {
		if err := remote.WriteIndex(tag(image), index); err != nil {
			t.Fatal(err)
		}
	}
	if err := remote.Write(tag("library/old:1"), single); err != nil {
		t.Fatal(err)
	}
	st, err := openStore(t.TempDir(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"library/busybox:latest", "library/node:20", "library/old:1"}
	platforms := map[string][]string{
		"library/busybox:latest": {"linux/amd64", "linux/arm64/v8"},
		"library/node:20":        {"linux/" + runtime.GOARCH},
		"library/old:1":          {"linux/" + runtime.GOARCH},
	}
	if runtime.GOARCH == "arm64" {
		platforms["library/node:20"] = []string{"linux/arm64/v8"}
	}
	for round := range 2 {
		gets.Store(0)
		entries, err := pullAll(t.Context(), st, host, names)
		if err != nil {
			t.Fatal(err)
		}
		if n := gets.Load(); round > 0 && n != 0 {
			t.Errorf("%d manifests pulled again", n)
		}
		for _, e := range entries {
			if err := validate.Index(e.index); err != nil {
				t.Errorf("%s: %v", e.name, err)
			}
			manifest, err := e.index.IndexManifest()
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range manifest.Manifests {
				got = append(got, d.Platform.String())
			}
			if !slices.Equal(got, platforms[e.name]) {
				t.Errorf("%s has %q, want %q", e.name, got, platforms[e.name])
			}
		}
	}
	// From there on they are treated as stand-ins are: a registry serves what was pulled.
	entries, err := pullAll(t.Context(), st, host, names)
	if err != nil {
		t.Fatal(err)
	}
	set := &Set{origin: fromHub, entries: entries}
	if set.StandIns() {
		t.Error("what was pulled counts as stand-ins")
	}
	program, err := tools.Bin(t.Context(), "registry")
	if err != nil {
		t.Fatal(err)
	}
	storage := filepath.Join(t.TempDir(), "storage")
	if err := set.WriteRegistryDir(t.Context(), storage); err != nil {
		t.Fatal(err)
	}
	served := serve(t, program, storage)
	for _, e := range entries {
		checkServed(t, served, e.name, mustDigest(t, e.index))
	}
	if _, err := pullAll(t.Context(), st, host, []string{"library/absent:1"}); err == nil || !strings.Contains(err.Error(), "library/absent:1") {
		t.Errorf("pulling what is not there: %v", err)
	}
}

func randomImage(t *testing.T, p v1.Platform) v1.Image {
	t.Helper()
	image, err := random.Image(1000, 2)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config.OS, config.Architecture, config.Variant = p.OS, p.Architecture, p.Variant
	if image, err = mutate.ConfigFile(image, config); err != nil {
		t.Fatal(err)
	}
	return image
}

func TestOnlyARegistryAnswers(t *testing.T) {
	for _, c := range []struct {
		header string
		status int
		want   bool
	}{
		{"registry/2.0", 401, true}, {"registry/2.0", 200, true}, {"registry/2.0", 503, false},
		{"", 200, false}, {"", 403, false},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if c.header != "" {
				w.Header().Set("Docker-Distribution-Api-Version", c.header)
			}
			w.WriteHeader(c.status)
		}))
		if got := answers(t.Context(), server.URL); got != c.want {
			t.Errorf("%q, status %d: %v, want %v", c.header, c.status, got, c.want)
		}
		server.Close()
		if answers(t.Context(), server.URL) {
			t.Error("a closed port answers")
		}
	}
}
