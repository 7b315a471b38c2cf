package frontend_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	"github.com/stagecraft/stagecraft/frontend"
	"github.com/stagecraft/stagecraft/llb/llbtest"
)

// hostile is a daemon's client of which one call goes wrong: it panics, or
// returns nothing at all, which makes its caller panic.
type hostile struct {
	*llbtest.Gateway
	at      int64
	nothing bool
	calls   atomic.Int64
}

// call reports whether the caller is to get nothing.
func (h *hostile) call() bool {
	if h.calls.Add(1) != h.at {
		return false
	}
	if !h.nothing {
		panic("out of order")
	}
	return true
}

func (h *hostile) Solve(ctx context.Context, r client.SolveRequest) (*client.Result, error) {
	if h.call() {
		return nil, nil
	}
	return h.Gateway.Solve(ctx, r)
}

func (h *hostile) ResolveImageConfig(ctx context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	if h.call() {
		return "", "", nil, nil
	}
	return h.Gateway.ResolveImageConfig(ctx, ref, opt)
}

func (h *hostile) ResolveSourceMetadata(ctx context.Context, op *pb.SourceOp, opt sourceresolver.Opt) (*sourceresolver.MetaResponse, error) {
	if h.call() {
		return nil, nil
	}
	return h.Gateway.ResolveSourceMetadata(ctx, op, opt)
}

func (h *hostile) Inputs(ctx context.Context) (map[string]llb.State, error) {
	h.call()
	return h.Gateway.Inputs(ctx)
}

func (h *hostile) Warn(ctx context.Context, dgst digest.Digest, msg string, opts client.WarnOpts) error {
	h.call()
	return h.Gateway.Warn(ctx, dgst, msg, opts)
}

// hostileBuild has gates, triggers, other files with contexts of their own,
// named contexts, times of sources and findings of the build checks.
var hostileBuild = llbtest.Gateway{
	Opts: map[string]string{
		"platform": "linux/amd64,linux/arm64", "build-arg:SOURCE_DATE_EPOCH": "dated", "context:dated": "https://example.com/x.tgz",
		"context:named": "docker-image://busybox", "context:files": "local:files", "attest:sbom": "generator=scanner",
	},
	Files: map[string]map[string]string{
		"dockerfile": {
			"Dockerfile": "FROM alpine AS Test\nCOPY a b\nFROM debian AS lint\nRUN --mount=from=files,target=/x x\n" +
				"FROM --after=test,lint named\nCOPY --from=./svc/Dockerfile#app / /\nCOPY --from=busybox / /\n",
			"svc/Dockerfile": "FROM alpine AS app\nCOPY c d\n",
		},
		"context": {"a": ""},
	},
}

func hostileRequest(ask string, at int64, nothing bool) *hostile {
	h := &hostile{Gateway: &llbtest.Gateway{Opts: maps.Clone(hostileBuild.Opts), Files: hostileBuild.Files}, at: at, nothing: nothing}
	if ask != "" {
		h.Opts["requestid"] = "frontend." + ask
	}
	return h
}

const report = "Please report it with these lines:"

// A panic, in whichever goroutine it comes, is an error that says where it
// was; it never ends the process. Where the daemon gives no answer, there may
// be another error. Only a panic that a finding of the build checks makes
// while it is shown is no error, as any failure to show one.
func TestPanicsAreErrors(t *testing.T) {
	for _, ask := range []string{"", "graph", "outline", "targets", "lint", "convertllb"} {
		if _, err := frontend.Build(t.Context(), hostileRequest(ask, 0, false)); err != nil {
			t.Fatalf("%s fails without a panic: %v", ask, err)
		}
		for _, nothing := range []bool{false, true} {
			reports := 0
			for at := int64(1); ; at++ {
				h := hostileRequest(ask, at, nothing)
				res, err := frontend.Build(t.Context(), h)
				if h.calls.Load() < at {
					break
				}
				text := fmt.Sprint(err)
				if res != nil { // check has the error in its answer
					text = string(res.Metadata["result.json"])
				}
				if strings.Contains(text, report) {
					reports++
				} else if !nothing && err != nil {
					t.Errorf("%s, call %d: %v", ask, at, err)
				}
			}
			if reports == 0 {
				t.Errorf("%s (nothing: %v): there is no report of a panic", ask, nothing)
			}
		}
	}
}

// imagePanics panics for one image, with what it was asked for in the text.
type imagePanics struct {
	*llbtest.Gateway
}

func (i imagePanics) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	panic("cannot parse " + ref + " of https://me:hunter2@example.com/\x1b[31m")
}

// The report of a panic is located where the panic is, tells the version and
// the calls, and nothing that the user keeps to himself.
func TestReport(t *testing.T) {
	for _, ask := range []string{"", "graph"} {
		opts := map[string]string{"build-arg:NAME": "topsecret"}
		if ask != "" {
			opts["requestid"] = "frontend." + ask
		}
		_, err := frontend.Build(t.Context(), imagePanics{&llbtest.Gateway{
			Opts:  opts,
			Files: map[string]map[string]string{"dockerfile": {"Dockerfile": "ARG NAME\nFROM scratch AS a\nFROM $NAME\n"}},
		}})
		text := fmt.Sprint(err)
		for _, want := range []string{
			"cannot parse docker.io/library/$NAME:latest of https://xxxxx:xxxxx@example.com/\\x1b[31m\nThis is a mistake of stagecraft " + frontend.Version,
			report + "\n  frontend_test.imagePanics.ResolveImageConfig (panic_test.go:", "\n  frontend/gateway.",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the error lacks %q:\n%s", ask, want, text)
			}
		}
		if sources := errdefs.Sources(err); len(sources) != 1 || sources[0].Ranges[0].Start.Line != 3 {
			t.Errorf("%s: it is not located at line 3: %v", ask, sources)
		}
	}
}
