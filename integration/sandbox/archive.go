package sandbox

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Image returns an image: of the OCI archive at an absolute path, else of the sandbox's registry, where
// a reference without a registry's host is looked up. Of an image for several platforms it is this
// machine's.
func (s *Sandbox) Image(ctx context.Context, ref string) (v1.Image, error) {
	if filepath.IsAbs(ref) {
		return openArchive(ref)
	}
	parsed, err := name.ParseReference(ref, name.Insecure, name.WithDefaultRegistry(s.Registry))
	if err != nil {
		return nil, err
	}
	image, err := remote.Image(parsed, remote.WithContext(ctx), remote.WithPlatform(v1.Platform{OS: "linux", Architecture: runtime.GOARCH}))
	if err != nil {
		return nil, err
	}
	return quickImage{image}, nil
}

// ImageSize returns how many bytes an image's layers have as they travel, and unpacked as tar streams.
func ImageSize(image v1.Image) (packed, unpacked int64, err error) {
	layers, err := image.Layers()
	if err != nil {
		return 0, 0, err
	}
	for _, layer := range layers {
		size, err := layer.Size()
		if err != nil {
			return 0, 0, err
		}
		content, err := layer.Uncompressed()
		if err != nil {
			return 0, 0, err
		}
		n, err := io.Copy(io.Discard, content)
		content.Close()
		if err != nil {
			return 0, 0, err
		}
		packed, unpacked = packed+size, unpacked+n
	}
	return packed, unpacked, nil
}

// layoutArchive is a tar file of an OCI image layout (image-spec, image-layout.md), read in place: an index
// of where each member lies, and the manifest of one image.
type layoutArchive struct {
	path     string
	members  map[string]member
	manifest []byte
	media    types.MediaType
	parsed   v1.Manifest
}

type member struct{ offset, size int64 }

// openArchive reads the image for this machine's platform from an OCI archive.
func openArchive(name string) (v1.Image, error) { return openArchiveFor(name, runtime.GOARCH) }

// openArchiveFor reads the image for linux and an architecture from an OCI archive.
func openArchiveFor(name, arch string) (v1.Image, error) {
	a := &layoutArchive{path: name, members: map[string]member{}}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	for r := tar.NewReader(file); ; {
		header, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		offset, err := file.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		a.members[path.Clean(header.Name)] = member{offset, header.Size}
	}
	descriptor := v1.Descriptor{MediaType: types.OCIImageIndex}
	text, err := a.read("index.json")
	for err == nil && descriptor.MediaType.IsIndex() {
		var index v1.IndexManifest
		if err = json.Unmarshal(text, &index); err != nil {
			break
		}
		if descriptor, err = choose(index, arch); err == nil {
			text, err = a.read(blobPath(descriptor.Digest))
		}
	}
	if err == nil {
		err = json.Unmarshal(text, &a.parsed)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	a.manifest, a.media = text, descriptor.MediaType
	return partial.CompressedToImage(a)
}

// choose returns the image of an index that is for linux and an architecture. Attestations stand in an
// index as images of an unknown platform.
func choose(index v1.IndexManifest, arch string) (v1.Descriptor, error) {
	for _, d := range index.Manifests {
		if d.Platform == nil || d.MediaType.IsIndex() || d.Platform.OS == "linux" && d.Platform.Architecture == arch {
			return d, nil
		}
	}
	return v1.Descriptor{}, fmt.Errorf("no image for linux/%s", arch)
}

func blobPath(digest v1.Hash) string { return path.Join("blobs", digest.Algorithm, digest.Hex) }

// open returns a reader of one member.
func (a *layoutArchive) open(name string) (io.ReadCloser, error) {
	m, ok := a.members[name]
	if !ok {
		return nil, fmt.Errorf("the archive has no %s", name)
	}
	file, err := os.Open(a.path)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(file, m.offset, m.size), file}, nil
}

func (a *layoutArchive) read(name string) ([]byte, error) {
	r, err := a.open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(r)
	return b.Bytes(), err
}

// What follows is partial.CompressedImageCore.

func (a *layoutArchive) RawConfigFile() ([]byte, error) {
	return a.read(blobPath(a.parsed.Config.Digest))
}
func (a *layoutArchive) MediaType() (types.MediaType, error) { return a.media, nil }
func (a *layoutArchive) RawManifest() ([]byte, error)        { return a.manifest, nil }
func (a *layoutArchive) LayerByDigest(h v1.Hash) (partial.CompressedLayer, error) {
	for _, d := range append([]v1.Descriptor{a.parsed.Config}, a.parsed.Layers...) {
		if d.Digest == h {
			return archiveLayer{a, d}, nil
		}
	}
	return nil, fmt.Errorf("the image has no layer %s", h)
}

// archiveLayer is a blob of an archive.
type archiveLayer struct {
	archive    *layoutArchive
	descriptor v1.Descriptor
}

func (l archiveLayer) Digest() (v1.Hash, error) { return l.descriptor.Digest, nil }
func (l archiveLayer) Compressed() (io.ReadCloser, error) {
	return l.archive.open(blobPath(l.descriptor.Digest))
}
func (l archiveLayer) Size() (int64, error)                { return l.descriptor.Size, nil }
func (l archiveLayer) MediaType() (types.MediaType, error) { return l.descriptor.MediaType, nil }
