package stage

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/moby/buildkit/util/suggest"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// staticVars are the variables that a reference to a stage can use: those
// whose value is known before any base image is, so that the graph is
// complete before anything is fetched. They are the global and platform args,
// and the ARGs of the stage and of the stages that it is built from.
type staticVars struct {
	env       Env
	globals   *Env
	buildArgs map[string]string
	escape    func(*Instruction) rune
	place     func(dockerfile.Loc) string
	// unknown says of other variables why they have no static value, and
	// unset of ARGs why they have none at all.
	unknown, unset map[string]string
	// stages are the names that a reference can have, for messages.
	stages []string
}

// staticVars are the variables in a stage behind some of its instructions.
// References with variables are few: what they need is gathered for each.
func (g *Graph) staticVars(id ID, behind []Instruction) *staticVars {
	v := g.inheritedVars(id)
	for i := range behind {
		v.see(&behind[i])
	}
	return v
}

// inheritedVars are what a stage has from the global scope and from the
// stages that it is built from.
func (g *Graph) inheritedVars(id ID) *staticVars {
	u := g.UnitOf(g.Node(id))
	v := &staticVars{
		env:       u.Globals.Env.Clone(),
		globals:   &u.Globals.Env,
		buildArgs: g.opt.BuildArgs,
		escape:    func(in *Instruction) rune { return u.File.Escape(in.Loc) },
		place:     g.Files.Place,
		unknown:   map[string]string{},
		unset:     map[string]string{},
		stages:    g.unitNames(id),
	}
	for name, arg := range u.Globals.Args {
		if arg.Definition.Value == nil {
			v.unset[name] = v.noValue(name, arg.Loc)
		}
	}
	var bases []ID
	for b := g.Node(id).Base; b != None && !slices.Contains(bases, b); b = g.Node(b).Base {
		if g.Node(b).Unit != g.Node(id).Unit {
			break // another file's args are its own
		}
		bases = append(bases, b)
	}
	for _, b := range slices.Backward(bases) {
		for i := range g.Node(b).Steps {
			v.see(&g.Node(b).Steps[i])
		}
	}
	return v
}

// see takes an instruction into account.
func (v *staticVars) see(in *Instruction) {
	switch c := in.Command.(type) {
	case *instructions.ArgCommand:
		for _, kv := range c.Args {
			v.declare(kv, in)
		}
	case *instructions.EnvCommand:
		for _, kv := range c.Env {
			v.forget(kv.Key, fmt.Sprintf("ENV sets %s on %s, and the environment depends on the base image", kv.Key, v.place(in.Loc)))
		}
	}
}

func (v *staticVars) declare(kv instructions.KeyValuePairOptional, in *Instruction) {
	if given, ok := v.buildArgs[kv.Key]; ok {
		v.know(kv.Key, given)
		return
	}
	if kv.Value == nil {
		if global, ok := v.globals.Get(kv.Key); ok {
			v.know(kv.Key, global)
		} else {
			v.unset[kv.Key] = v.noValue(kv.Key, in.Loc)
		}
		return
	}
	res, err := shell.NewLex(v.escape(in)).ProcessWordWithMatches(*kv.Value, &v.env)
	if err != nil {
		v.forget(kv.Key, fmt.Sprintf("the default of ARG %s on %s is malformed", kv.Key, v.place(in.Loc)))
		return
	}
	for _, name := range sortedKeys(res.Unmatched) {
		why, ok := v.unknown[name]
		if !ok && !uses(*kv.Value, name) {
			continue // the reference has a default of its own
		}
		if !ok {
			why = fmt.Sprintf("only the base image could set %s", name)
		}
		v.forget(kv.Key, fmt.Sprintf("the default of ARG %s on %s uses %s: %s", kv.Key, v.place(in.Loc), name, why))
		return
	}
	v.know(kv.Key, res.Result)
}

func (v *staticVars) noValue(name string, loc dockerfile.Loc) string {
	return fmt.Sprintf("ARG %s on %s has no default and no build argument, and what a base image sets is known too late", name, v.place(loc))
}

func (v *staticVars) know(name, value string) {
	delete(v.unknown, name)
	v.env.Set(name, value)
}

func (v *staticVars) forget(name, why string) {
	v.env.Delete(name)
	v.unknown[name] = why
}

// expand is a reference with its variables replaced. flag is the reference as
// the user knows it.
func (v *staticVars) expand(lex *shell.Lex, flag, ref string) (string, error) {
	res, err := lex.ProcessWordWithMatches(ref, &v.env)
	if err != nil {
		return "", errors.Wrap(err, flag)
	}
	for _, name := range sortedKeys(res.Unmatched) {
		if why, ok := v.unknown[name]; ok {
			return "", errors.Errorf("%s: %s is not known before the build runs: %s; use an ARG with a plain default", flag, name, why)
		}
		if uses(ref, name) {
			return "", v.notSet(flag, name)
		}
	}
	if res.Result == "" {
		return "", errors.Errorf("%s: the value is empty; %s", flag, v.known())
	}
	return res.Result, nil
}

// notSet is the error for a variable without a value.
func (v *staticVars) notSet(flag, name string) error {
	if why, ok := v.unset[name]; ok {
		return errors.Errorf("%s: %s is not set: %s; %s", flag, name, why, v.known())
	}
	err := errors.Errorf("%s: %s is not set: no ARG before the first FROM or above in this stage has the name; %s", flag, name, v.known())
	return suggest.WrapError(err, name, v.env.Keys(), true)
}

// known are the names that a reference can use: the variables that have a
// value, and the stages.
func (v *staticVars) known() string {
	names := slices.Sorted(slices.Values(v.env.Keys()))
	names = slices.DeleteFunc(names, func(n string) bool { val, _ := v.env.Get(n); return val == "" })
	text := "known variables are " + strings.Join(names, ", ")
	return text + "; " + knownStages(v.stages)
}

// uses says that an expression needs a variable: it has no default for it.
func uses(expr, name string) bool {
	return regexp.MustCompile(`\$(` + regexp.QuoteMeta(name) + `\b|\{` + regexp.QuoteMeta(name) + `[}#%/])`).MatchString(expr)
}
