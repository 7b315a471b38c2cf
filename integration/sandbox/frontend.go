package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/stagecraft/stagecraft/integration/tools"
)

// FrontendRepository is where the sandbox's registry holds our frontend image. Since the registry is
// docker.io's mirror, "# syntax=stagecraft/stagecraft:1" finds it there.
const FrontendRepository = "stagecraft/stagecraft"

// frontendTags are the tags under which FrontendRef pushes.
var frontendTags = []string{"1", "latest"}

// frontendFlags are the go command's flags for the frontend's program, and frontendLinkFlags those of
// its linker, up to the version, as they stand in the Dockerfile; a test compares them. So the program is,
// byte for byte, the one that docker buildx bake makes; another test compares these.
const (
	frontendFlags     = "-buildvcs=false -trimpath -tags=netgo,osusergo,static_build,grpcnotrace"
	frontendLinkFlags = "-s -w -X github.com/stagecraft/stagecraft/frontend.Version="
	frontendVersion   = "dev"
)

// frontendLayout is where the Dockerfile's stage build leaves the program, and the image takes it from.
const frontendLayout = "out/stagecraft-frontend"

// keepFrontends is how long an image stays in the cache that no test asks for any more.
const keepFrontends = 24 * time.Hour

// FrontendArchive returns the path of an OCI archive of our frontend image, for this machine's
// platform. The program is compiled by the machine's go command, which is quicker than in a container
// and shares its cache; the rest of the image is made by our real Dockerfile with that program in
// place of its stage build. It is kept in the cache under the content of both.
func FrontendArchive(ctx context.Context) (string, error) {
	root, err := tools.Root()
	if err != nil {
		return "", err
	}
	folder := frontendFolder()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	unlock, err := tools.Lock(ctx, filepath.Join(folder, "lock"), "an image of the frontend")
	if err != nil {
		return "", err
	}
	defer unlock()
	// A place of its own in the cache, not a temporary folder, which would stay if this were killed.
	dir := filepath.Join(folder, "program")
	program := filepath.Join(dir, frontendLayout)
	if err := buildFrontend(ctx, root, folder, program); err != nil {
		return "", err
	}
	return packFrontend(ctx, dir, program, filepath.Join(root, "Dockerfile"))
}

// frontendFolder is the cache of frontend images.
func frontendFolder() string { return filepath.Join(tools.CacheDir(), "frontend") }

// buildFrontend compiles the frontend's command of the checkout at root, with temporary files below folder.
func buildFrontend(ctx context.Context, root, folder, program string) error {
	err := tools.Go(ctx, root, folder, []string{"GOFLAGS=" + frontendFlags},
		"build", "-ldflags", frontendLinkFlags+frontendVersion, "-o", program, "./frontend/cmd/stagecraft-frontend")
	if err != nil {
		return fmt.Errorf("compiling the frontend: %w", err)
	}
	return nil
}

// packFrontend makes the image of a program, which lies at frontendLayout below dir, by the Dockerfile.
func packFrontend(ctx context.Context, dir, program, dockerfile string) (string, error) {
	key := sha256.New()
	for _, path := range []string{program, dockerfile} {
		if err := addFile(key, path); err != nil {
			return "", err
		}
	}
	folder := frontendFolder()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	archive := filepath.Join(folder, hex.EncodeToString(key.Sum(nil))[:32]+".tar")
	if _, err := os.Stat(archive); err == nil {
		// The time stamp tells prune what is still in use.
		now := time.Now()
		return archive, os.Chtimes(archive, now, now)
	}
	prune(folder)

	s, err := Start(ctx, WithoutImages(), Small())
	if err != nil {
		return "", err
	}
	made := filepath.Join(s.Dir, "frontend.tar")
	root := filepath.Dir(dockerfile)
	cmd := s.Buildctl("build", "--frontend", "dockerfile.v0", "--local", "context="+root, "--local", "dockerfile="+root,
		"--local", "build="+dir, "--opt", "context:build=local:build", "--opt", "target=image",
		"--opt", "filename="+filepath.Base(dockerfile), "--opt", "build-arg:SOURCE_DATE_EPOCH=0",
		"--output", "type=oci,rewrite-timestamp=true,dest="+made)
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("making the frontend's image: %w\n%s\n%s", err, out, s.Logs())
	} else {
		err = moveFile(made, archive)
	}
	return archive, errors.Join(err, s.Close())
}

// addFile adds a file's content to a hash.
func addFile(to io.Writer, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(to, file)
	return err
}

// moveFile moves a file to a place that may be on another file system, where it appears complete or
// not at all.
func moveFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.CreateTemp(filepath.Dir(to), ".tmp-*")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	if _, err := io.Copy(out, in); err != nil {
		return errors.Join(err, out.Close())
	}
	if err := errors.Join(out.Chmod(0o644), out.Close()); err != nil {
		return err
	}
	return os.Rename(out.Name(), to)
}

// prune removes images of frontends that were asked for last long ago, and what interrupted runs left.
func prune(folder string) {
	entries, _ := os.ReadDir(folder)
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() && entry.Name() != "lock" && time.Since(info.ModTime()) > keepFrontends {
			_ = os.Remove(filepath.Join(folder, entry.Name()))
		}
	}
}

// FrontendRef pushes our frontend image to the sandbox's registry, once, and returns its reference there
// by digest: HOST:PORT/stagecraft/stagecraft@sha256:…, for BUILDKIT_SYNTAX and "# syntax=" lines. It has
// the tags 1 and latest as well.
func (s *Sandbox) FrontendRef(ctx context.Context) (string, error) {
	s.frontendOnce.Do(func() {
		var archive string
		if archive, s.frontendErr = FrontendArchive(ctx); s.frontendErr == nil {
			s.frontend, s.frontendErr = s.PushArchive(ctx, archive, FrontendRepository, frontendTags...)
		}
	})
	return s.frontend, s.frontendErr
}

// PushArchive pushes the image of an OCI archive to the sandbox's registry and returns its reference by
// digest.
func (s *Sandbox) PushArchive(ctx context.Context, archive, repository string, tags ...string) (string, error) {
	image, err := openArchive(archive)
	if err != nil {
		return "", err
	}
	repo, err := name.NewRepository(s.Registry+"/"+repository, name.Insecure)
	if err != nil {
		return "", err
	}
	for _, tag := range tags {
		if err := remote.Write(repo.Tag(tag), image, remote.WithContext(ctx)); err != nil {
			return "", fmt.Errorf("pushing %s: %w", repo.Tag(tag), err)
		}
	}
	digest, err := image.Digest()
	if err != nil {
		return "", err
	}
	return repo.Digest(digest.String()).String(), nil
}
