package review_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	digest "github.com/opencontainers/go-digest"
)

// config is that of an image with one layer.
func config(fields string) string {
	return `{"config":{` + fields + `},"rootfs":{"type":"layers","diff_ids":["` + digest.FromString(fields).String() + `"]}}`
}

// With the configs of images in reach, what they say counts, and a digest that
// was found is offered.
func TestImagesInReach(t *testing.T) {
	const name = "example.com/app:latest"
	text := lines("FROM "+name, "COPY x /x", "CMD /x")
	root := build{dockerfile: text, images: images{name: config("")}}.must(t)
	if !slices.Contains(root.Missed, "RootUser") {
		t.Errorf("an image without a user runs as root; missed %v", root.Missed)
	}
	somebody := build{dockerfile: text, images: images{name: config(`"User":"1000:1000"`)}}.must(t)
	if !slices.Contains(somebody.Passed, "RootUser") {
		t.Errorf("the image has a user of its own; passed %v", somebody.Passed)
	}
	nowhere := build{dockerfile: text}.must(t)
	if slices.Contains(nowhere.Passed, "RootUser") || slices.Contains(nowhere.Missed, "RootUser") {
		t.Errorf("nothing tells who an image out of reach runs as; passed %v, missed %v", nowhere.Passed, nowhere.Missed)
	}

	unpinned := of(root, "UnpinnedBase")
	if len(unpinned) != 1 || !strings.Contains(unpinned[0].Fix, "\n+FROM "+name+"@sha256:") {
		t.Fatalf("%+v", unpinned)
	}
	mended, err := apply(text, unpinned[0].Fix)
	if err != nil {
		t.Fatal(err)
	}
	if found := of(build{dockerfile: mended}.must(t), "UnpinnedBase"); len(found) > 0 {
		t.Errorf("a digest is no pin: %+v", found)
	}

	env := lines("ARG HOME_DIR=/x", "FROM example.com/app:1", "RUN ls $HOME_DIR")
	has := build{dockerfile: env, images: images{"example.com/app:1": config(`"Env":["HOME_DIR=/home"]`)}}
	if found := of(has.must(t), "UndeclaredArg"); len(found) > 0 {
		t.Errorf("the image sets the variable: %+v", found)
	}
}

// The shipped image is that of the target.
func TestTarget(t *testing.T) {
	text := lines("FROM golang:1.22 AS build", "RUN go build -o /x", "CMD /x", "FROM scratch", "COPY --from=build /x /x", "USER 1", "CMD /x")
	if found := of(build{dockerfile: text}.must(t), "RootUser"); len(found) > 0 {
		t.Errorf("%+v", found)
	}
	found := of(build{dockerfile: strings.Replace(text, "AS build", "AS server", 1), target: "server"}.must(t), "RootUser")
	if len(found) != 1 || found[0].Line != 1 {
		t.Errorf("%+v", found)
	}
}

// What is found in other files names them, with the lines that they have.
func TestOtherFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"svc/Dockerfile": lines("FROM alpine:3.19 AS tool", "FROM scratch AS build", "", "COPY --from=0 /a /a"),
		"common":         lines("# about it", "RUN <<EOF", "false", "true", "EOF"),
		"skips":          lines("", "# check=skip=LostFailure", "RUN <<EOF", "false", "true", "EOF"),
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text := lines("FROM alpine:3.19 AS here", "INCLUDE ./common", "INCLUDE ./skips", "FROM ./svc/Dockerfile#build AS there", "COPY --from=here /b /b")
	r := build{dockerfile: text, dir: dir}.must(t)
	numeric := of(r, "NumericFrom")
	if len(numeric) != 1 || numeric[0].File != "svc/Dockerfile" || numeric[0].Line != 4 || !strings.HasPrefix(numeric[0].Fix, "--- a/svc/Dockerfile\n") {
		t.Errorf("%+v", numeric)
	}
	// A comment right above the instruction is heard in the file that is included.
	lost := of(r, "LostFailure")
	if len(lost) != 1 || lost[0].File != "common" || lost[0].Line != 3 {
		t.Errorf("%+v", lost)
	}
	if shown := r.Text(); !strings.Contains(shown, "\ncommon:3: ") || !strings.Contains(shown, "   3 | >>> false\n") {
		t.Error(shown)
	}
}
