package plan

import (
	"maps"
	"runtime"
	"slices"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/moby/buildkit/util/suggest"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// expand replaces the variables in an instruction. ARG expands its own
// defaults, because a build argument may make them unimportant.
func (e *stageEval) expand(in *stage.Instruction) error {
	if c, ok := in.Command.(instructions.SupportsSingleWordExpansion); ok {
		if _, isArg := in.Command.(*instructions.ArgCommand); !isArg {
			err := c.Expand(func(word string) (string, error) { return e.word(e.lex, word, in) })
			if err != nil {
				return err
			}
		}
	}
	if c, ok := in.Command.(instructions.SupportsSingleWordExpansionRaw); ok {
		return c.ExpandRaw(func(text string) (string, error) {
			// Here-documents keep their quotes, and have the shell's escape
			// character whatever the file's is.
			lex := shell.NewLex('\\')
			lex.SkipProcessQuotes = true
			return e.word(lex, text, in)
		})
	}
	return nil
}

func (e *stageEval) word(lex *shell.Lex, word string, in instructions.Command) (string, error) {
	expanded, unmatched, err := lex.ProcessWord(word, &recorder{&e.env, e.asked})
	e.checkUndefined(in, unmatched)
	return expanded, err
}

// checkUndefined reports variables that nothing sets. ARGs without a value are
// declared, if not set.
func (e *stageEval) checkUndefined(in instructions.Command, unmatched map[string]struct{}) {
	for _, arg := range e.declared {
		delete(unmatched, arg.Key)
	}
	for _, name := range slices.Sorted(maps.Keys(unmatched)) {
		if stage.IsScanArg(name) {
			continue
		}
		meant, _ := suggest.Search(name, e.env.Keys(), runtime.GOOS != "windows")
		e.lint.Run(&linter.RuleUndefinedVar, in.Location(), linter.RuleUndefinedVar.Format(name, meant))
	}
}
