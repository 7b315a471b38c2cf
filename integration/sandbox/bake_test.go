package sandbox

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/stagecraft/stagecraft/integration/tools"
)

// Each target of docker-bake.hcl is really built. The state keeps the caches of the go command between
// runs, without which this takes minutes.
func TestBake(t *testing.T) {
	root, err := tools.Root()
	if err != nil {
		t.Fatal(err)
	}
	s := New(t, WithImages("golang:1.26-alpine"), WithState("bake"))
	out := t.TempDir()
	bake := func(t *testing.T, args ...string) {
		t.Helper()
		// Bake asks before it writes outside its working directory.
		cmd := s.DockerBuildx(append([]string{"bake", "--progress=plain", "--allow=fs.write=" + out}, args...)...)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	t.Run("image", func(t *testing.T) {
		archive := filepath.Join(out, "image.tar")
		bake(t, "image", "--set", "image.output=type=oci,dest="+archive)
		image, err := openArchive(archive)
		if err != nil {
			t.Fatal(err)
		}
		config, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if caps := config.Config.Labels["moby.buildkit.frontend.caps"]; !strings.Contains(caps, "moby.buildkit.frontend.subrequests") {
			t.Errorf("the image's label has the capabilities %q", caps)
		}
		checkProgram(t, image)
		// It works as a frontend: a daemon without one of its own builds with it.
		ref, err := s.PushArchive(t.Context(), archive, "baked", "latest")
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if err := writeFiles(dir, map[string]string{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"}); err != nil {
			t.Fatal(err)
		}
		if out, err := s.Buildctl("build", "--frontend", "gateway.v0", "--opt", "source="+ref,
			"--local", "context="+dir, "--local", "dockerfile="+dir).CombinedOutput(); err != nil {
			t.Errorf("a build with the image gave %v\n%s", err, out)
		}
	})
	t.Run("image-all-platforms", func(t *testing.T) {
		archive := filepath.Join(out, "all.tar")
		bake(t, "image-all-platforms", "--set", "image-all-platforms.output=type=oci,dest="+archive)
		if got, want := platforms(t, archive), []string{"linux/amd64", "linux/arm64"}; !slices.Equal(got, want) {
			t.Errorf("the image is for %s", got)
		}
	})
	t.Run("lint", func(t *testing.T) { bake(t, "lint") })
	t.Run("test", func(t *testing.T) { bake(t, "test") })
}

// checkProgram requires that an image's only file is the frontend, static and stripped.
func checkProgram(t *testing.T, image v1.Image) {
	t.Helper()
	content := mutate.Extract(image)
	defer content.Close()
	files := 0
	for r := tar.NewReader(content); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		files++
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		program, err := elf.NewFile(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", header.Name, err)
		}
		if libraries, err := program.ImportedLibraries(); err != nil || len(libraries) > 0 || program.Section(".interp") != nil {
			t.Errorf("%s is not static: %v, %v", header.Name, libraries, err)
		}
		if program.Section(".symtab") != nil || program.Section(".debug_info") != nil {
			t.Errorf("%s is not stripped", header.Name)
		}
		t.Logf("%s: %.1f MB", header.Name, float64(len(text))/1e6)
	}
	if files != 1 {
		t.Errorf("the image has %d files", files)
	}
}

// platforms lists the platforms of the image in an OCI archive, attestations left out.
func platforms(t *testing.T, archive string) []string {
	t.Helper()
	file, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var found []string
	for r := tar.NewReader(file); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Size > 1<<20 || !strings.HasPrefix(header.Name, "blobs/") {
			continue
		}
		var index v1.IndexManifest
		// Blobs of other kinds have no such field, or are no JSON.
		if json.NewDecoder(r).Decode(&index) != nil {
			continue
		}
		for _, d := range index.Manifests {
			if d.Platform != nil && d.Platform.OS == "linux" {
				found = append(found, d.Platform.String())
			}
		}
	}
	slices.Sort(found)
	return found
}
