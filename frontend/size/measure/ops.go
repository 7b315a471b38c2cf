package measure

import (
	"context"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	"google.golang.org/protobuf/proto"
)

// graph is operations by their digests, in an order in which each comes after its inputs.
type graph struct {
	constraints *llb.Constraints
	defs        [][]byte
	ops         map[digest.Digest]*pb.Op
	metadata    map[string]*pb.OpMetadata
	seen        map[llb.Vertex]bool
}

// newGraph returns an empty graph. With the constraints of a definition that was solved before, operations have
// the digests that they have there, local folders among them, and nothing is sent or run again.
func newGraph(constraints *llb.Constraints) *graph {
	return &graph{
		constraints: constraints,
		ops:         map[digest.Digest]*pb.Op{},
		metadata:    map[string]*pb.OpMetadata{},
		seen:        map[llb.Vertex]bool{},
	}
}

// state adds the operations of a state, and returns which output it is; nil for the empty filesystem.
func (g *graph) state(ctx context.Context, st llb.State) (*pb.Input, error) {
	out := st.Output()
	if out == nil {
		return nil, nil
	}
	if err := g.vertex(ctx, out.Vertex(ctx, g.constraints)); err != nil {
		return nil, err
	}
	return out.ToInput(ctx, g.constraints)
}

func (g *graph) vertex(ctx context.Context, v llb.Vertex) error {
	if v == nil || g.seen[v] {
		return nil
	}
	g.seen[v] = true
	for _, in := range v.Inputs() {
		if in == nil {
			continue
		}
		if err := g.vertex(ctx, in.Vertex(ctx, g.constraints)); err != nil {
			return err
		}
	}
	dgst, data, metadata, _, err := v.Marshal(ctx, g.constraints)
	if err != nil {
		return err
	}
	return g.store(dgst, data, metadata)
}

func (g *graph) store(dgst digest.Digest, data []byte, metadata *pb.OpMetadata) error {
	if g.ops[dgst] != nil {
		return nil
	}
	op := &pb.Op{}
	if err := op.UnmarshalVT(data); err != nil {
		return err
	}
	g.ops[dgst] = op
	g.defs = append(g.defs, data)
	g.metadata[dgst.String()] = metadata
	return nil
}

// add adds an operation and returns its digest. The name is for the progress.
func (g *graph) add(op *pb.Op, name string, caps ...string) (digest.Digest, error) {
	// The daemon knows operations by their bytes: the entries of maps need an order.
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(op)
	if err != nil {
		return "", err
	}
	metadata := &pb.OpMetadata{
		Description: map[string]string{"llb.customname": "[internal] " + name},
		Caps:        map[string]bool{},
	}
	for _, c := range caps {
		metadata.Caps[c] = true
	}
	dgst := digest.FromBytes(data)
	return dgst, g.store(dgst, data, metadata)
}

// definition returns the graph as a definition of one output.
func (g *graph) definition(out *pb.Input) (*pb.Definition, error) {
	end, err := (&pb.Op{Inputs: []*pb.Input{out}}).MarshalVT()
	if err != nil {
		return nil, err
	}
	metadata := map[string]*pb.OpMetadata{digest.FromBytes(end).String(): {}}
	for dgst, m := range g.metadata {
		metadata[dgst] = m
	}
	return &pb.Definition{Def: append(g.defs[:len(g.defs):len(g.defs)], end), Metadata: metadata}, nil
}
