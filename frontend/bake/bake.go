// Package bake writes a docker-bake.json for the stages of a Dockerfile: a
// target for each stage that has a name, and the group default of what a build
// without --target would make. `docker buildx bake` builds each of them as it
// is; what a project adds belongs into docker-bake.override.json, which Bake
// reads after it.
//
// It works on the graph of stages (llb/stage), and asks for nothing else.
package bake

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// Input is what the client wants.
type Input struct {
	Graph *stage.Graph
	// Dockerfile is the name of the file.
	Dockerfile string
	// Target is what the client names as a target; empty for the last stage.
	Target    string
	Platforms []string
	// Syntax is the frontend that the client names in place of the file's
	// syntax line; empty without one.
	Syntax    string
	BuildArgs map[string]string
	// Contexts are the named contexts that the client gives, as the protocol
	// has them.
	Contexts map[string]string
}

// File is a Bake file.
type File struct {
	Variable map[string]Variable `json:"variable,omitempty"`
	Group    map[string]Group    `json:"group"`
	Target   map[string]Target   `json:"target"`
}

// Variable is a value that the environment may set.
type Variable struct {
	Default    *string      `json:"default,omitempty"`
	Validation []Validation `json:"validation,omitempty"`
}

// Validation is what a variable must be.
type Validation struct {
	Condition    string `json:"condition"`
	ErrorMessage string `json:"error_message"`
}

// Group is a list of targets.
type Group struct {
	Targets []string `json:"targets"`
}

// Target is one build.
type Target struct {
	Description string            `json:"description,omitempty"`
	Context     string            `json:"context"`
	Dockerfile  string            `json:"dockerfile"`
	Target      string            `json:"target,omitempty"`
	Args        map[string]string `json:"args,omitempty"`
	Contexts    map[string]string `json:"contexts,omitempty"`
	Platforms   []string          `json:"platforms,omitempty"`
	Output      []string          `json:"output,omitempty"`
}

// defaultGroup is what bake builds without a name.
const defaultGroup = "default"

// New returns the file.
func New(in Input) *File {
	f := &File{Variable: map[string]Variable{}, Group: map[string]Group{}, Target: map[string]Target{}}
	base := Target{Context: ".", Dockerfile: path.Base(in.Dockerfile), Platforms: in.Platforms}
	base.Args = f.args(&in)
	base.Contexts = f.contexts(in.Contexts)
	names := map[stage.ID]string{}
	for _, id := range in.Graph.Units[0].Stages {
		n := in.Graph.Node(id)
		if last, _, _ := in.Graph.ByName(n.Name); n.Name == "" || last != id {
			continue // of several stages of a name the last one counts
		}
		t := base
		t.Target, t.Description = n.Name, literal(n.From.DocComment)
		names[id] = f.add(n.Name, t)
	}
	targets := []string{}
	if name, ok := names[in.Graph.Target]; ok {
		targets = append(targets, name)
	} else {
		t := base
		t.Target = in.Target
		targets = append(targets, f.add(cmp.Or(in.Target, "image"), t))
	}
	for _, gate := range in.Graph.Gates() {
		name, ok := names[gate.Stage]
		if !ok {
			t := base
			t.Target = in.Graph.Node(gate.Stage).Label
			name = f.add(t.Target, t)
		}
		t := f.Target[name]
		t.Output = []string{"type=cacheonly"}
		f.Target[name] = t
		targets = append(targets, name)
	}
	f.Group[defaultGroup] = Group{Targets: targets}
	return f
}

var notInName = regexp.MustCompile(`[^a-zA-Z0-9_-]+`)

// add adds a target under a name that Bake takes and that is free.
func (f *File) add(wanted string, t Target) string {
	base := notInName.ReplaceAllString(strings.TrimPrefix(wanted, "/"), "-")
	name := base
	for i := 2; ; i++ {
		if _, taken := f.Target[name]; !taken && name != defaultGroup {
			f.Target[name] = t
			return name
		}
		name = fmt.Sprintf("%s-%d", base, i)
	}
}

// args returns the arguments that the Dockerfile declares with a plain default, as
// variables. One with several defaults is left out: passing one of them on
// would take the place of the others.
func (f *File) args(in *Input) map[string]string {
	args := map[string]string{}
	defaults := map[string]map[string]bool{}
	for i := range in.Graph.Units {
		file := in.Graph.Units[i].File
		note := func(kv instructions.KeyValuePairOptional) {
			if kv.Value == nil {
				return
			}
			if defaults[kv.Key] == nil {
				defaults[kv.Key] = map[string]bool{}
			}
			defaults[kv.Key][*kv.Value] = true
		}
		for _, arg := range file.Args {
			for _, kv := range arg.Args {
				note(kv)
			}
		}
		for _, s := range file.Stages {
			for _, step := range s.Instrs {
				if c, ok := step.Command.(*instructions.ArgCommand); ok {
					for _, kv := range c.Args {
						if note(kv); kv.Value == nil && !hasDefault(file, kv.Key) {
							// A value given from outside would set it here.
							note(instructions.KeyValuePairOptional{Key: kv.Key, Value: &unset})
						}
					}
				}
			}
		}
	}
	for name, given := range in.BuildArgs {
		defaults[name] = map[string]bool{given: true}
	}
	for _, name := range slices.Sorted(maps.Keys(defaults)) {
		values := slices.Collect(maps.Keys(defaults[name]))
		_, given := in.BuildArgs[name]
		if len(values) != 1 || values[0] == unset || !given && strings.ContainsAny(values[0], "$\\\"'`") || !validName.MatchString(name) {
			continue
		}
		value := literal(values[0])
		f.Variable[name] = Variable{Default: &value}
		args[name] = "${" + name + "}"
	}
	if in.Syntax != "" {
		args["BUILDKIT_SYNTAX"] = literal(in.Syntax)
	}
	return args
}

// unset stands for an argument that has no value.
var unset = "\x00"

// hasDefault reports whether a global ARG gives a name a value.
func hasDefault(f *dockerfile.File, name string) bool {
	for _, arg := range f.Args {
		for _, kv := range arg.Args {
			if kv.Key == name && kv.Value != nil {
				return true
			}
		}
	}
	return false
}

var validName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// contexts returns the named contexts: one of the client's folders becomes a
// variable that must be set, because the frontend does not know its path.
func (f *File) contexts(given map[string]string) map[string]string {
	contexts := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		value := given[name]
		if !strings.HasPrefix(value, "local:") && !strings.HasPrefix(value, "input:") && !strings.HasPrefix(value, "oci-layout:") {
			contexts[name] = literal(value)
			continue
		}
		variable := "CONTEXT_" + strings.ToUpper(regexp.MustCompile(`[^A-Za-z0-9]+`).ReplaceAllString(name, "_"))
		empty := ""
		f.Variable[variable] = Variable{Default: &empty, Validation: []Validation{{
			Condition:    "${" + variable + " != \"\"}",
			ErrorMessage: "set " + variable + " to the folder of the named context " + literal(name),
		}}}
		contexts[name] = "${" + variable + "}"
	}
	return contexts
}

// literal returns a text that Bake takes as it is.
func literal(text string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(text)
}

// Bytes returns the file as JSON.
func (f *File) Bytes() ([]byte, error) {
	dt, err := json.MarshalIndent(f, "", "  ")
	return append(dt, '\n'), errors.WithStack(err)
}
