package plan

import (
	"slices"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// setFromFile is ENV --file or LABEL --file.
func (e *stageEval) setFromFile(c *dockerfile.FileCommand, in *stage.Instruction) error {
	pairs, err := e.fromFile(c, in)
	if err != nil {
		return err
	}
	if c.Keyword == "LABEL" {
		e.label(&instructions.LabelCommand{Labels: pairs})
		return nil
	}
	for _, kv := range pairs {
		e.checkSecretName("ENV", kv.Key, c)
	}
	e.setPairs(pairs, c.String())
	return nil
}

// fromFile returns the names of an env file with their values. As in Compose, a
// variable in a value is that of the stage, else that of a line above.
func (e *stageEval) fromFile(c *dockerfile.FileCommand, in *stage.Instruction) (instructions.KeyValuePairs, error) {
	list, err := c.Read(e.plan.Graph.Files, in.Loc)
	if err != nil {
		return nil, err
	}
	lex := shell.NewLex('\\')
	var pairs instructions.KeyValuePairs
	var above stage.Env
	for _, a := range list {
		value, ok := e.env.Get(a.Name)
		if !a.Inherit {
			var unmatched map[string]struct{}
			if value, unmatched, err = lex.ProcessWord(a.Word, &around{&e.env, &above}); err != nil {
				return nil, dockerfile.At(err, a.Loc)
			}
			e.checkUndefined(in, unmatched)
		} else if !ok {
			continue
		}
		above.Set(a.Name, value)
		pairs = slices.DeleteFunc(pairs, func(kv instructions.KeyValuePair) bool { return kv.Key == a.Name })
		pairs = append(pairs, instructions.KeyValuePair{Key: a.Name, Value: value})
	}
	return pairs, nil
}

// around are the variables of one scope, and those of the scope around it
// that it has not.
type around struct{ inner, outer *stage.Env }

func (a *around) Get(name string) (string, bool) {
	if value, ok := a.inner.Get(name); ok {
		return value, true
	}
	return a.outer.Get(name)
}

func (a *around) Keys() []string { return slices.Concat(a.inner.Keys(), a.outer.Keys()) }
