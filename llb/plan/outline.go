package plan

import (
	"cmp"
	"maps"
	"slices"

	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// outlineData is what a stage asks of its user.
type outlineData struct {
	args    map[string]stage.Arg
	used    map[string]bool
	secrets map[string]need
	ssh     map[string]need
	// fixed are the args that the settings of the file have: nobody is asked
	// for them.
	fixed map[string]bool
}

// need is a secret or an agent.
type need struct {
	required bool
	loc      dockerfile.Loc
}

func newOutline(u *stage.Unit) outlineData {
	fixed := map[string]bool{}
	for _, arg := range u.Settings.Args {
		fixed[arg.Key] = true
	}
	return outlineData{
		fixed:   fixed,
		args:    maps.Clone(u.Globals.Args),
		used:    map[string]bool{},
		secrets: map[string]need{},
		ssh:     map[string]need{},
	}
}

// inherit takes over the args that the base's own FROM used. Its other args
// are collected by walking the graph.
func (o *outlineData) inherit(base *outlineData) { maps.Copy(o.used, base.fromArgs()) }

func (o *outlineData) fromArgs() map[string]bool {
	used := map[string]bool{}
	for name, inFrom := range o.used {
		if inFrom && !o.fixed[name] {
			used[name] = true
		}
	}
	return used
}

// useFrom marks args that FROM uses, with true: a stage built on this one
// depends on them, too.
func (o *outlineData) useFrom(names []string) {
	for _, name := range names {
		o.used[name] = true
	}
}

// use marks an arg that a reference to a stage uses.
func (o *outlineData) use(name string) {
	if !o.used[name] {
		o.used[name] = false
	}
}

// declare notes an ARG. Documented says that its value is given here.
func (o *outlineData) declare(a stage.Arg, documented bool) {
	name := a.Definition.Key
	if documented {
		o.args[name] = a
	}
	o.use(name)
}

func (o *outlineData) addSecret(id string, n need) { addFirst(o.secrets, id, n) }
func (o *outlineData) addSSH(id string, n need)    { addFirst(o.ssh, id, n) }

// addFirst keeps what was there first: that is where a reader looks.
func addFirst(set map[string]need, id string, n need) {
	if _, ok := set[id]; !ok {
		set[id] = n
	}
}

// Outline is what the target and the stages that it needs ask of their user,
// in the order of the file.
type Outline struct {
	Args    []stage.Arg
	Secrets []Requirement
	SSH     []Requirement
	// Unset is what UNSET removes from the target, in the order in which it
	// happens: in the stages that it is built from, then in its own.
	Unset []Unset
}

// Requirement is a secret or an agent that some RUN mounts.
type Requirement struct {
	Name     string
	Required bool
	Loc      dockerfile.Loc
}

// Outline answers --call=outline for the target.
func (p *Plan) Outline() Outline {
	var out Outline
	seenArgs := map[string]bool{}
	seenSecrets := map[string]bool{}
	seenSSH := map[string]bool{}
	p.nearestFirst(func(s *Stage) {
		out.Args = append(out.Args, s.outline.usedArgs(seenArgs)...)
		out.Secrets = append(out.Secrets, requirements(s.outline.secrets, seenSecrets)...)
		out.SSH = append(out.SSH, requirements(s.outline.ssh, seenSSH)...)
	})
	out.sort()
	for s := p.Target(); s != nil; s = p.byID[s.Node.Base] {
		out.Unset = append(slices.Clone(s.Unset), out.Unset...)
	}
	return out
}

// Relocate is the outline with other locations.
func (o Outline) Relocate(to func(dockerfile.Loc) dockerfile.Loc) Outline {
	args, secrets, ssh, unset := slices.Clone(o.Args), slices.Clone(o.Secrets), slices.Clone(o.SSH), slices.Clone(o.Unset)
	for i := range args {
		args[i].Loc = to(args[i].Loc)
	}
	for _, list := range [][]Requirement{secrets, ssh} {
		for i := range list {
			list[i].Loc = to(list[i].Loc)
		}
	}
	for i := range unset {
		unset[i].Loc = to(unset[i].Loc)
	}
	return Outline{Args: args, Secrets: secrets, SSH: ssh, Unset: unset}
}

// Add adds what another stage asks for under other names. What that unsets is
// its own.
func (o *Outline) Add(other Outline) {
	for _, a := range other.Args {
		if !slices.ContainsFunc(o.Args, func(b stage.Arg) bool { return a.Definition.Key == b.Definition.Key }) {
			o.Args = append(o.Args, a)
		}
	}
	o.Secrets = merge(o.Secrets, other.Secrets)
	o.SSH = merge(o.SSH, other.SSH)
	o.sort()
}

// merge keeps the first requirement of a name.
func merge(list, more []Requirement) []Requirement {
	for _, m := range more {
		if !slices.ContainsFunc(list, func(r Requirement) bool { return r.Name == m.Name }) {
			list = append(list, m)
		}
	}
	return list
}

// sort puts everything in the order of the file.
func (o *Outline) sort() {
	slices.SortStableFunc(o.Args, func(a, b stage.Arg) int {
		return cmp.Or(comparePlace(a.Loc, b.Loc), cmp.Compare(a.Index, b.Index))
	})
	byLine := func(a, b Requirement) int { return comparePlace(a.Loc, b.Loc) }
	slices.SortStableFunc(o.Secrets, byLine)
	slices.SortStableFunc(o.SSH, byLine)
}

func comparePlace(a, b dockerfile.Loc) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line(), b.Line()))
}

// nearestFirst visits the stages that the target needs, the target first, each
// before the stages that it needs itself.
func (p *Plan) nearestFirst(visit func(*Stage)) {
	seen := map[stage.ID]bool{}
	var walk func(stage.ID)
	walk = func(id stage.ID) {
		s := p.byID[id]
		if seen[id] || s == nil {
			return
		}
		seen[id] = true
		visit(s)
		for _, e := range p.Graph.Out(id) {
			walk(e.To)
		}
	}
	walk(p.Graph.Target)
}

// usedArgs are the declared args that are used, and those that their defaults
// refer to.
func (o *outlineData) usedArgs(seen map[string]bool) []stage.Arg {
	used := map[string]bool{}
	todo := slices.Sorted(maps.Keys(o.used))
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		if used[name] {
			continue
		}
		used[name] = true
		todo = append(todo, slices.Sorted(maps.Keys(o.args[name].Deps))...)
	}
	var args []stage.Arg
	for _, name := range slices.Sorted(maps.Keys(used)) {
		a, declared := o.args[name]
		if declared && !seen[name] && !o.fixed[name] {
			seen[name] = true
			args = append(args, a)
		}
	}
	return args
}

func requirements(needs map[string]need, seen map[string]bool) []Requirement {
	var list []Requirement
	for _, name := range slices.Sorted(maps.Keys(needs)) {
		if !seen[name] {
			seen[name] = true
			list = append(list, Requirement{Name: name, Required: needs[name].required, Loc: needs[name].loc})
		}
	}
	return list
}
