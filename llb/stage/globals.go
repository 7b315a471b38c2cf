package stage

import (
	"fmt"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// Platforms are the platforms of a build. Build is never empty.
type Platforms struct {
	Build  []ocispecs.Platform
	Target ocispecs.Platform
	// Implicit says that the client asked for no platform: the base image
	// may then decide.
	Implicit bool
}

// NewPlatforms completes what the client gave: without a target it is the
// first build platform, without a build platform the target, without both the
// platform of this process.
func NewPlatforms(target *ocispecs.Platform, build []ocispecs.Platform) Platforms {
	if target != nil && build == nil {
		build = []ocispecs.Platform{*target}
	}
	if len(build) == 0 {
		build = []ocispecs.Platform{platforms.DefaultSpec()}
	}
	if target == nil {
		return Platforms{Build: build, Target: build[0], Implicit: true}
	}
	return Platforms{Build: build, Target: *target}
}

// Globals are the variables that FROM sees: platform args, and the ARGs
// before the first FROM with their values in this build.
type Globals struct {
	Env  Env
	Args map[string]Arg
	// BuildArgs are the client's, which win over all defaults of the file.
	BuildArgs map[string]string
	// Defaults is Env as it is without any build argument.
	Defaults *Env
}

// Arg is what is known of a declared ARG.
type Arg struct {
	Value      string
	Definition instructions.KeyValuePairOptional
	// Deps are the args that its default refers to.
	Deps map[string]struct{}
	Loc  dockerfile.Loc
	// Index is the place among the ARG's of the instruction.
	Index int
}

// EvaluateGlobals gives the global args their values. buildArgs are the
// client's and win over defaults.
func EvaluateGlobals(f *dockerfile.File, p Platforms, target string, buildArgs map[string]string) (*Globals, error) {
	if target == "" {
		target = f.Stages[len(f.Stages)-1].Name
	}
	platformArgs := platformArgs(p, target, buildArgs)
	g := &Globals{BuildArgs: buildArgs}
	if env, _, err := expandGlobals(f, platformArgs, nil); err == nil {
		g.Defaults = &env
	}
	var err error
	g.Env, g.Args, err = expandGlobals(f, platformArgs, buildArgs)
	if err != nil {
		return nil, err
	}
	return g, nil
}

// platformArgs returns the args that are set in every build: see "Automatic
// platform ARGs" in the Dockerfile reference.
func platformArgs(p Platforms, target string, buildArgs map[string]string) Env {
	build := p.Build[0]
	if target == "" {
		target = "default"
	}
	var env Env
	for _, v := range []Var{
		{"BUILDPLATFORM", platforms.Format(build)},
		{"BUILDOS", build.OS},
		{"BUILDOSVERSION", build.OSVersion},
		{"BUILDARCH", build.Architecture},
		{"BUILDVARIANT", build.Variant},
		{"TARGETPLATFORM", platforms.FormatAll(p.Target)},
		{"TARGETOS", p.Target.OS},
		{"TARGETOSVERSION", p.Target.OSVersion},
		{"TARGETARCH", p.Target.Architecture},
		{"TARGETVARIANT", p.Target.Variant},
		{"TARGETSTAGE", target},
	} {
		if given, ok := buildArgs[v.Key]; ok {
			v.Value = given
		}
		env.Set(v.Key, v.Value)
	}
	return env
}

func expandGlobals(f *dockerfile.File, start Env, buildArgs map[string]string) (Env, map[string]Arg, error) {
	env := start.Clone()
	args := map[string]Arg{}
	var lex *shell.Lex
	var escape rune
	for _, decl := range f.Args {
		if e := f.Escape(decl.Loc); lex == nil || e != escape {
			lex, escape = shell.NewLex(e), e
		}
		for i, kv := range decl.Args {
			arg := Arg{Definition: kv, Loc: decl.Loc, Index: i}
			value, origin, err := argValue(kv, buildArgs, nil, func(word string) (string, error) {
				res, err := lex.ProcessWordWithMatches(word, &env)
				arg.Deps = argDeps(kv.Key, res.Matched, args)
				return res.Result, err
			})
			if err != nil {
				return Env{}, nil, dockerfile.At(err, decl.Loc)
			}
			if origin != NoValue {
				env.Set(kv.Key, value)
				arg.Definition.Value, arg.Value = &value, value
			}
			args[kv.Key] = arg
		}
	}
	return env, args, nil
}

// argDeps returns the args that a default refers to. One that extends its own
// earlier value has that value's args.
func argDeps(key string, matched map[string]struct{}, earlier map[string]Arg) map[string]struct{} {
	if _, self := matched[key]; !self {
		return matched
	}
	delete(matched, key)
	for dep := range earlier[key].Deps {
		matched[dep] = struct{}{}
	}
	return matched
}

// origin tells where the value of a variable of the global scope is from.
// place names a location.
func (g *Globals) origin(name string, place func(dockerfile.Loc) string) string {
	if _, given := g.BuildArgs[name]; given {
		return "--build-arg " + name
	}
	if arg, ok := g.Args[name]; ok && arg.Definition.Value != nil {
		return fmt.Sprintf("ARG %s on %s", name, place(arg.Loc))
	}
	switch {
	case name == "TARGETSTAGE":
		return "the target of the build"
	case strings.HasPrefix(name, "TARGET"):
		return "the target platform"
	default:
		return "the build platform"
	}
}
