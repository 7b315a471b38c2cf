package frontend

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/llbtest"
	"google.golang.org/protobuf/encoding/protojson"

	compiler "github.com/stagecraft/stagecraft/llb"
)

// TestGatesReport is the one error for what failed of a target and its gates.
func TestGatesReport(t *testing.T) {
	exit := func(code string, line int32) error {
		where := []*pb.Range{{Start: &pb.Position{Line: line}, End: &pb.Position{Line: line}}}
		return errdefs.WithSource(errors.New("exit code: "+code), &errdefs.Source{Ranges: where})
	}
	const (
		lint = "stage lint failed and is required by --after=lint of stage release (Dockerfile:9)"
		test = "stage test failed and is required by --after=test of stage release (Dockerfile:9)"
	)
	for _, tt := range []struct {
		name               string
		target, lint, test error
		want               string
		lines              []int32 // with a code frame
	}{
		{name: "all pass"},
		{name: "a gate fails", target: context.Canceled, lint: exit("1", 3), test: context.Canceled,
			want: lint + ": exit code: 1", lines: []int32{3}},
		{name: "two gates fail", target: context.Canceled, lint: exit("1", 3), test: exit("2", 5),
			want: lint + ": exit code: 1; also: " + test + ": exit code: 2", lines: []int32{3, 5}},
		{name: "two gates fail for one reason", lint: exit("1", 3), test: exit("1", 3),
			want: lint + "; " + test + ": exit code: 1", lines: []int32{3}},
		{name: "the target fails", target: exit("3", 7), lint: context.Canceled,
			want: "exit code: 3", lines: []int32{7}},
		{name: "the target and a gate fail", target: exit("3", 7), lint: exit("1", 3),
			want: "exit code: 3; also: " + lint + ": exit code: 1", lines: []int32{7, 3}},
		{name: "the target and a gate fail for one reason", target: exit("3", 7), lint: exit("3", 7),
			want: "exit code: 3", lines: []int32{7}},
		{name: "the client gives up", target: context.Canceled, lint: context.Canceled, test: context.Canceled,
			want: "context canceled"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &compilation{Request: compiler.Request{Files: dockerfile.NewFiles("Dockerfile", nil, nil)}}
			at := dockerfile.Loc{Ranges: []parser.Range{{Start: parser.Position{Line: 9}, End: parser.Position{Line: 9}}}}
			gates := []compiler.Gate{{Name: "lint", By: "release", Loc: at}, {Name: "test", By: "release", Loc: at}}
			err := c.outcome(tt.target, gates, []error{tt.lint, tt.test})
			if tt.want == "" {
				if err != nil {
					t.Fatalf("got %v", err)
				}
				return
			}
			if err == nil || err.Error() != tt.want {
				t.Fatalf("got  %v\nwant %s", err, tt.want)
			}
			var lines []int32
			for _, src := range errdefs.Sources(err) {
				lines = append(lines, src.Ranges[0].Start.Line)
			}
			if len(lines) != len(tt.lines) {
				t.Fatalf("code frames of lines %v, want %v", lines, tt.lines)
			}
			for i := range lines {
				if lines[i] != tt.lines[i] {
					t.Errorf("code frames of lines %v, want %v", lines, tt.lines)
				}
			}
		})
	}
}

// TestGatesLeaveTheTargetAlone compares operations with and without --after:
// the target's are the same to the byte, and each gate's are those of
// --target, but for the name of the copy that the daemon keeps of the context.
func TestGatesLeaveTheTargetAlone(t *testing.T) {
	const text = `FROM alpine AS base
COPY common /
FROM base AS test
COPY . .
RUN make test
FROM --after=test alpine AS lint
RUN --mount=target=/src make lint
FROM --after=lint base AS release
COPY main main
RUN make
`
	gated := buildsOf(t, text, "")
	plain := buildsOf(t, strings.ReplaceAll(text, " --after=lint", ""), "")
	if len(plain) != 1 || len(gated) != 3 {
		t.Fatalf("%d and %d builds, want 1 and 3", len(plain), len(gated))
	}
	if got, want := operations(t, gated, "release", true), operations(t, plain, "release", true); got != want {
		t.Errorf("with the flag the target is\n%s\nand without it\n%s", got, want)
	}
	for _, name := range []string{"lint", "test"} {
		alone := buildsOf(t, text, name)
		if got, want := operations(t, gated, name, false), operations(t, alone, name, false); got != want {
			t.Errorf("gate %s:\n%s\nwith --target:\n%s", name, got, want)
		}
	}
	for _, solve := range gated {
		if !solve.Evaluate {
			t.Errorf("the build does not wait for a gate or for its target")
		}
	}
}

// buildsOf are the builds that the daemon is asked for, without those that
// only read a file.
func buildsOf(t *testing.T, text, target string) []client.SolveRequest {
	t.Helper()
	g := gatewayOf(text, map[string]string{"target": target})
	if _, err := Build(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	var builds []client.SolveRequest
	for _, solve := range g.Solves() {
		if len(solve.Definition.Def) > 2 {
			builds = append(builds, solve)
		}
	}
	return builds
}

// gatewayOf has a Dockerfile and nothing else.
func gatewayOf(text string, opts map[string]string) *llbtest.Gateway {
	return &llbtest.Gateway{
		Opts:   opts,
		Files:  map[string]map[string]string{"dockerfile": {"Dockerfile": text}},
		Worker: ocispecs.Platform{OS: "linux", Architecture: "amd64"},
	}
}

// operations are those of the build whose last step is of a stage, as text,
// without what is random. hints leaves the names of copies in.
func operations(t *testing.T, builds []client.SolveRequest, stage string, hints bool) string {
	t.Helper()
	for _, build := range builds {
		def := build.Definition
		var text strings.Builder
		last := ""
		numbers := map[string]string{}
		for i, dt := range def.Def {
			var op pb.Op
			if err := op.UnmarshalVT(dt); err != nil {
				t.Fatal(err)
			}
			for _, in := range op.Inputs {
				last, in.Digest = in.Digest, numbers[in.Digest]
			}
			if src := op.GetSource(); src != nil {
				delete(src.Attrs, pb.AttrLocalUniqueID)
				if !hints {
					delete(src.Attrs, pb.AttrSharedKeyHint)
				}
			}
			numbers[digest.FromBytes(dt).String()] = strconv.Itoa(i)
			fmt.Fprintln(&text, protojson.Format(&op))
		}
		if strings.HasPrefix(def.Metadata[last].Description["llb.customname"], "["+stage+" ") {
			return text.String()
		}
	}
	t.Fatalf("no build of %s among %d", stage, len(builds))
	return ""
}

// TestFilesAreReadOnce counts what is asked of the daemon for a file that two
// platforms, two stages and a gate use.
func TestFilesAreReadOnce(t *testing.T) {
	const text = `FROM --context=./svc ./svc/Dockerfile#build AS build
FROM ./svc/Dockerfile#test AS test
FROM --after=test scratch
COPY --from=build / /
`
	g := gatewayOf(text, map[string]string{"platform": "linux/amd64,linux/arm64"})
	g.Files["dockerfile"]["svc/Dockerfile"] = "FROM alpine AS build\nCOPY . .\nRUN make\nFROM build AS test\nRUN make test\n"
	g.Files["context"] = map[string]string{"svc/.dockerignore": "*.md\n", "svc/main.go": ""}
	if _, err := Build(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	loads := map[string]int{}
	for _, solve := range g.Solves() {
		for _, md := range solve.Definition.Metadata {
			if name := md.Description["llb.customname"]; len(solve.Definition.Def) == 2 && name != "" {
				loads[name]++
			}
		}
	}
	for _, want := range []string{"[internal] load svc/Dockerfile", "[internal] load svc/.dockerignore"} {
		if loads[want] != 1 {
			t.Errorf("%q %d times, want once, of %v", want, loads[want], loads)
		}
	}
}
