package frontend

import (
	"context"
	"strings"
	"testing"

	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/stagecraft/stagecraft/llb/llbtest"
)

// panicking is a daemon's client of which one solve panics.
type panicking struct {
	*llbtest.Gateway
	at, solves int
}

func (p *panicking) Solve(ctx context.Context, r gateway.SolveRequest) (*gateway.Result, error) {
	if p.solves++; p.solves == p.at {
		panic("out of order")
	}
	return p.Gateway.Solve(ctx, r)
}

// A panic is an error of the build, in whichever goroutine it comes: the first
// solve reads the Dockerfile, the third builds a platform.
func TestPanicsAreErrors(t *testing.T) {
	for _, at := range []int{1, 3} {
		c := &panicking{at: at, Gateway: &llbtest.Gateway{
			Opts:  map[string]string{"platform": "linux/amd64"},
			Files: map[string]map[string]string{"dockerfile": {"Dockerfile": "FROM alpine\nCOPY a b\n"}},
		}}
		if _, err := Build(t.Context(), c); err == nil || !strings.Contains(err.Error(), "please report it: out of order") {
			t.Errorf("solve %d: %v", at, err)
		}
	}
}
