package frontend

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/opencontainers/go-digest"
	"github.com/stagecraft/stagecraft/llb/llbtest"
)

// farAway is a daemon's client that takes a moment for each warning.
type farAway struct {
	*llbtest.Gateway
	mu    sync.Mutex
	shown []string
}

func (f *farAway) Warn(ctx context.Context, _ digest.Digest, msg string, _ gateway.WarnOpts) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(50 * time.Millisecond):
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.shown = append(f.shown, msg)
	return nil
}

// Only one platform reports what the checks find. That another one has met the
// error already must not cut it short.
func TestWarningsBeforeAnErrorOfAnotherPlatform(t *testing.T) {
	c := &farAway{Gateway: &llbtest.Gateway{
		Opts:  map[string]string{"platform": "linux/amd64,linux/arm64"},
		Files: map[string]map[string]string{"dockerfile": {"Dockerfile": "FROM scratch AS Upper\nMAINTAINER me\nNONSENSE\n"}},
	}}
	if _, err := Build(t.Context(), c); err == nil {
		t.Error("it was built")
	}
	if len(c.shown) != 2 {
		t.Errorf("shown were %q, want two warnings", c.shown)
	}
}

// A file that is ignored in a folder of --context is so by an ignore file of
// that folder, or of that Dockerfile, which the warning names.
func TestWarningsNameTheIgnoreFile(t *testing.T) {
	for name, want := range map[string]string{
		"svc/.dockerignore":           "is excluded by svc/.dockerignore",
		"svc/Dockerfile.dockerignore": "is excluded by svc/Dockerfile.dockerignore",
		".dockerignore":               "",
	} {
		files := map[string]map[string]string{
			"dockerfile": {"Dockerfile": "FROM --context=./svc ./svc/Dockerfile\n", "svc/Dockerfile": "FROM scratch\nCOPY key /\n"},
			"context":    {"svc/key": "", "svc/other": ""},
		}
		folder := "context"
		if strings.HasSuffix(name, "Dockerfile.dockerignore") {
			folder = "dockerfile"
		}
		files[folder][name] = "key\n"
		c := &farAway{Gateway: &llbtest.Gateway{Opts: map[string]string{"platform": "linux/amd64"}, Files: files}}
		if _, err := Build(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(c.shown, "\n"); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: shown was %q, want %q", name, got, want)
		}
	}
}
