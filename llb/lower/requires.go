package lower

import (
	"fmt"
	"slices"

	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/plan"
)

// requires is an error where a step needs what the daemon is too old for. A
// daemon skips fields of an operation that it does not know, and the image
// would be another than the file says: what is excluded would be copied. It
// refuses capabilities that it does not know, but no client sends it those of
// file operations. What there is another way for, such as --link, is no need.
func (l *lowerer) requires(step *plan.Step) error {
	if l.opt.Caps == nil {
		return nil
	}
	for _, n := range needs(step.Op) {
		if l.opt.supports(n.capability) {
			continue
		}
		where := ""
		if r := step.Loc.Ranges; len(r) > 0 {
			// The clients of such daemons show no source.
			where = fmt.Sprintf("line %d: ", r[0].Start.Line)
		}
		return errors.Errorf("%s%s needs a newer BuildKit than this daemon's, which lacks %s: update Docker or BuildKit, or do without the flag",
			where, n.flag, n.capability)
	}
	return nil
}

// need is a flag as the user writes it and the capability that it takes.
type need struct {
	flag       string
	capability apicaps.CapID
}

func needs(op plan.Op) []need {
	var list []need
	switch op := op.(type) {
	case *plan.Copy:
		for _, src := range op.Sources {
			if f, ok := src.(*plan.Files); ok && len(f.Include) > 0 {
				list = append(list, need{"--parents", pb.CapFileCopyIncludeExcludePatterns})
			}
		}
		if len(op.Excludes) > 0 {
			list = append(list, need{"--exclude", pb.CapFileCopyIncludeExcludePatterns})
		}
		if op.Chmod != nil && op.Chmod.Symbolic != "" {
			// No daemon says that it has file.copy.modestring, the youngest ones do not either. Those without
			// patterns are older than it.
			list = append(list, need{"--chmod=" + op.Chmod.Symbolic, pb.CapFileCopyIncludeExcludePatterns})
		}
	case *plan.Run:
		if slices.ContainsFunc(op.Secrets, func(s plan.Secret) bool { return s.Env != nil }) {
			list = append(list, need{"--mount=type=secret,env=", pb.CapExecSecretEnv})
		}
	}
	return list
}
