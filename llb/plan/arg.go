package plan

import (
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// arg declares variables. [stage.Globals.ArgValue] knows their values; an ARG
// may have none.
func (e *stageEval) arg(c *instructions.ArgCommand, loc dockerfile.Loc) error {
	var declared []string
	for i, kv := range c.Args {
		e.checkSecretName("ARG", kv.Key, c)
		value, origin, err := e.unit.Globals.ArgValue(kv, func(word string) (string, error) { return e.word(e.lex, word, c) })
		if err != nil {
			return err
		}
		if origin != stage.NoValue {
			kv.Value = &value
		}
		known := stage.Arg{Definition: kv, Loc: loc, Index: i, Value: kv.ValueString()}
		if kv.Value != nil && !stage.IsScanArg(kv.Key) {
			e.env.Set(kv.Key, *kv.Value)
			e.assign(kv.Key, *kv.Value, c.String(), true)
		}
		// A value from the global scope is documented where it is given.
		e.out.Asks.declare(known, origin != stage.FromGlobal)
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
