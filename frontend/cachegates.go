package frontend

import (
	"github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/pkg/errors"
)

// cacheGates is the option with which the steps of gates are part of the
// cache that the client exports.
const cacheGates = "CACHE_GATES"

// gatesOf is the beginning of a name under which the results of gates stand
// among the attestations. It is no platform: exporters of images look for the
// attestations of platforms only, while the exporters of caches take all that
// a result refers to.
const gatesOf = "stagecraft gates of "

// cachesGates reports whether the client wants the steps of gates in the
// cache that it exports. It is an error where that cannot be had.
func (r *request) cachesGates() (bool, error) {
	switch value := r.option(cacheGates); value {
	case "", "0", "false":
		return false, nil
	case "1", "true":
	default:
		return false, errors.Errorf("--build-arg STAGECRAFT_%s=%s: write 1 to have the steps of gates in the exported cache, or leave it out", cacheGates, value)
	}
	caps := r.UI.BuildOpts().Caps
	if caps.Supports(gwpb.CapAttestations) != nil {
		return false, errors.Errorf("--build-arg STAGECRAFT_%s=1 requires results with attestations, which this daemon does not support (missing capability %s); "+
			"upgrade Docker or BuildKit, or remove it", cacheGates, gwpb.CapAttestations)
	}
	return true, nil
}

// cacheGates adds the results of gates to the build's. What is made of the
// result stays the same: see gatesOf.
func (b *built) cacheGates() {
	b.gates.Range(func(platform string, passed []client.Reference) bool {
		for _, ref := range passed {
			b.AddAttestation(gatesOf+platform, client.Attestation{Kind: gwpb.AttestationKind_Bundle, Path: "/", Ref: ref})
		}
		return true
	})
}
