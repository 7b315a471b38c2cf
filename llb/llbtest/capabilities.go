package llbtest

import (
	"slices"

	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	capspb "github.com/moby/buildkit/util/apicaps/pb"
	"github.com/pkg/errors"
)

// What BuildKit's client library does in front of a daemon that lacks a
// capability, so that a frontend meets here what it meets there.

func (g *Gateway) caps() apicaps.CapSet { return gwpb.Caps.CapSet(g.has(gwpb.Caps.All())) }

func (g *Gateway) llbCaps() apicaps.CapSet { return pb.Caps.CapSet(g.has(pb.Caps.All())) }

// has returns those of some capabilities that the daemon has.
func (g *Gateway) has(all []*capspb.APICap) []*capspb.APICap {
	return slices.DeleteFunc(all, func(c *capspb.APICap) bool {
		id := apicaps.CapID(c.ID)
		return slices.Contains(g.Lacks, id) || g.OldDaemon && slices.Contains(youngCaps, id)
	})
}

// supports is the library's error for a capability of the gateway.
func (g *Gateway) supports(id apicaps.CapID) error {
	caps := g.caps()
	return caps.Supports(id)
}

// refuse is the library's error for a definition that it does not send.
func (g *Gateway) refuse(def *pb.Definition) error {
	caps := g.llbCaps()
	for _, md := range def.GetMetadata() {
		for id := range md.Caps {
			if err := caps.Supports(apicaps.CapID(id)); err != nil {
				return err
			}
		}
	}
	return nil
}

// evaluate is how the library has a result built at once where the daemon
// knows only how to build it when it is read.
func (g *Gateway) evaluate(req gwclient.SolveRequest) error {
	if !req.Evaluate || g.supports(gwpb.CapGatewayEvaluateSolve) == nil {
		return nil
	}
	return g.supports(gwpb.CapStatFile)
}

// deliver returns what the library makes of a frontend's result.
func (g *Gateway) deliver(res *gwclient.Result, err error) (*gwclient.Result, error) {
	if err == nil && len(res.Refs) > 1 {
		if err := g.supports(gwpb.CapReturnMap); err != nil {
			return nil, err
		}
	}
	return res, err
}

// errUnimplemented is what an old daemon says of a call that it does not know.
var errUnimplemented = errors.New("rpc error: code = Unimplemented desc = unknown method")

// youngCaps are the capabilities without which there is another way, or which
// change operations.
var youngCaps = []apicaps.CapID{
	pb.CapMergeOp,
	pb.CapExecMetaUlimit,
	pb.CapExecMetaCDI,
	pb.CapExecMetaCgroupParent,
	pb.CapExecMetaLinuxResources,
	pb.CapExecMetaSetsDefaultPath,
	pb.CapExecMountTmpfsSize,
	pb.CapExecMountBindReadWriteNoOutput,
}
