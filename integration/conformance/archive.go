package conformance

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// upstreamLabels are those that upstream's frontend/dockerfile/cmd/dockerfile-frontend/Dockerfile
// sets: a daemon reads from them what it may ask of the frontend.
var upstreamLabels = map[string]string{
	"moby.buildkit.frontend.network.none": "true",
	"moby.buildkit.frontend.caps": "moby.buildkit.frontend.inputs,moby.buildkit.frontend.subrequests," +
		"moby.buildkit.frontend.contexts,moby.buildkit.frontend.gitquerystring,moby.buildkit.frontend.contexts.zstd",
}

// packFrontend writes an OCI archive (a tar of an OCI image layout) of an image that has nothing but
// the program at path as /bin/<its name>, which is also its entrypoint.
func packFrontend(path, archive string, labels map[string]string) error {
	program, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	inside := "bin/" + filepath.Base(path)
	var files bytes.Buffer
	w := tar.NewWriter(&files)
	err = errors.Join(
		w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "bin/", Mode: 0o755}),
		w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: inside, Mode: 0o755, Size: int64(len(program))}))
	if err != nil {
		return err
	}
	if _, err := w.Write(program); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(files.Bytes())), nil
	})
	if err != nil {
		return err
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Config.Entrypoint = []string{"/" + inside}
	config.Config.Labels = labels
	if image, err = mutate.ConfigFile(image, config); err != nil {
		return err
	}
	return writeArchive(image, archive)
}

// writeArchive writes the image as a tar of an OCI image layout, under a temporary name first.
func writeArchive(image v1.Image, archive string) (err error) {
	dir, err := os.MkdirTemp(filepath.Dir(archive), ".tmp-layout-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	top := filepath.Join(dir, "layout")
	where, err := layout.Write(top, empty.Index)
	if err != nil {
		return err
	}
	if err := where.AppendImage(image); err != nil {
		return err
	}
	tmp := filepath.Join(dir, "archive.tar")
	out, err := os.Create(tmp)
	if err != nil {
		return err
	}
	defer out.Close()
	w := tar.NewWriter(out)
	if err := w.AddFS(os.DirFS(top)); err != nil {
		return err
	}
	if err := errors.Join(w.Close(), out.Close()); err != nil {
		return err
	}
	return os.Rename(tmp, archive)
}
