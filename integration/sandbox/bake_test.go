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
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/stagecraft/stagecraft/integration/tools"
)

// Each target of docker-bake.hcl is really built, and our frontend is what reads the Dockerfile: the
// frontend builds itself. What comes out is the program that all other tests run, conformance too, byte
// for byte, so what they prove they prove of it.
//
// The state keeps the caches of the go command between runs, without which this takes minutes.
func TestBake(t *testing.T) {
	root, err := tools.Root()
	if err != nil {
		t.Fatal(err)
	}
	// Another release of Go would make another program.
	goVersion := strings.TrimPrefix(runtime.Version(), "go")
	s := New(t, WithImages("golang:"+goVersion+"-alpine", "busybox:latest"), WithState("bake"))
	ours, err := s.FrontendRef(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	var environment []string // besides
	bake := func(t *testing.T, syntax string, args ...string) string {
		t.Helper()
		// Bake asks before it writes outside its working directory.
		cmd := s.DockerBuildx(append([]string{"bake", "--progress=plain", "--allow=fs.write=" + out,
			"--set=*.args.GO_VERSION=" + goVersion, "--set=*.args.VERSION=" + frontendVersion}, args...)...)
		cmd.Dir, cmd.Env = root, append(append(slices.Clone(cmd.Env), "BUILDKIT_SYNTAX="+syntax), environment...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if used := strings.Contains(string(out), "docker-image://"+ours); used != (syntax != "") {
			t.Fatalf("BUILDKIT_SYNTAX was %q, and our frontend's image was used: %v\n%s", syntax, used, out)
		}
		return string(out)
	}
	var self v1.Image
	t.Run("image", func(t *testing.T) {
		archive := filepath.Join(out, "image.tar")
		bake(t, ours, "image", "--set=image.output=type=oci,dest="+archive)
		if self, err = openArchive(archive); err != nil {
			t.Fatal(err)
		}
		tested, err := FrontendArchive(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		expected, err := openArchive(tested)
		if err != nil {
			t.Fatal(err)
		}
		got, want := imageConfig(t, self), imageConfig(t, expected)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("the image's config is\n%+v\nwhile the tests use one with\n%+v", got, want)
		}
		if caps := got.Labels["moby.buildkit.frontend.caps"]; !strings.Contains(caps, "moby.buildkit.frontend.subrequests") {
			t.Errorf("the image's label has the capabilities %q", caps)
		}
		if !bytes.Equal(frontendProgram(t, self, runtime.GOARCH), frontendProgram(t, expected, runtime.GOARCH)) {
			t.Error("the frontend that built itself differs from the one that the tests run")
		}

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
	// Who has no image of ours yet builds with docker/dockerfile.
	t.Run("image by docker dockerfile", func(t *testing.T) {
		if self == nil {
			t.Fatal("there is no image to compare with")
		}
		archive := filepath.Join(out, "theirs.tar")
		progress := bake(t, "", "image", "--set=image.output=type=oci,dest="+archive)
		theirs, err := openArchive(archive)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := layers(t, theirs), layers(t, self); !slices.Equal(got, want) {
			t.Errorf("docker/dockerfile makes the layers %v, our frontend %v", got, want)
		}
		steps := regexp.MustCompile(`(?m)^#(\d+) (\[.* (?:RUN|COPY) .*)$`).FindAllStringSubmatch(progress, -1)
		if len(steps) < 2 {
			t.Errorf("the build shows %d steps:\n%s", len(steps), progress)
		}
		for _, step := range steps {
			if !strings.Contains(progress, "#"+step[1]+" CACHED\n") {
				t.Errorf("docker/dockerfile ran a step again that our frontend had run: %s", step[2])
			}
		}
	})
	t.Run("image-all-platforms", func(t *testing.T) {
		archive := filepath.Join(out, "all.tar")
		bake(t, ours, "image-all-platforms", "--set=image-all-platforms.output=type=oci,dest="+archive)
		if got, want := platforms(t, archive), []string{"linux/amd64", "linux/arm64"}; !slices.Equal(got, want) {
			t.Errorf("the image is for %s", got)
		}
		for _, arch := range []string{"amd64", "arm64"} {
			image, err := openArchiveFor(archive, arch)
			if err != nil {
				t.Fatal(err)
			}
			frontendProgram(t, image, arch)
		}
	})
	t.Run("release", func(t *testing.T) {
		environment = []string{"REPOSITORY=" + s.Registry + "/release", "RELEASE=1.2.3", "REVISION=" + strings.Repeat("ab", 20),
			"SOURCE_DATE_EPOCH=1700000000", "SBOM_GENERATOR=" + pushScanner(t, s)}
		defer func() { environment = nil }()
		// bakeRelease gives VERSION of its own to all targets, which a release has from RELEASE.
		release := func() *release {
			bake(t, ours, "release", "--set=release.args.VERSION=1.2.3")
			return pulledRelease(t, s)
		}
		first := release()
		first.check(t)
		second := release()
		if !slices.Equal(first.images, second.images) {
			t.Errorf("two builds of one commit give the images %v and %v", first.images, second.images)
		}
		dir := t.TempDir()
		// The addition shows that the released image is what reads the file.
		if err := writeFiles(dir, map[string]string{"Dockerfile": "# syntax=" + s.Registry + "/release:1.2\nFROM scratch\nCOPY --if-exists none Dockerfile /\n"}); err != nil {
			t.Fatal(err)
		}
		if out, err := s.DockerBuildx("build", dir).CombinedOutput(); err != nil {
			t.Errorf("a build with the released image gave %v\n%s", err, out)
		}
	})
	t.Run("lint", func(t *testing.T) { bake(t, ours, "lint") })
	t.Run("test", func(t *testing.T) { bake(t, ours, "test") })
}

func imageConfig(t *testing.T, image v1.Image) v1.Config {
	t.Helper()
	file, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	return file.Config
}

// layers are the digests of an image's layers, unpacked.
func layers(t *testing.T, image v1.Image) []v1.Hash {
	t.Helper()
	file, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	return file.RootFS.DiffIDs
}

// frontendProgram returns an image's only file, which it requires to be a program for an architecture,
// static and stripped.
func frontendProgram(t *testing.T, image v1.Image, arch string) []byte {
	t.Helper()
	content := mutate.Extract(image)
	defer content.Close()
	var files [][]byte
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
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, text)
	}
	if len(files) != 1 {
		t.Fatalf("the image has %d files", len(files))
	}
	program, err := elf.NewFile(bytes.NewReader(files[0]))
	if err != nil {
		t.Fatal(err)
	}
	if machine := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[arch]; program.Machine != machine {
		t.Errorf("the program for %s is for %v", arch, program.Machine)
	}
	if libraries, err := program.ImportedLibraries(); err != nil || len(libraries) > 0 || program.Section(".interp") != nil {
		t.Errorf("the program for %s is not static: %v, %v", arch, libraries, err)
	}
	if program.Section(".symtab") != nil || program.Section(".debug_info") != nil {
		t.Errorf("the program for %s is not stripped", arch)
	}
	packed, _, err := ImageSize(image)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: the program has %.1f MB, the image %.1f MB as it is pulled", arch, float64(len(files[0]))/1e6, float64(packed)/1e6)
	return files[0]
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
