package lower

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/moby/buildkit/solver/pb"
	"github.com/stagecraft/stagecraft/llb/plan"
)

// canBeFresh reports whether the daemon lets a RUN be another operation in
// each build without the program noticing.
func (l *lowerer) canBeFresh() bool { return l.opt.supports(pb.CapExecValidExitCode) }

// ignoresCache reports whether an operation is carried out although its result
// is cached. A daemon that cannot have a step fresh does so with the step and
// with all that is made from it.
func (l *lowerer) ignoresCache(step *plan.Step) bool {
	return step.IgnoreCache || (step.Fresh || step.AfterFresh) && !l.canBeFresh()
}

// freshCodes returns the exit codes that count as a success: 0, and two more that
// no program ends with and no other build has. They are part of what the daemon
// knows an operation by, and nothing that the program sees.
func freshCodes(build string) []int {
	sum := sha256.Sum256([]byte(build))
	codes := []int{0}
	for i := range 2 {
		codes = append(codes, int(binary.BigEndian.Uint32(sum[4*i:])&0x3fffffff|0x40000000))
	}
	return codes
}
