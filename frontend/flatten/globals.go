package flatten

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// The ARGs before the first FROM are each file's own, and one file has one
// such scope. A name that only one file uses, or that all declare alike, keeps
// its declaration. Else the Dockerfile's stays, and in other files the value
// is written where the name is used; where a file uses a name that it does not
// declare, no declaration may reach it, and the value is written everywhere.

// globals says which of a unit's global ARGs are declared in the flattened
// file; of the others the value is written.
type globals struct {
	graph     *stage.Graph
	buildArgs map[string]string
	units     []stage.UnitID // of the stages that are written
	// declared are the names of each unit that keep their declaration.
	declared map[stage.UnitID]map[string]bool
}

// epochArg is not shared: it is the Dockerfile's word for the whole build.
const epochArg = "SOURCE_DATE_EPOCH"

func newGlobals(g *stage.Graph, order []stage.ID, buildArgs map[string]string) *globals {
	gl := &globals{graph: g, buildArgs: buildArgs, declared: map[stage.UnitID]map[string]bool{}}
	used := map[stage.UnitID]bool{0: true}
	for _, id := range order {
		used[g.Node(id).Unit] = true
	}
	gl.units = slices.Sorted(maps.Keys(used))
	observes := map[stage.UnitID]map[string]bool{}
	owner := map[string]stage.UnitID{}
	leaks := map[string]bool{}
	for _, u := range gl.units {
		gl.declared[u] = map[string]bool{}
		observes[u] = gl.observed(u, order)
	}
	for _, u := range gl.units {
		for name, text := range gl.decls(u) {
			for _, other := range gl.units {
				// A declaration without a value changes nothing.
				if _, declares := gl.decls(other)[name]; !declares && observes[other][name] && strings.Contains(text, "=") {
					leaks[name] = true
				}
			}
		}
	}
	for _, u := range gl.units {
		for name, text := range gl.decls(u) {
			first, known := owner[name]
			switch {
			case leaks[name] || u != 0 && (name == epochArg || !gl.graph.Units[u].Settings.Empty()):
				continue
			case !known:
				owner[name] = u
			case gl.graph.Units[first].File.ID != gl.graph.Units[u].File.ID && gl.decls(first)[name] != text:
				continue
			}
			gl.declared[u][name] = true
		}
	}
	gl.dropDependents()
	return gl
}

// decls returns the declarations of a unit by name, as they are written.
func (gl *globals) decls(u stage.UnitID) map[string]string {
	decls := map[string]string{}
	for _, arg := range gl.graph.Units[u].File.Args {
		for _, kv := range arg.Args {
			decls[kv.Key] += "\n" + valueText(kv)
		}
	}
	return decls
}

func valueText(kv instructions.KeyValuePairOptional) string {
	if kv.Value == nil {
		return ""
	}
	return "=" + *kv.Value
}

// observed returns the names that a unit looks up in its global scope.
func (gl *globals) observed(u stage.UnitID, order []stage.ID) map[string]bool {
	names := map[string]bool{}
	unit := &gl.graph.Units[u]
	add := func(text string) {
		for _, name := range variables(text) {
			names[name] = true
		}
	}
	for _, arg := range unit.File.Args {
		for _, kv := range arg.Args {
			add(valueText(kv))
		}
	}
	for _, id := range unit.Stages {
		if !slices.Contains(order, id) {
			continue
		}
		s := &unit.File.Stages[gl.graph.Node(id).Index]
		add(s.BaseName)
		add(s.Platform)
		for _, in := range s.Instrs {
			if c, ok := in.Command.(*instructions.ArgCommand); ok {
				for _, kv := range c.Args {
					if kv.Value == nil {
						names[kv.Key] = true
					}
				}
			}
		}
	}
	return names
}

// dropDependents leaves no declaration whose default would mean something else
// in the shared scope.
func (gl *globals) dropDependents() {
	for changed := true; changed; {
		changed = false
		for _, u := range gl.units {
			if u == 0 {
				continue // its defaults are rewritten
			}
			for name, text := range gl.decls(u) {
				if gl.declared[u][name] && slices.ContainsFunc(variables(text), func(v string) bool { return gl.written(u, v) }) {
					gl.declared[u][name] = false
					changed = true
				}
			}
		}
	}
}

var variable = regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z0-9_]*)`)

// variables returns the names of the variables in a text.
func variables(text string) []string {
	var names []string
	for _, m := range variable.FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	return names
}

// written reports whether the value of a global has to be written in a unit,
// because its name means something else, or nothing, in the flattened file.
func (gl *globals) written(u stage.UnitID, name string) bool {
	set := gl.graph.Units[u].Settings
	if _, ok := setting(set, name); ok || set.Platform != nil && strings.HasPrefix(name, "TARGET") {
		return true
	}
	_, declares := gl.decls(u)[name]
	if declares {
		return !gl.declared[u][name]
	}
	// TARGETSTAGE is another stage's name in each file.
	return u != 0 && name == "TARGETSTAGE"
}

// anyWritten reports whether a text has variables whose value must be written.
func (gl *globals) anyWritten(u stage.UnitID, text string) bool {
	return slices.ContainsFunc(variables(text), func(name string) bool { return gl.written(u, name) })
}

// value returns what `ARG name` has in a stage of a unit, unless the client gives
// another: a build argument is still one in the flattened file.
func (gl *globals) value(u stage.UnitID, name string) (string, bool) {
	if value, ok := setting(gl.graph.Units[u].Settings, name); ok {
		return value, true
	}
	scope := gl.graph.Units[u].Globals
	env := &scope.Env
	if _, given := gl.buildArgs[name]; given && scope.Defaults != nil {
		env = scope.Defaults
	}
	return env.Get(name)
}

// setting returns the value that the settings of a unit have for an arg.
func setting(s stage.Settings, name string) (string, bool) {
	for _, v := range s.Args {
		if v.Key == name {
			return v.Value, true
		}
	}
	return "", false
}

// quoted returns a word that has this value for a parser with an escape character;
// false where there is no such word.
func quoted(value string, escape rune) (string, bool) {
	if value != "" && !strings.ContainsAny(value, " \t\r\n'\"$\\`") {
		return value, true
	}
	e := string(escape)
	word := `"` + strings.NewReplacer(e, e+e, `"`, e+`"`, "$", e+"$").Replace(value) + `"`
	res, err := shell.NewLex(escape).ProcessWordWithMatches(word, &stage.Env{})
	return word, err == nil && res.Result == value && !strings.ContainsAny(value, "\r\n")
}
