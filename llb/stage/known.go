package stage

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/moby/buildkit/util/system"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// staticVars are the variables at one place of a stage as RUN has them there,
// as far as they are known before any base image is: a reference may use them,
// and the graph is complete before anything is fetched. What a base image sets
// against that is found out by the plan, which compares (see package plan,
// checkReferences).
type staticVars struct {
	graph *Graph
	id    ID
	unit  *Unit // of the instruction that is being seen
	// scope is what RUN has, and config what of it is in the image config:
	// that is what a stage starts with which is built from this one.
	scope, config map[string]fact
	// image is the base image that may set further variables; empty where the
	// stage goes back to scratch.
	image string
}

// fact is what is known of a variable that instructions mention.
type fact struct {
	state factState
	value string
	// from is where a known value is from, such as "ARG X on line 3".
	from string
	// why is the reason why there is no value, or no known one, and mend what
	// to do about it.
	why, mend string
}

type factState int

const (
	known   factState = iota
	unknown           // the value depends on the base image
	unset             // there is none
)

// staticVars returns the variables in a stage after some of its instructions.
// References with variables are few: what they need is gathered for each. fired
// says that these instructions are the triggers of the base.
func (g *Graph) staticVars(id ID, before []Instruction, fired bool) *staticVars {
	chain := []ID{id}
	for n := g.Node(id); n.Base != None && !slices.Contains(chain, n.Base) && !g.Node(n.Base).Replaced; n = g.Node(n.Base) {
		chain = append(chain, n.Base)
	}
	slices.Reverse(chain)
	v := &staticVars{graph: g, id: id, scope: map[string]fact{}, config: map[string]fact{}}
	v.start(g.Node(chain[0]))
	for i, b := range chain {
		n := g.Node(b)
		steps := n.Steps
		if b == id {
			steps = before
		}
		v.unit = g.UnitOf(n)
		if i > 0 {
			v.enter(n, chain[i-1], fired && b == id)
		}
		for j := range steps {
			v.see(&steps[j])
		}
	}
	return v
}

// start begins with what the first stage is built from.
func (v *staticVars) start(n *Node) {
	switch {
	case n.Base != None: // a named context took its place, or a cycle
		v.image = v.graph.display(n.Base)
	case n.Ref != Scratch:
		v.image = n.Ref
	case v.graph.UnitOf(n).Platforms.Target.OS != "windows":
		v.set("PATH", fact{value: system.DefaultPathEnv(v.graph.UnitOf(n).Platforms.Target.OS), from: "the empty image"})
	}
}

// enter goes over from a stage to one that is built from it, with the triggers
// that fire there.
func (v *staticVars) enter(n *Node, base ID, fired bool) {
	for name, f := range v.config {
		v.scope[name] = f // wins over an ARG of the base
	}
	if fired || slices.ContainsFunc(n.Steps, func(in Instruction) bool { return in.OnBuild }) {
		return // they are among the steps
	}
	for _, text := range v.graph.StageTriggers(base) {
		if word, _, _ := strings.Cut(text, " "); strings.EqualFold(word, "include") {
			continue // its files are read when it fires
		}
		// What is wrong with a trigger is said when it fires.
		parsed, _ := v.unit.File.ParseTrigger(text, n.Loc)
		for _, p := range parsed {
			v.see(&Instruction{Instruction: p})
		}
	}
}

// set is ENV.
func (v *staticVars) set(name string, f fact) { v.scope[name], v.config[name] = f, f }

// see takes an instruction into account.
func (v *staticVars) see(in *Instruction) {
	lex := shell.NewLex(v.unit.File.Escape(in.Loc))
	switch c := in.Command.(type) {
	case *instructions.ArgCommand:
		for _, kv := range c.Args {
			v.declare(lex, kv, v.where(in))
		}
	case *instructions.EnvCommand:
		v.env(lex, c, v.where(in))
	case *dockerfile.ConfigCommand:
		if c.Keyword == "ENV" {
			v.takeOver(lex, c, v.where(in))
		}
	case *dockerfile.FileCommand:
		if c.Keyword == "ENV" {
			v.envFile(c, in)
		}
	case *dockerfile.UnsetCommand:
		if c.What == "ENV" {
			v.unset(lex, c, v.where(in))
		}
	}
}

// declare is ARG.
func (v *staticVars) declare(lex *shell.Lex, kv instructions.KeyValuePairOptional, place string) {
	if IsScanArg(kv.Key) {
		return
	}
	what := fmt.Sprintf("ARG %s on %s", kv.Key, place)
	f := fact{from: what}
	value, origin, _ := v.unit.Globals.ArgValue(kv, func(word string) (string, error) {
		f = v.expand(lex, word, "the default of "+what, f)
		return f.value, nil
	})
	switch origin {
	case FromClient:
		f.from = "--build-arg " + kv.Key
	case FromGlobal:
		f.from = v.unit.Globals.origin(kv.Key, v.place)
	case NoValue:
		if _, mentioned := v.scope[kv.Key]; mentioned {
			return // it keeps the value that it has
		}
		f = noValue(kv.Key, place)
	}
	f.value = value
	v.scope[kv.Key] = f
}

// noValue returns what is known of an ARG without a value. place is where it stands.
func noValue(name, place string) fact {
	return fact{
		state: unset,
		why:   fmt.Sprintf("ARG %s on %s has no default and no build argument", name, place),
		mend:  fmt.Sprintf("give one with --build-arg %s=…, or a default in ARG %s on %s", name, name, place),
	}
}

// env is ENV. All values have the variables as they are before it.
func (v *staticVars) env(lex *shell.Lex, c *instructions.EnvCommand, place string) {
	facts := map[string]fact{}
	for _, kv := range c.Env {
		what := fmt.Sprintf("ENV %s on %s", kv.Key, place)
		key := v.expand(lex, kv.Key, "", fact{})
		if key.state == known {
			facts[key.value] = v.expand(lex, kv.Value, what, fact{from: what})
		}
	}
	for name, f := range facts {
		v.set(name, f)
	}
}

// takeOver is ENV --from. The plan finds out what * means.
func (v *staticVars) takeOver(lex *shell.Lex, c *dockerfile.ConfigCommand, place string) {
	names, err := lex.ProcessWords(c.Names, facts(v.scope))
	if err != nil {
		return
	}
	for _, name := range names {
		if name != "*" {
			v.set(name, fact{
				state: unknown,
				why:   fmt.Sprintf("ENV on %s takes it over from %s, whose config is read when the build is known", place, c.From),
				mend:  fmt.Sprintf("write ARG %s=… after it", name),
			})
		}
	}
}

// envFile is ENV --file. The stage's variables win over those of the file.
func (v *staticVars) envFile(c *dockerfile.FileCommand, in *Instruction) {
	list, err := c.Read(v.graph.Files, in.Loc)
	if err != nil {
		return // said where the stage is followed
	}
	scope, found := facts(maps.Clone(v.scope)), map[string]fact{}
	for _, a := range list {
		what := fmt.Sprintf("%s on %s", a.Name, v.place(a.Loc))
		f, mentioned := v.scope[a.Name]
		if a.Inherit && (!mentioned || f.state == unset) {
			continue
		} else if !a.Inherit {
			f = v.expandIn(scope, shell.NewLex('\\'), a.Word, what, fact{from: what})
		}
		found[a.Name] = f
		if !mentioned || v.scope[a.Name].state == unset {
			scope[a.Name] = f
		}
	}
	for name, f := range found {
		v.set(name, f)
	}
}

// unset is UNSET ENV. An ARG that is no ENV stays what it is.
func (v *staticVars) unset(lex *shell.Lex, c *dockerfile.UnsetCommand, place string) {
	names, err := lex.ProcessWords(c.Names, facts(v.scope))
	if err != nil {
		return
	}
	if slices.Contains(names, "*") {
		for name := range v.config {
			names = append(names, name)
		}
	}
	for _, name := range names {
		if _, ok := v.config[name]; !ok {
			continue
		}
		delete(v.config, name)
		v.scope[name] = fact{
			state: unset,
			why:   fmt.Sprintf("UNSET ENV on %s removes it", place),
			mend:  fmt.Sprintf("set it again after that, with ARG %s=… or ENV %s=…", name, name),
		}
	}
}

// expand completes f with the value of an expression, or with why that is not
// known. what is the instruction that has the expression.
func (v *staticVars) expand(lex *shell.Lex, expr, what string, f fact) fact {
	return v.expandIn(v.scope, lex, expr, what, f)
}

// expandIn is expand with other variables than those of the scope.
func (v *staticVars) expandIn(scope facts, lex *shell.Lex, expr, what string, f fact) fact {
	res, err := lex.ProcessWordWithMatches(expr, scope)
	if err != nil {
		// The plan says so where the instruction is carried out.
		return fact{state: unknown, why: what + " is malformed", mend: "correct it"}
	}
	for _, name := range sortedKeys(res.Unmatched) {
		cause := scope[name]
		switch {
		case !matters(lex, expr, scope, name):
			continue
		case cause.state == unknown:
			return fact{state: unknown, why: fmt.Sprintf("%s uses %s: %s", what, name, cause.why), mend: cause.mend}
		case v.image != "" && uses(expr, name):
			return v.onlyImage(what, name)
		}
	}
	f.value = res.Result
	return f
}

// onlyImage returns a fact that depends on a variable which no instruction sets.
func (v *staticVars) onlyImage(what, name string) fact {
	f := fact{
		state: unknown,
		why:   fmt.Sprintf("%s uses %s, which only the base image %s could set", what, name, v.image),
		mend:  fmt.Sprintf("write ARG %s=… above it", name),
	}
	if _, global := v.unit.Globals.Env.Get(name); global {
		f.why = fmt.Sprintf("%s uses %s, which this stage does not declare", what, name)
		f.mend = fmt.Sprintf("write ARG %s above it", name)
	}
	return f
}

func (v *staticVars) place(loc dockerfile.Loc) string { return v.graph.Files.Place(loc) }

// where returns the place of an instruction after "on". A trigger has none of its
// own.
func (v *staticVars) where(in *Instruction) string {
	if in.OnBuild {
		return v.place(in.Loc) + " (a trigger of the base)"
	}
	return v.place(in.Loc)
}

// facts are the known variables, as the shell lexer asks for them.
type facts map[string]fact

func (f facts) Get(name string) (string, bool) {
	v, ok := f[name]
	return v.value, ok && v.state == known
}

func (f facts) Keys() []string {
	var keys []string
	for name, v := range f {
		if v.state == known {
			keys = append(keys, name)
		}
	}
	slices.Sort(keys)
	return keys
}

// matters reports whether the value of a variable changes an expression: that
// of Y in ${X:-$Y} does not where X has a value.
func matters(lex *shell.Lex, expr string, env shell.EnvGetter, name string) bool {
	without, _, err := lex.ProcessWord(expr, env)
	if err != nil {
		return true
	}
	with, _, err := lex.ProcessWord(expr, &withVar{env, name, "‹" + name + "›"})
	return err != nil || with != without
}

// withVar is an environment with one more variable.
type withVar struct {
	shell.EnvGetter
	name, value string
}

func (w *withVar) Get(name string) (string, bool) {
	if name == w.name {
		return w.value, true
	}
	return w.EnvGetter.Get(name)
}

// The args that say what the SBOM covers. They are no variables of RUN.
// https://docs.docker.com/build/metadata/attestations/sbom/
const (
	ScanContextArg = "BUILDKIT_SBOM_SCAN_CONTEXT"
	ScanStageArg   = "BUILDKIT_SBOM_SCAN_STAGE"
)

// IsScanArg reports whether an arg says what the SBOM covers.
func IsScanArg(name string) bool { return name == ScanContextArg || name == ScanStageArg }
