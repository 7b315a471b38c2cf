package stage

import (
	"maps"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

// ArgOrigin says where an ARG has its value from.
type ArgOrigin int

const (
	// NoValue: the ARG is declared, and no more.
	NoValue ArgOrigin = iota
	// FromClient: a build argument.
	FromClient
	// FromDefault: what stands after the equals sign.
	FromDefault
	// FromGlobal: the global or platform arg of the same name.
	FromGlobal
)

// ArgValue returns the value of an ARG that a stage declares and where it is
// from: the client's build argument wins, then the default that stands there,
// with expand for the variables in it, then the global or platform arg of the
// same name.
func (g *Globals) ArgValue(kv instructions.KeyValuePairOptional, expand func(string) (string, error)) (string, ArgOrigin, error) {
	return argValue(kv, g.BuildArgs, g.Env.Get, expand)
}

// argValue is the one place that knows which value of an ARG wins. outer looks
// up the scope around; nil: there is none.
func argValue(kv instructions.KeyValuePairOptional, client map[string]string, outer func(string) (string, bool), expand func(string) (string, error)) (string, ArgOrigin, error) {
	if given, ok := client[kv.Key]; ok {
		return given, FromClient, nil
	}
	if kv.Value != nil {
		value, err := expand(*kv.Value)
		return value, FromDefault, err
	}
	if outer != nil {
		if value, ok := outer(kv.Key); ok {
			return value, FromGlobal, nil
		}
	}
	return "", NoValue, nil
}

// WithValue returns the globals with another value of an arg, for the client's
// build argument and for the global arg, where there are these; nil takes them
// away. The receiver stays as it is.
func (g *Globals) WithValue(name string, value *string) *Globals {
	with := *g
	with.Env, with.BuildArgs = g.Env.Clone(), maps.Clone(g.BuildArgs)
	if _, ok := with.Env.Get(name); ok {
		with.Env.Delete(name)
		if value != nil {
			with.Env.Set(name, *value)
		}
	}
	if _, ok := with.BuildArgs[name]; ok {
		delete(with.BuildArgs, name)
		if value != nil {
			with.BuildArgs[name] = *value
		}
	}
	return &with
}
