package frontend

import (
	"context"

	"github.com/moby/buildkit/frontend/subrequests/convertllb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	"github.com/stagecraft/stagecraft/frontend/answer"
	"github.com/stagecraft/stagecraft/frontend/gateway"
)

// convertLLBCall returns the definition of the target as JSON.
func convertLLBCall(ctx context.Context, r *request) (answer.Answer, error) {
	compiled, err := r.compilation(ctx, gateway.Goal{}).warning(r.reporter(ctx), nil).compile(ctx)
	if err != nil {
		return answer.Answer{}, err
	}
	def, err := compiled.definition(ctx)
	if err != nil {
		return answer.Answer{}, err
	}
	res := &convertllb.Result{
		Def:      make(map[digest.Digest]*pb.Op, len(def.Def)),
		Metadata: def.Metadata,
		Source:   def.Source,
	}
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.UnmarshalVT(dt); err != nil {
			return answer.Answer{}, err
		}
		res.Def[digest.FromBytes(dt)] = &op
	}
	return upstream(res.ToResult())
}
