package plan

import (
	"maps"
	"slices"

	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// Assigned is a variable that an ARG or an ENV of the build gave its value. Those of a base image are in none.
type Assigned struct {
	Name, Value string
	// Code is the instruction as written, and Loc where it stands.
	Code string
	Loc  dockerfile.Loc
	// Arg says that it is an ARG: its value may come from the client.
	Arg bool
	// Uses are the variables that the instruction refers to.
	Uses []*Assigned
}

// recorder is an environment that notes which of its variables are asked for.
type recorder struct {
	*stage.Env
	asked map[string]bool
}

func (r *recorder) Get(key string) (string, bool) {
	value, ok := r.Env.Get(key)
	if ok {
		r.asked[key] = true
	}
	return value, ok
}

// assign notes that the current instruction gave a variable a value.
func (e *stageEval) assign(name, value, code string, arg bool) {
	uses := e.usedVars()
	if e.assigned == nil {
		e.assigned = map[string]*Assigned{}
	}
	e.assigned[name] = &Assigned{Name: name, Value: value, Code: code, Loc: e.loc, Arg: arg, Uses: uses}
}

// usedVars returns the variables that the current instruction refers to, by name.
func (e *stageEval) usedVars() []*Assigned {
	var used []*Assigned
	for _, name := range slices.Sorted(maps.Keys(e.asked)) {
		if a := e.assigned[name]; a != nil {
			used = append(used, a)
		}
	}
	return used
}

// vars returns the variables on which a step depends: a program sees all of them.
func (e *stageEval) vars(step *Step) []*Assigned {
	if _, runs := step.Op.(*Run); !runs {
		return e.usedVars()
	}
	var all []*Assigned
	for _, name := range slices.Sorted(maps.Keys(e.assigned)) {
		if value, ok := e.env.Get(name); ok && value == e.assigned[name].Value {
			all = append(all, e.assigned[name])
		}
	}
	return all
}
