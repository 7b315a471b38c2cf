package plan

import (
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// arg declares variables. Their value is the build argument, else the default
// that stands here, else that of the global ARG of the same name; there may
// be none.
func (e *stageEval) arg(c *instructions.ArgCommand, loc dockerfile.Loc) error {
	var declared []string
	for i, kv := range c.Args {
		e.checkSecretName("ARG", kv.Key, c)
		given, isGiven := e.opt.BuildArgs[kv.Key]
		global, isGlobal := e.unit.Globals.Env.Get(kv.Key)
		fromGlobal := false
		switch {
		case isGiven:
			kv.Value = &given
		case kv.Value != nil:
			value, err := e.word(e.lex, *kv.Value, c)
			if err != nil {
				return err
			}
			kv.Value = &value
		case isGlobal:
			kv.Value = &global
			fromGlobal = true
		}
		known := stage.Arg{Definition: kv, Loc: loc, Index: i, Value: kv.ValueString()}
		if kv.Value != nil && !isScanArg(kv.Key) {
			e.env.Set(kv.Key, *kv.Value)
		}
		// A value from the global scope is documented where it is given.
		e.out.outline.declare(known, !fromGlobal)
		e.declared = append(e.declared, kv)

		text := kv.Key
		if kv.Value != nil {
			text += "=" + *kv.Value
		}
		declared = append(declared, text)
	}
	e.commit("ARG "+strings.Join(declared, " "), false)
	return nil
}
