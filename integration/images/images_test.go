package images

import (
	"debug/elf"
	_ "embed"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

//go:embed images_test.go
var variantsSource string

// Builds for several platforms copy from the small images; their programs must be of the platform.
func TestSmallImagesHaveForeignVariants(t *testing.T) {
	for ref, program := range map[string]string{"busybox": "bin/busybox", "alpine:3.19": "bin/busybox", "debian:12-slim": "usr/bin/dpkg"} {
		set, err := Ensure(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		index := indexOf(t, set, ref)
		seen := verdict(t, ref, mustDigest(t, index), variantsSource)
		if seen.before() {
			continue
		}
		for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
			image := variantOf(t, index, arch)
			config, err := image.ConfigFile()
			if err != nil {
				t.Fatal(err)
			}
			if config.Architecture != arch {
				t.Errorf("%s for %s says it is for %s", ref, arch, config.Architecture)
			}
			root := rootOf(t, image)
			file, err := elf.Open(filepath.Join(root, program))
			if err != nil {
				t.Errorf("%s for %s: %v", ref, arch, err)
				continue
			}
			if file.Machine != machine {
				t.Errorf("%s of %s for %s is for %s", program, ref, arch, file.Machine)
			}
			file.Close()
			if _, err := os.Lstat(filepath.Join(root, "bin/sh")); err != nil {
				t.Errorf("%s for %s has no shell: %v", ref, arch, err)
			}
		}
		if !t.Failed() {
			seen.keep()
		}
	}
}

func TestLayersAreWholeAndShared(t *testing.T) {
	set, err := Ensure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range set.entries {
		if err := validate.Index(e.index, validate.Fast); err != nil {
			t.Errorf("%s: %v", e.name, err)
		}
	}
	if !set.StandIns() {
		return
	}
	first := func(ref string) v1.Hash {
		layers, err := imageFor(t, set, ref).Layers()
		if err != nil {
			t.Fatal(err)
		}
		digest, err := layers[0].Digest()
		if err != nil {
			t.Fatal(err)
		}
		return digest
	}
	if alpine := first("alpine:3.19"); alpine != first("node:20-alpine") || alpine != first("golang:1.22-alpine") {
		t.Error("the images on Alpine do not share its layer")
	}
	if first("debian:12-slim") != first("node:20") {
		t.Error("node:20 does not share Debian's layer")
	}
}

func TestEnsureRejectsWhatItCannotProvide(t *testing.T) {
	t.Setenv("STAGECRAFT_IMAGES", "stand-ins")
	for ref, want := range map[string]string{
		"busybox:1.0":           "there are alpine:3.19, ",
		"ghcr.io/foo/bar":       "not on Docker Hub",
		"Not A Reference":       "base image",
		"busybox@sha256:abcdef": "base image",
	} {
		if _, err := Ensure(t.Context(), ref); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Ensure(%q): %v; want it to say %q", ref, err, want)
		}
	}
	t.Setenv("STAGECRAFT_IMAGES", "both")
	if _, err := Ensure(t.Context(), "busybox"); err == nil || !strings.Contains(err.Error(), `"both"`) {
		t.Errorf("STAGECRAFT_IMAGES=both: %v", err)
	}
}
