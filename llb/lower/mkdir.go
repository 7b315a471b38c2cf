package lower

import (
	"github.com/moby/buildkit/client/llb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagecraft/stagecraft/llb/plan"
)

// mkdir returns the directory of a WORKDIR.
func (l *lowerer) mkdir(fs llb.State, step *plan.Step, op *plan.Mkdir, p ocispecs.Platform) llb.State {
	opts := []llb.MkdirOption{llb.WithParents(true)}
	if op.User != "" {
		opts = append(opts, llb.WithUser(op.User))
	}
	if op.Created != nil {
		opts = append(opts, llb.WithCreatedTime(*op.Created))
	}
	constraints := []llb.ConstraintsOpt{llb.WithCustomName(step.Progress), l.at(step.Loc), llb.Platform(p)}
	if l.ignoresCache(step) {
		constraints = append(constraints, llb.IgnoreCache)
	}
	return fs.File(llb.Mkdir(op.Path, op.Mode, opts...), constraints...)
}
