package sandbox

import (
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/stagecraft/stagecraft/integration/images"
)

// quickImage is an image whose layers are unpacked with images.Unzip: most of what the examples' tests computed
// themselves was that.
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
	return images.Unzip(compressed)
}
