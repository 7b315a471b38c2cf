package sandbox

import (
	"errors"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"
)

// quickImage is an image whose layers are unpacked twice as fast as the library for images does it: half of
// the time that the examples' tests computed was that.
type quickImage struct{ v1.Image }

func (i quickImage) Layers() ([]v1.Layer, error) {
	layers, err := i.Image.Layers()
	for at, layer := range layers {
		layers[at] = quickLayer{layer}
	}
	return layers, err
}

type quickLayer struct{ v1.Layer }

func (l quickLayer) Uncompressed() (io.ReadCloser, error) {
	kind, err := l.MediaType()
	if err != nil {
		return nil, err
	}
	if kind != types.OCILayer && kind != types.DockerLayer {
		return l.Layer.Uncompressed()
	}
	compressed, err := l.Compressed()
	if err != nil {
		return nil, err
	}
	zip, err := gzip.NewReader(compressed)
	if err != nil {
		return nil, errors.Join(err, compressed.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{zip, compressed}, nil
}
