package sandbox

import (
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// pushScanner makes a generator of SBOMs that stands in for BuildKit's own, which only Docker Hub has. It writes
// what the protocol asks for (docs/attestations/sbom-protocol.md of BuildKit), without looking at any file.
func pushScanner(t *testing.T, s *Sandbox) string {
	t.Helper()
	dir := t.TempDir()
	if err := writeFiles(dir, map[string]string{
		"Dockerfile": "FROM busybox\nCOPY scan /\nENTRYPOINT [\"sh\", \"/scan\"]\n",
		"scan": `echo '{"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://spdx.dev/Document",` +
			` "predicate": {"name": "stand-in"}}' > $BUILDKIT_SCAN_DESTINATION/sbom.spdx.json` + "\n",
	}); err != nil {
		t.Fatal(err)
	}
	ref := s.Registry + "/scanner:1"
	if out, err := s.DockerBuildx("build", "--provenance=false", "--output=type=image,push=true,name="+ref, dir).CombinedOutput(); err != nil {
		t.Fatalf("making the scanner: %v\n%s", err, out)
	}
	return ref
}

// release is what the registry has under the tags of a release.
type release struct {
	index        v1.IndexManifest
	images       []string // digest of each platform's image, sorted
	predicates   map[string][]string
	tags         map[string]string // digest by tag
	descriptions map[string]v1.Config
}

func pulledRelease(t *testing.T, s *Sandbox) *release {
	t.Helper()
	r := &release{predicates: map[string][]string{}, tags: map[string]string{}, descriptions: map[string]v1.Config{}}
	repository, err := name.NewRepository(s.Registry+"/release", name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range []string{"1", "1.2", "1.2.3"} {
		found, err := remote.Head(repository.Tag(tag))
		if err != nil {
			t.Fatal(err)
		}
		r.tags[tag] = found.Digest.String()
	}
	index, err := remote.Index(repository.Tag("1.2.3"))
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	r.index = *manifest
	for _, d := range manifest.Manifests {
		image, err := index.Image(d.Digest)
		if err != nil {
			t.Fatal(err)
		}
		subject := d.Annotations["vnd.docker.reference.digest"]
		if subject == "" {
			r.images = append(r.images, d.Platform.String()+" "+d.Digest.String())
			r.descriptions[d.Platform.String()] = imageConfig(t, image)
			continue
		}
		layers, err := image.Layers()
		if err != nil {
			t.Fatal(err)
		}
		for _, layer := range layers {
			r.predicates[subject] = append(r.predicates[subject], predicateOf(t, layer, subject))
		}
	}
	slices.Sort(r.images)
	return r
}

// predicateOf returns the type of an attestation, whose subject has to be the image with the given digest.
func predicateOf(t *testing.T, layer v1.Layer, subject string) string {
	t.Helper()
	content, err := layer.Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	text, err := io.ReadAll(content)
	if err != nil {
		t.Fatal(err)
	}
	var statement struct {
		PredicateType string
		Subject       []struct{ Digest map[string]string }
	}
	if err := json.Unmarshal(text, &statement); err != nil {
		t.Fatal(err)
	}
	if len(statement.Subject) == 0 {
		t.Errorf("a statement of type %s has no subject", statement.PredicateType)
	}
	for _, s := range statement.Subject {
		if "sha256:"+s.Digest["sha256"] != subject {
			t.Errorf("the subject of %s is %v, not %s", statement.PredicateType, s.Digest, subject)
		}
	}
	return statement.PredicateType
}

// check looks at all that a release promises.
func (r *release) check(t *testing.T) {
	t.Helper()
	if r.tags["1"] != r.tags["1.2"] || r.tags["1"] != r.tags["1.2.3"] {
		t.Errorf("the tags have the digests %v", r.tags)
	}
	if len(r.images) != 2 || !strings.HasPrefix(r.images[0], "linux/amd64 ") || !strings.HasPrefix(r.images[1], "linux/arm64 ") {
		t.Errorf("the images are %v", r.images)
	}
	if got := r.index.Annotations["org.opencontainers.image.version"]; got != "1.2.3" {
		t.Errorf("the index's version is %q", got)
	}
	for _, image := range r.images {
		platform, digest, _ := strings.Cut(image, " ")
		kinds := r.predicates[digest]
		for _, kind := range []string{"https://spdx.dev/Document", "https://slsa.dev/provenance/"} {
			if !slices.ContainsFunc(kinds, func(k string) bool { return strings.HasPrefix(k, kind) }) {
				t.Errorf("%s has attestations of the types %v, none of %s", platform, kinds, kind)
			}
		}
		config := r.descriptions[platform]
		if config.Labels["org.opencontainers.image.version"] != "1.2.3" || config.Labels["org.opencontainers.image.revision"] == "" ||
			config.Labels["moby.buildkit.frontend.caps"] == "" {
			t.Errorf("%s has the labels %v", platform, config.Labels)
		}
	}
}
