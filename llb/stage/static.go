package stage

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/moby/buildkit/util/suggest"
	"github.com/pkg/errors"
)

// RefVar is a variable of a reference.
type RefVar struct {
	Name string
	// Value is what the reference has for it; nil: nothing.
	Value *string
	// Undeclared marks an arg of the global scope that the stage does not
	// mention: RUN has nothing of that name, unless the base image sets it.
	Undeclared bool
	// From is where the value is from, such as "ARG X on line 3".
	From string
}

// reference expands the variables of a reference. A name means what it means
// to RUN there; a name that no instruction of the stage mentions means the
// global or platform arg.
func (v *staticVars) reference(lex *shell.Lex, ref *Reference) error {
	flag := fmt.Sprintf("%s=%s", ref.Flag, ref.Written)
	env := &refEnv{v}
	res, err := lex.ProcessWordWithMatches(ref.Written, env)
	names := sortedKeys(union(res.Matched, res.Unmatched))
	for _, name := range names {
		if f, ok := env.fact(name); ok && f.state == unknown && matters(lex, ref.Written, env, name) {
			return errors.Errorf("%s: %s is not known before the build runs: %s; %s", flag, name, f.why, f.mend)
		}
	}
	if err != nil {
		return errors.Wrap(err, flag) // ${X:?text} as well
	}
	for _, name := range names {
		if _, ok := env.Get(name); !ok && uses(ref.Written, name) && matters(lex, ref.Written, env, name) {
			return v.notSet(flag, ref.Written, name)
		}
		ref.Vars = append(ref.Vars, env.refVar(name))
	}
	if ref.Expanded = res.Result; res.Result == "" {
		return v.emptyRef(flag, ref)
	}
	return nil
}

// refEnv is the environment that references have: that of RUN, and around it
// the global scope.
type refEnv struct{ *staticVars }

// fact returns what is known of a variable; ok is false where nothing has the name.
func (e *refEnv) fact(name string) (fact, bool) {
	f, mentioned := e.scope[name]
	if given, from := e.proxy(name); given != "" && (!mentioned || f.state != known || f.value != given) {
		return fact{
			state: unknown,
			why:   fmt.Sprintf("--build-arg %s reaches programs without a declaration", from),
			mend:  fmt.Sprintf("write ARG %s above it", name),
		}, true
	}
	if mentioned {
		return f, true
	}
	if value, ok := e.unit.Globals.Env.Get(name); ok {
		return fact{value: value, from: e.unit.Globals.origin(name, e.place)}, true
	}
	if arg, ok := e.unit.Globals.Args[name]; ok {
		return noValue(name, e.place(arg.Loc)), true
	}
	return fact{}, false
}

func (e *refEnv) Get(name string) (string, bool) {
	f, ok := e.fact(name)
	return f.value, ok && f.state == known
}

func (e *refEnv) Keys() []string {
	return append(facts(e.scope).Keys(), e.unit.Globals.Env.Keys()...)
}

func (e *refEnv) refVar(name string) RefVar {
	r := RefVar{Name: name}
	if f, ok := e.fact(name); ok && f.state == known {
		_, mentioned := e.scope[name]
		r.Value, r.From, r.Undeclared = &f.value, f.from, !mentioned
	}
	return r
}

// proxy returns the client's value of a proxy that programs get, whichever
// case of the name the client gave, and the name that was given. The daemon
// sets both cases.
func (e *refEnv) proxy(name string) (value, given string) {
	switch strings.ToLower(name) {
	case "http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy":
	default:
		return "", ""
	}
	if name != strings.ToLower(name) && name != strings.ToUpper(name) {
		return "", ""
	}
	for _, key := range slices.Sorted(maps.Keys(e.unit.Globals.BuildArgs)) {
		if strings.EqualFold(key, name) {
			value, given = e.unit.Globals.BuildArgs[key], key
		}
	}
	return value, given
}

// notSet is the error for a variable without a value.
func (v *staticVars) notSet(flag, ref, name string) error {
	env := &refEnv{v}
	could := v.couldMean(ref)
	if f, ok := env.fact(name); ok {
		return errors.Errorf("%s: %s is not set: %s; %s%s", flag, name, f.why, f.mend, could)
	}
	names := v.settable()
	text := fmt.Sprintf("no ARG before the first FROM has the name, nor an ARG or ENV above in this stage; declare it: ARG %s=…", name)
	if len(names) > 0 {
		text += "; known variables are " + strings.Join(names, ", ")
	}
	err := errors.Errorf("%s: %s is not set: %s%s", flag, name, text, could)
	return suggest.WrapError(err, name, env.Keys(), true)
}

// emptyRef is the error for a reference that is empty, because its variables
// are.
func (v *staticVars) emptyRef(flag string, ref *Reference) error {
	values := ref.Values()
	if values == "" {
		return errors.Errorf("%s: the value is empty; write the name of a stage%s", flag, v.couldMean(ref.Written))
	}
	return errors.Errorf("%s: the value is empty, where %s%s", flag, values, v.couldMean(ref.Written))
}

// Values tells of the variables of a reference what they are and where that is
// from: "DIR is svc, from ARG DIR on line 1". Empty where it has none.
func (r *Reference) Values() string {
	var list []string
	for _, v := range r.Vars {
		switch {
		case v.Value == nil:
			list = append(list, v.Name+" is not set")
		case *v.Value == "":
			list = append(list, fmt.Sprintf("%s is empty, from %s", v.Name, v.From))
		default:
			list = append(list, fmt.Sprintf("%s is %s, from %s", v.Name, *v.Value, v.From))
		}
	}
	return strings.Join(list, "; ")
}

// settable returns the variables of the file that have a value, without those that
// every build has.
func (v *staticVars) settable() []string {
	names := map[string]struct{}{}
	for name, f := range v.scope {
		if f.state == known && f.value != "" && name != "PATH" {
			names[name] = struct{}{}
		}
	}
	for name, arg := range v.unit.Globals.Args {
		if arg.Value != "" {
			names[name] = struct{}{}
		}
	}
	return sortedKeys(names)
}

var anyVariable = regexp.MustCompile(`\$\{[^}]*\}|\$\w+`)

// couldMean returns the end of a message: the stages whose names a reference can
// have, whatever its variables are. Empty where there are none.
func (v *staticVars) couldMean(ref string) string {
	pattern := "(?i)^"
	for i, part := range anyVariable.Split(ref, -1) {
		if i > 0 {
			pattern += ".*"
		}
		pattern += regexp.QuoteMeta(part)
	}
	like := regexp.MustCompile(pattern + "$")
	var names []string
	for _, name := range v.graph.unitNames(v.id) {
		if like.MatchString(name) && name != v.graph.Node(v.id).Name && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "; stages that it could mean: " + strings.Join(names, ", ")
}

// uses reports whether an expression needs a variable: it has no default for
// it.
func uses(expr, name string) bool {
	return regexp.MustCompile(`\$(` + regexp.QuoteMeta(name) + `\b|\{` + regexp.QuoteMeta(name) + `[}#%/])`).MatchString(expr)
}
