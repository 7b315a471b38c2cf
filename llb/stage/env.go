package stage

import "slices"

// Env is an ordered set of variables. The order is that of the last
// assignment, which is the order in which they stand in an exec operation.
// It satisfies shell.EnvGetter. The zero value is empty and ready for use.
type Env struct {
	keys   []string
	values map[string]string
	list   []Var // of List, until a variable changes
}

// Get returns the value of a variable and whether it is set.
func (e *Env) Get(key string) (string, bool) {
	v, ok := e.values[key]
	return v, ok
}

// Keys returns the names of the variables that are set, oldest assignment first.
func (e *Env) Keys() []string { return e.keys }

// Set gives a variable a value and moves it to the end.
func (e *Env) Set(key, value string) {
	e.Delete(key)
	e.list = nil
	if e.values == nil {
		e.values = map[string]string{}
	}
	e.keys = append(e.keys, key)
	e.values[key] = value
}

// SetAll is Set for one variable after the other, in the time of one.
func (e *Env) SetAll(vars []Var) {
	if len(vars) == 0 {
		return
	}
	e.list = nil
	last := make(map[string]int, len(vars))
	for i, v := range vars {
		last[v.Key] = i
	}
	keys := make([]string, 0, len(e.keys)+len(last))
	for _, key := range e.keys {
		if _, again := last[key]; !again {
			keys = append(keys, key)
		}
	}
	if e.values == nil {
		e.values = make(map[string]string, len(last))
	}
	for i, v := range vars {
		if last[v.Key] == i {
			keys = append(keys, v.Key)
			e.values[v.Key] = v.Value
		}
	}
	e.keys = keys
}

// Delete unsets a variable.
func (e *Env) Delete(key string) {
	if _, ok := e.values[key]; !ok {
		return
	}
	e.list = nil
	delete(e.values, key)
	i := slices.Index(e.keys, key)
	// A new array: Keys may have been handed out.
	e.keys = slices.Concat(e.keys[:i], e.keys[i+1:])
}

// Clone returns a copy that shares nothing with e.
func (e *Env) Clone() Env {
	c := Env{keys: slices.Clone(e.keys), values: make(map[string]string, len(e.values))}
	for k, v := range e.values {
		c.values[k] = v
	}
	return c
}

// Var is a variable and its value.
type Var struct{ Key, Value string }

// List returns the variables in order. The list is not to be changed: it is the
// same one until a variable is.
func (e *Env) List() []Var {
	if e.list == nil {
		e.list = make([]Var, len(e.keys))
		for i, k := range e.keys {
			e.list[i] = Var{k, e.values[k]}
		}
	}
	return e.list
}
