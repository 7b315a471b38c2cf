package conformance

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/stagecraft/stagecraft/integration/images"
)

// mirrored are the images that upstream's tests name. Upstream's harness fetches from Docker Hub what
// its mirror of docker.io lacks, and then regards the digests that it pins; it takes what is there.
var mirrored = []string{
	"library/busybox:latest",
	"library/busybox:stable-musl",
	"library/alpine:latest",
	"tonistiigi/hellofs:latest",
}

// placeholders are images that a whole group of upstream's tests asks its mirror for, and that only one
// test of the group looks into: the one that compares digests of Debian's bytes. BusyBox under that name
// lets all the others run; that one fails with upstream's image as it does with ours.
var placeholders = []string{
	"amd64/debian:bullseye-20230109-slim",
}

// seed gets the images and notes their digests, which decide about the outcome of tests.
func (h *harness) seed(ctx context.Context) (err error) {
	if h.set, err = images.Ensure(ctx, mirrored...); err != nil {
		return err
	}
	for _, name := range mirrored {
		index, err := h.set.Index(name)
		if err != nil {
			return err
		}
		digest, err := index.Digest()
		if err != nil {
			return err
		}
		h.images[name] = digest.String()
	}
	return nil
}

// writeMirror makes the folder from which the registry of upstream's harness serves the images.
func (h *harness) writeMirror(ctx context.Context, dir string) error {
	if err := h.set.WriteMirrorDir(ctx, dir); err != nil {
		return err
	}
	// A registry's storage keeps a repository's names in folders and its bytes elsewhere.
	repositories := filepath.Join(dir, "data", "docker", "registry", "v2", "repositories")
	source := os.DirFS(filepath.Join(repositories, "library", "busybox"))
	for _, name := range placeholders {
		repository, tag, _ := strings.Cut(name, ":")
		target := filepath.Join(repositories, repository)
		if err := os.CopyFS(target, source); err != nil {
			return err
		}
		tags := filepath.Join(target, "_manifests", "tags")
		if tag == "latest" {
			continue
		}
		if err := errors.Join(os.RemoveAll(filepath.Join(tags, tag)), os.Rename(filepath.Join(tags, "latest"), filepath.Join(tags, tag))); err != nil {
			return err
		}
	}
	return nil
}
