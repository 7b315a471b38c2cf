package review_test

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagecraft/stagecraft/frontend/review"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/resolve"
)

var amd64 = ocispecs.Platform{OS: "linux", Architecture: "amd64"}

// images are the images that can be had, by the reference in full, with their
// configs. No others can.
type images map[string]string

func (images) HasContext(string, *ocispecs.Platform) (bool, error) { return false, nil }

func (images) Modified(context.Context, resolve.EpochSource) (*time.Time, error) { return nil, nil }

func (images) Digest(context.Context, *resolve.Remote, string) (string, error) { return "", nil }

func (images) Context(context.Context, string, *ocispecs.Platform) (*resolve.Context, error) {
	return nil, errors.New("there are no named contexts")
}

func (all images) Image(_ context.Context, ref string, _ ocispecs.Platform, _ string) (resolve.Image, error) {
	config, ok := all[ref]
	if !ok {
		return resolve.Image{Ref: ref, Config: []byte("{}")}, nil
	}
	dgst := digest.FromString(ref)
	return resolve.Image{Ref: ref + "@" + dgst.String(), Digest: dgst, Config: []byte(config)}, nil
}

// build is what a client asks to be reviewed.
type build struct {
	name       string // Dockerfile, unless given
	dockerfile string
	target     string
	args       map[string]string
	skip       []string
	images     images
	dir        string // with the other files
	every      bool
	check      *linter.Config
	warn       func(dockerfile.FileID, string)
}

// review judges a build as the frontend has it done.
func (b build) review(t testing.TB) (*review.Report, error) {
	t.Helper()
	b.every = b.target == ""
	r, err := b.attempt(t)
	if err != nil && b.every {
		b.every = false
		return b.attempt(t)
	}
	return r, err
}

func (b build) attempt(t testing.TB) (*review.Report, error) {
	files := dockerfile.NewFiles(cmp.Or(b.name, "Dockerfile"), []byte(b.dockerfile), func(_ dockerfile.Root, name string) ([]byte, error) {
		return os.ReadFile(filepath.Join(b.dir, name))
	})
	in := review.Input{Files: files, BuildArgs: b.args, Skip: b.skip, Unresolved: func(ref string, _ *ocispecs.Platform) string {
		if _, ok := b.images[ref]; !ok {
			return "it is out of reach"
		}
		return ""
	}}
	var err error
	in.Plan, err = compiler.Evaluate(t.Context(), compiler.Request{
		Config:         dockerui.Config{Target: b.target, BuildArgs: b.args, LinterConfig: b.check},
		Files:          files,
		TargetPlatform: &amd64,
		Sources:        b.images,
		MainContext: func(context.Context, []string) (*llb.State, error) {
			st := llb.Local("context")
			return &st, nil
		},
		EveryStage: b.every,
		Warn: func(file dockerfile.FileID, rule, _, _, _ string, where []parser.Range) {
			if b.warn != nil {
				b.warn(file, rule)
			}
			in.Checks = append(in.Checks, review.Check{Rule: rule, File: file, Where: where})
		},
	})
	if err != nil {
		return nil, err
	}
	return review.New(in), nil
}

// must is the report on a build that has no error.
func (b build) must(t testing.TB) *review.Report {
	t.Helper()
	r, err := b.review(t)
	if err != nil {
		t.Fatalf("%v:\n%s", err, b.dockerfile)
	}
	return r
}

// of are the findings of one rule.
func of(r *review.Report, rule string) []review.Finding {
	var found []review.Finding
	for _, f := range r.Findings {
		if f.Rule == rule {
			found = append(found, f)
		}
	}
	return found
}

// lines is a Dockerfile.
func lines(text ...string) string { return strings.Join(text, "\n") + "\n" }
