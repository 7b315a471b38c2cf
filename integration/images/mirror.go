package images

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// WriteRegistryDir puts all images into the storage folder of a registry (the "rootdirectory" of
// distribution's filesystem driver), as if they had been pushed to it. Blobs are linked, not copied,
// where the folder is on the cache's file system, so that takes milliseconds where a push takes seconds.
// The layout is that of github.com/distribution/distribution/v3/registry/storage (paths.go).
func (s *Set) WriteRegistryDir(ctx context.Context, root string) error {
	for _, e := range s.entries {
		raw, err := e.index.RawManifest()
		if err != nil {
			return err
		}
		index, err := e.index.Digest()
		if err != nil {
			return err
		}
		r := repository{root: root, layout: e.layout}
		var tag string
		r.name, tag, _ = strings.Cut(e.name, ":")
		if err := r.putBytes(index, raw); err != nil {
			return err
		}
		manifest, err := e.index.IndexManifest()
		if err != nil {
			return err
		}
		for _, d := range manifest.Manifests {
			if err := r.putImage(ctx, e.index, d.Digest); err != nil {
				return fmt.Errorf("%s: %w", e.name, err)
			}
		}
		if err := r.tag(tag, index); err != nil {
			return err
		}
	}
	return nil
}

// WriteMirrorDir prepares a folder for BUILDKIT_REGISTRY_MIRROR_DIR, from which the tests of upstream's
// module (util/testutil/integration) take images instead of pulling them. As their own copying does,
// it stores of each image the manifest of this machine's platform, not the index.
func (s *Set) WriteMirrorDir(ctx context.Context, dir string) error {
	for _, e := range s.entries {
		manifest, err := e.index.IndexManifest()
		if err != nil {
			return err
		}
		// The tests' registry is configured with this folder below the one of the variable.
		r := repository{root: filepath.Join(dir, "data"), layout: e.layout}
		var tag string
		r.name, tag, _ = strings.Cut(e.name, ":")
		found := false
		for _, d := range manifest.Manifests {
			if d.Platform == nil || d.Platform.OS != "linux" || d.Platform.Architecture != runtime.GOARCH || found {
				continue
			}
			found = true
			if err := errors.Join(r.putImage(ctx, e.index, d.Digest), r.tag(tag, d.Digest)); err != nil {
				return fmt.Errorf("%s: %w", e.name, err)
			}
		}
		if !found {
			return fmt.Errorf("%s has no image for linux/%s", e.name, runtime.GOARCH)
		}
	}
	return nil
}

// repository is where one repository's images lie in a registry's storage.
type repository struct {
	root, layout, name string
}

func (r repository) path(elem ...string) string {
	return filepath.Join(append([]string{r.root, "docker/registry/v2"}, elem...)...)
}

func (r repository) blob(digest v1.Hash) string {
	return r.path("blobs", digest.Algorithm, digest.Hex[:2], digest.Hex, "data")
}

// link makes a file that holds a digest, which is how the registry's storage refers to blobs.
func (r repository) link(digest v1.Hash, elem ...string) error {
	path := r.path(append([]string{"repositories", r.name}, elem...)...)
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	return writeFile(filepath.Join(path, "link"), []byte(digest.String()))
}

func (r repository) tag(tag string, digest v1.Hash) error {
	return errors.Join(
		r.link(digest, "_manifests", "revisions", digest.Algorithm, digest.Hex),
		r.link(digest, "_manifests", "tags", tag, "index", digest.Algorithm, digest.Hex),
		r.link(digest, "_manifests", "tags", tag, "current"),
	)
}

// putImage stores the manifest of that digest, its config and its layers.
func (r repository) putImage(ctx context.Context, index v1.ImageIndex, digest v1.Hash) error {
	image, err := index.Image(digest)
	if err != nil {
		return err
	}
	manifest, err := image.Manifest()
	if err != nil {
		return err
	}
	for _, d := range append([]v1.Descriptor{manifest.Config}, manifest.Layers...) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := r.putBlob(d.Digest); err != nil {
			return err
		}
		if err := r.link(d.Digest, "_layers", d.Digest.Algorithm, d.Digest.Hex); err != nil {
			return err
		}
	}
	if err := r.putBlob(digest); err != nil {
		return err
	}
	return r.link(digest, "_manifests", "revisions", digest.Algorithm, digest.Hex)
}

// putBlob links a blob of the layout into the storage, or copies it to another file system.
func (r repository) putBlob(digest v1.Hash) error {
	from, to := filepath.Join(r.layout, "blobs", digest.Algorithm, digest.Hex), r.blob(digest)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.CreateTemp(filepath.Dir(to), ".data-")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Chmod(0o644), out.Close()); err != nil {
		return err
	}
	return os.Rename(out.Name(), to)
}

func (r repository) putBytes(digest v1.Hash, content []byte) error {
	path := r.blob(digest)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return writeFile(path, content)
}
