package plan

import (
	"fmt"
	"strings"

	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// checkReferences compares the variables in the references of an instruction
// with those that RUN has at this place. The graph was made before any base
// image was known; should one set a variable that it took for something else,
// the reference would mean another stage than the reader sees.
func (e *stageEval) checkReferences(in *stage.Instruction) error {
	for i := range in.Refs {
		ref := &in.Refs[i]
		for _, v := range ref.Vars {
			e.out.Asks.use(v.Name)
		}
		if len(ref.Vars) == 0 {
			continue
		}
		now, _, err := e.lex.ProcessWord(ref.Written, e.referenceEnv(ref))
		if err != nil || now != ref.Expanded {
			return e.otherMeaning(ref)
		}
	}
	return nil
}

// referenceEnv returns what RUN has of the variables of a reference, and the global
// args that the stage does not declare.
func (e *stageEval) referenceEnv(ref *stage.Reference) *stage.Env {
	var env stage.Env
	for _, v := range ref.Vars {
		if value, ok := e.env.Get(v.Name); ok {
			env.Set(v.Name, value)
		} else if v.Undeclared {
			env.Set(v.Name, *v.Value)
		}
	}
	return &env
}

// otherMeaning is the error for a reference that RUN would read differently.
func (e *stageEval) otherMeaning(ref *stage.Reference) error {
	var differ, mend []string
	for _, v := range ref.Vars {
		value, ok := e.env.Get(v.Name)
		switch {
		case !ok && v.Undeclared, ok && v.Value != nil && *v.Value == value, !ok && v.Value == nil:
			continue
		case ok:
			differ = append(differ, fmt.Sprintf("RUN has %s=%s there", v.Name, value))
		default:
			differ = append(differ, fmt.Sprintf("RUN has no %s there", v.Name))
		}
		if v.Undeclared {
			mend = append(mend, "ARG "+v.Name)
		} else {
			mend = append(mend, fmt.Sprintf("ARG %s=…", v.Name))
		}
	}
	return errors.Errorf("%s=%s means %s, but %s, because of the base image %s, its triggers or an ENV --from; to set it in this stage, write %s above the line",
		ref.Flag, ref.Written, ref.Expanded, strings.Join(differ, " and "), e.baseName(), strings.Join(mend, " and "))
}

// baseName returns the image that the stage goes back to, as the file has it.
func (e *stageEval) baseName() string { return e.plan.Graph.Node(e.root).Ref }
