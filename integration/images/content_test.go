package images

import (
	"archive/tar"
	"io"
	"os"
	"runtime"
	"testing"

	"github.com/containerd/containerd/v2/pkg/archive"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// imageFor returns the image of this machine's platform.
func imageFor(t *testing.T, set *Set, ref string) v1.Image {
	t.Helper()
	return variantOf(t, indexOf(t, set, ref), runtime.GOARCH)
}

func indexOf(t *testing.T, set *Set, ref string) v1.ImageIndex {
	t.Helper()
	index, err := set.Index(ref)
	if err != nil {
		t.Fatal(err)
	}
	return index
}

// variantOf returns the image of one architecture.
func variantOf(t *testing.T, index v1.ImageIndex, arch string) v1.Image {
	t.Helper()
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range manifest.Manifests {
		if d.Platform != nil && d.Platform.Architecture == arch {
			image, err := index.Image(d.Digest)
			if err != nil {
				t.Fatal(err)
			}
			return image
		}
	}
	t.Fatalf("no image for %s", arch)
	return nil
}

// rootOf unpacks an image.
func rootOf(t *testing.T, image v1.Image) string {
	t.Helper()
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, l := range layers {
		content := uncompressed(t, l)
		_, err = archive.Apply(t.Context(), root, content)
		content.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// filesOf names all that is in an image's layers, folders with a slash at their end.
func filesOf(t *testing.T, image v1.Image) map[string]bool {
	t.Helper()
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]bool{}
	for _, l := range layers {
		content := uncompressed(t, l)
		for r := tar.NewReader(content); ; {
			header, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			files[header.Name] = true
		}
		content.Close()
	}
	return files
}

func uncompressed(t *testing.T, l v1.Layer) io.ReadCloser {
	t.Helper()
	compressed, err := l.Compressed()
	if err != nil {
		t.Fatal(err)
	}
	content, err := Unzip(compressed)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func mustDigest(t *testing.T, index v1.ImageIndex) v1.Hash {
	t.Helper()
	digest, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest
}
