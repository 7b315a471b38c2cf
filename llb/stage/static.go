package stage

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/pkg/errors"
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
	// unknown says of other variables why they have no static value.
	unknown map[string]string
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
		unknown:   map[string]string{},
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
			v.forget(kv.Key, fmt.Sprintf("ENV sets %s on line %d, and the environment depends on the base image", kv.Key, in.Loc.Line()))
		}
	}
}

func (v *staticVars) declare(kv instructions.KeyValuePairOptional, in *Instruction) {
	delete(v.unknown, kv.Key)
	if given, ok := v.buildArgs[kv.Key]; ok {
		v.env.Set(kv.Key, given)
		return
	}
	if kv.Value == nil {
		if global, ok := v.globals.Get(kv.Key); ok {
			v.env.Set(kv.Key, global)
		}
		return
	}
	res, err := shell.NewLex(v.escape(in)).ProcessWordWithMatches(*kv.Value, &v.env)
	if err != nil {
		v.forget(kv.Key, fmt.Sprintf("the default of ARG %s on line %d is malformed", kv.Key, in.Loc.Line()))
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
		v.forget(kv.Key, fmt.Sprintf("the default of ARG %s on line %d uses %s: %s", kv.Key, in.Loc.Line(), name, why))
		return
	}
	v.env.Set(kv.Key, res.Result)
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
			return "", errors.Errorf("%s: %s is not set; known here are %s", flag, name, v.names())
		}
	}
	if res.Result == "" {
		return "", errors.Errorf("%s: the value is empty; known here are %s", flag, v.names())
	}
	return res.Result, nil
}

// names are the variables that have a value, for messages.
func (v *staticVars) names() string {
	names := slices.Sorted(slices.Values(v.env.Keys()))
	return strings.Join(slices.DeleteFunc(names, func(n string) bool { val, _ := v.env.Get(n); return val == "" }), ", ")
}

// uses says that an expression needs a variable: it has no default for it.
func uses(expr, name string) bool {
	return regexp.MustCompile(`\$(` + regexp.QuoteMeta(name) + `\b|\{` + regexp.QuoteMeta(name) + `[}#%/])`).MatchString(expr)
}
