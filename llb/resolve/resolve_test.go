package resolve

import (
	"testing"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

func TestRemoteKinds(t *testing.T) {
	for src, want := range map[string]string{
		"https://example.com/a.tgz":        "http",
		"http://example.com":               "http",
		"https://example.com/r.git":        "git",
		"https://example.com/r.git#v1:dir": "git",
		"git@example.com:o/r.git":          "git",
		"git://example.com/r":              "git",
		"ssh://git@example.com/r.git":      "git",
		"github.com/o/r":                   "local", // could be a folder
		"ftp://example.com/x":              "local",
		"dir/file":                         "local",
		"":                                 "local",
	} {
		got := "local"
		git, err := ParseGit(src, nil, "")
		switch {
		case err != nil:
			t.Errorf("%q: %v", src, err)
		case git != nil:
			got = "git"
		case IsHTTP(src):
			got = "http"
		}
		if got != want {
			t.Errorf("%q is %s, want %s", src, got, want)
		}
	}
}

func TestParseGit(t *testing.T) {
	yes, no := true, false
	r, err := ParseGit("https://example.com/r.git?ref=main&subdir=d&submodules=false&keep-git-dir=true", nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if g := r.Git; r.URL != "https://example.com/r.git" || g.Ref != "main" || g.SubDir != "d" || !g.SkipSubmodules || g.KeepDir == nil || !*g.KeepDir {
		t.Errorf("%+v %+v", r, g)
	}
	for _, c := range []struct {
		src      string
		keepDir  *bool
		checksum string
		ok       bool
	}{
		{"https://example.com/r.git?keep-git-dir=true", &yes, "", true},
		{"https://example.com/r.git?keep-git-dir=true", &no, "", false},
		{"https://example.com/r.git?checksum=abcdef1", nil, "abcdef1", true},
		{"https://example.com/r.git?checksum=abcdef1", nil, "abcdef2", false},
		{"https://example.com/r.git?nonsense=1", nil, "", false},
	} {
		if _, err := ParseGit(c.src, c.keepDir, c.checksum); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestFilename(t *testing.T) {
	for url, want := range map[string]string{
		"https://example.com/a/b.tgz?x=y": "b.tgz",
		"https://example.com/a/":          "a",
		"https://example.com/":            "__unnamed__",
		"https://example.com":             "__unnamed__",
		"https://example.com/%zz":         "__unnamed__",
	} {
		if got := (&Remote{URL: url}).Filename(); got != want {
			t.Errorf("%s: %q, want %q", url, got, want)
		}
	}
}

func TestHasLayers(t *testing.T) {
	var img dockerspec.DockerOCIImage
	if hasLayers(&img) {
		t.Error("an empty config has layers")
	}
	img.History = []ocispecs.History{{EmptyLayer: true}}
	if hasLayers(&img) {
		t.Error("a history of empty layers has layers")
	}
	img.History = append(img.History, ocispecs.History{})
	if !hasLayers(&img) {
		t.Error("schema 1 tells by its history")
	}
	img = dockerspec.DockerOCIImage{}
	img.RootFS.DiffIDs = []digest.Digest{"sha256:x"}
	if !hasLayers(&img) {
		t.Error("diff ids are layers")
	}
}

func TestDetectPlatform(t *testing.T) {
	p := func(os, arch string) ocispecs.Platform { return ocispecs.Platform{OS: os, Architecture: arch} }
	armV8 := ocispecs.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}
	for _, c := range []struct {
		name              string
		img, target, want ocispecs.Platform
		supported         []ocispecs.Platform
	}{
		{"the target's", p("linux", "amd64"), p("linux", "amd64"), p("linux", "amd64"), nil},
		{"one that can run", p("linux", "arm64"), p("linux", "amd64"), armV8, []ocispecs.Platform{armV8}},
		{"one that cannot", p("linux", "s390x"), p("linux", "amd64"), p("linux", "amd64"), []ocispecs.Platform{armV8}},
	} {
		if got := detectPlatform(c.img, c.target, c.supported); got.Architecture != c.want.Architecture || got.Variant != c.want.Variant {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func TestNormalize(t *testing.T) {
	for ref, want := range map[string]string{
		"alpine":                "docker.io/library/alpine:latest",
		"o/r:1":                 "docker.io/o/r:1",
		"localhost:5000/x":      "localhost:5000/x:latest",
		"Upper":                 "",
		"a b":                   "",
		"x@sha256:0123":         "",
		"example.com/x:tag:tag": "",
	} {
		named, err := normalize(ref)
		if want == "" {
			if err == nil {
				t.Errorf("%q is %s", ref, named)
			}
		} else if err != nil || named.String() != want {
			t.Errorf("%q: %v (%v), want %s", ref, named, err, want)
		}
	}
}
