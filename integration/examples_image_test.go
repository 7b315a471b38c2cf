package integration

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// configFile is the configuration of an image in the sandbox's registry.
func (r exampleRun) configFile(t *testing.T, ref string) *v1.ConfigFile {
	t.Helper()
	image, err := r.sandbox.Image(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	file, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func (e example) checkConfig(t *testing.T, r exampleRun, ref string) {
	t.Helper()
	file := r.configFile(t, ref)
	got := config{
		user: file.Config.User, port: strings.Join(slices.Sorted(maps.Keys(file.Config.ExposedPorts)), " "),
		entrypoint: file.Config.Entrypoint, cmd: file.Config.Cmd, workdir: file.Config.WorkingDir,
		stopSignal: file.Config.StopSignal,
	}
	want := e.config
	if want.workdir == "" {
		want.workdir = "/"
	}
	if got.workdir == "" {
		got.workdir = "/"
	}
	for _, entry := range want.env {
		if !slices.Contains(file.Config.Env, entry) {
			t.Errorf("the image's environment lacks %s: %q", entry, file.Config.Env)
		}
	}
	want.env = nil
	if g, w := fmt.Sprintf("%+q", got), fmt.Sprintf("%+q", want); g != w {
		t.Errorf("the image's configuration is\n  %s\nwant\n  %s", g, w)
	}
	if e.healthy != (file.Config.Healthcheck != nil) {
		t.Errorf("the image has a HEALTHCHECK: %v, want %v", file.Config.Healthcheck, e.healthy)
	}
}

// contents reads an image as its layers give it together: its files, without folders, and its size in
// bytes of the files' content.
func (r exampleRun) contents(t *testing.T, ref string) (files []string, size int64) {
	t.Helper()
	image, err := r.sandbox.Image(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	content := mutate.Extract(image)
	defer content.Close()
	for r := tar.NewReader(content); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			slices.Sort(files)
			return files, size
		}
		if err != nil {
			t.Fatal(err)
		}
		size += header.Size
		if header.Typeflag != tar.TypeDir {
			files = append(files, strings.TrimPrefix(filepath.Clean("/"+header.Name), "/"))
		}
	}
}

// listing is appended to an example's Dockerfile to list the files of a stage, STAGE: size in bytes, inode,
// mode in hexadecimal, name. The list is made where the stage is; to export one with a compiler would take
// longer than building it.
const listing = `
FROM busybox AS listed-STAGE
RUN --mount=type=bind,from=STAGE,target=/stage cd /stage && find . -xdev ! -type d -exec stat -c '%s %i %f %n' {} + >/list
`

// contentOfStage is what a stage holds: its files, sorted, without folders, and the size of their content in
// bytes.
type contentOfStage struct {
	files []string
	size  int64
}

// list builds stages and returns what is in them, by their names.
func (r exampleRun) list(t *testing.T, stages ...string) map[string]contentOfStage {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	dockerfile, last := string(text), "FROM scratch\n"
	for _, stage := range stages {
		dockerfile += strings.ReplaceAll(listing, "STAGE", stage)
		last += "COPY --from=listed-" + stage + " /list /" + stage + "\n"
	}
	out := t.TempDir()
	cmd := r.sandbox.Buildx(buildArgs(r.dir, "--file", "-", "--provenance=false", "--output", "type=local,dest="+out)...)
	cmd.Stdin = strings.NewReader(dockerfile + last)
	runBuild(t, cmd)
	contents := map[string]contentOfStage{}
	for _, stage := range stages {
		list, err := os.ReadFile(filepath.Join(out, stage))
		if err != nil {
			t.Fatal(err)
		}
		contents[stage] = readListing(t, stage, string(list))
	}
	return contents
}

func readListing(t *testing.T, stage, list string) (content contentOfStage) {
	t.Helper()
	seen := map[uint64]bool{}
	for line := range strings.Lines(list) {
		var bytes int64
		var inode, mode uint64
		if _, err := fmt.Sscanf(line, "%d %d %x", &bytes, &inode, &mode); err != nil {
			t.Fatalf("the list of the stage %s has the line %q: %v", stage, line, err)
		}
		_, name, _ := strings.Cut(line, " ./")
		content.files = append(content.files, strings.TrimSuffix(name, "\n"))
		// A file with two names is stored once.
		if mode&syscall.S_IFMT == syscall.S_IFREG && !seen[inode] {
			seen[inode] = true
			content.size += bytes
		}
	}
	slices.Sort(content.files)
	if len(content.files) == 0 {
		t.Fatalf("the stage %s has no files", stage)
	}
	return content
}

func (e example) checkFiles(t *testing.T, files []string) {
	t.Helper()
	if e.only != nil && !slices.Equal(files, e.only) {
		t.Errorf("the image has the files\n  %q\nwant\n  %q", files, e.only)
	}
	expectFiles(t, files, e.files, e.foreign)
}

// expectFiles checks that each pattern of present matches a file and none of absent does.
func expectFiles(t *testing.T, files, present, absent []string) {
	t.Helper()
	for _, pattern := range present {
		if !slices.ContainsFunc(files, regexp.MustCompile(pattern).MatchString) {
			t.Errorf("no file of the image matches %s", pattern)
		}
	}
	for _, pattern := range absent {
		if i := slices.IndexFunc(files, regexp.MustCompile(pattern).MatchString); i >= 0 {
			t.Errorf("the image has %s, and should have nothing that matches %s", files[i], pattern)
		}
	}
}

// checkSize compares the image's size with the builder stage's.
func (e example) checkSize(t *testing.T, r exampleRun, size int64, took time.Duration) {
	t.Helper()
	if e.builder == "" {
		t.Logf("%s: built in %.1f s, %.1f MB", e.name, took.Seconds(), megabytes(size))
		return
	}
	builder := r.list(t, e.builder)[e.builder].size
	ratio := float64(size) / float64(builder)
	t.Logf("%s: built in %.1f s, %.1f MB, %.1f%% of the stage %s with %.1f MB",
		e.name, took.Seconds(), megabytes(size), 100*ratio, e.builder, megabytes(builder))
	if ratio > e.atMost {
		t.Errorf("the image has %.3f of the size of the stage %s, want at most %.3f", ratio, e.builder, e.atMost)
	}
}

func megabytes(n int64) float64 { return float64(n) / 1e6 }
