package llb_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/crash"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/resolve"
)

// panicking is an outside world that panics where it is asked for an image.
type panicking struct{ resolve.Sources }

func (panicking) HasContext(string, *ocispecs.Platform) (bool, error) { return false, nil }

func (panicking) Image(context.Context, string, ocispecs.Platform, string) (resolve.Image, error) {
	panic("out of order")
}

// A panic in a goroutine that looks up an image is an error of the FROM that
// names it.
func TestPanicWhileResolving(t *testing.T) {
	_, err := llb.Evaluate(t.Context(), llb.Request{
		Config:  dockerui.Config{BuildPlatforms: []ocispecs.Platform{{OS: "linux", Architecture: "amd64"}}},
		Files:   dockerfile.NewFiles("Dockerfile", []byte("FROM scratch AS a\nFROM alpine AS b\nFROM a\nCOPY --from=b / /\n"), nil),
		Sources: panicking{},
	})
	var crashed *crash.Error
	if !errors.As(err, &crashed) || !strings.HasPrefix(crashed.Stack, "llb_test.panicking.Image (panic_test.go:") {
		t.Fatalf("no crash with its stack: %v", err)
	}
	var located *parser.LocationError
	if !errors.As(err, &located) || located.Locations[0][0].Start.Line != 2 {
		t.Errorf("not located at line 2: %v", err)
	}
}

// A panic while an instruction is evaluated is an error of the instruction;
// here, who is shown a finding of the build checks panics.
func TestPanicWhileEvaluating(t *testing.T) {
	_, err := llb.Evaluate(t.Context(), llb.Request{
		Config:  dockerui.Config{BuildPlatforms: []ocispecs.Platform{{OS: "linux", Architecture: "amd64"}}},
		Files:   dockerfile.NewFiles("Dockerfile", []byte("FROM scratch\nWORKDIR /\nCOPY $UNKNOWN /\n"), nil),
		Sources: panicking{},
		Warn: func(_ dockerfile.FileID, rule, _, _, _ string, _ []parser.Range) {
			panic("out of order: " + rule)
		},
	})
	var crashed *crash.Error
	if !errors.As(err, &crashed) || !strings.Contains(crashed.Stack, "\nllb/plan.(*stageEval).instruction (") || err.Error() != "COPY cannot be evaluated: out of order: UndefinedVar" {
		t.Fatalf("no crash with its stack: %v", err)
	}
	var located *parser.LocationError
	if !errors.As(err, &located) || located.Locations[0][0].Start.Line != 3 {
		t.Errorf("not located at line 3: %v", err)
	}
}
