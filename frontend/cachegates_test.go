package frontend

import (
	"strings"
	"testing"

	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/util/apicaps"
	"github.com/stagecraft/stagecraft/llb/llbtest"
)

// The results of gates stand next to the build's, under a name that is no platform, where the client asks for it.
// A value that says neither yes nor no is refused before anything is built, and so is a daemon that cannot have it.
func TestCacheGates(t *testing.T) {
	const dockerfile = "FROM alpine AS test\nRUN true\nFROM --after=test scratch\nCOPY a /\n"
	for _, c := range []struct {
		value string
		lacks []apicaps.CapID
		gates int
		fails string
	}{
		{"", nil, 0, ""},
		{"0", nil, 0, ""},
		{"1", nil, 1, ""},
		{"true", nil, 1, ""},
		{"yes", nil, 0, "write 1"},
		{"1", []apicaps.CapID{gwpb.CapAttestations}, 0, "missing capability reference.attestations"},
	} {
		opts := map[string]string{}
		if c.value != "" {
			opts["build-arg:STAGECRAFT_CACHE_GATES"] = c.value
		}
		g := &llbtest.Gateway{Opts: opts, Lacks: c.lacks, Files: map[string]map[string]string{"dockerfile": {"Dockerfile": dockerfile}}}
		res, err := Build(t.Context(), g)
		if c.fails != "" {
			if err == nil || !strings.Contains(err.Error(), c.fails) || len(g.Solves()) > 1 {
				t.Errorf("%q: %v after %d solves, want %s", c.value, err, len(g.Solves()), c.fails)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for name, list := range res.Attestations {
			if !strings.HasPrefix(name, gatesOf) || strings.Contains(name, "\n") {
				t.Errorf("%q: attestations of %q", c.value, name)
			}
			found += len(list)
		}
		if found != c.gates {
			t.Errorf("%q: %d gates in the result, want %d", c.value, found, c.gates)
		}
	}
}
