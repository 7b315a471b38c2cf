package llb

import (
	"context"
	"unicode/utf8"

	"github.com/moby/buildkit/client/llb"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/plan"
)

// Marshal returns the definition of the target for the daemon. A command that
// is not UTF-8, which no definition can have, is a located error.
func (c *Compiled) Marshal(ctx context.Context) (*llb.Definition, error) {
	def, err := c.Result.Marshal(ctx)
	if err == nil {
		return def, nil
	}
	for _, s := range c.Plan.Stages {
		for _, step := range s.Steps {
			run, ok := step.Op.(*plan.Run)
			if !ok {
				continue
			}
			for _, arg := range run.Args {
				if b, ok := invalidByte(arg); ok {
					return nil, dockerfile.At(errors.WithMessagef(err, `the command has the byte \x%02x, which is not UTF-8, and BuildKit runs no such command: `+
						`save the file as UTF-8, or write the byte as $(printf '\%03o')`, b, b), step.Loc)
				}
			}
		}
	}
	return nil, err
}

// invalidByte returns the first byte of a text that is not UTF-8.
func invalidByte(text string) (byte, bool) {
	for i, r := range text {
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(text[i:]); n == 1 {
				return text[i], true
			}
		}
	}
	return 0, false
}
