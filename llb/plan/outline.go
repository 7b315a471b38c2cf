package plan

import (
	"cmp"
	"maps"
	"slices"

	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// Asks is what a stage asks of its user, by name.
type Asks struct {
	// Args are the file's global ones until the stage declares one of its own.
	Args map[string]stage.Arg
	own  bool
	// Used are the args that are used: true for those in FROM.
	Used    map[string]bool
	Secrets map[string]Need
	SSH     map[string]Need
	// Fixed are the args that the settings of the file have: nobody is asked
	// for them.
	Fixed map[string]bool
}

// Need is a secret or an agent.
type Need struct {
	Required bool
	Loc      dockerfile.Loc
}

func newOutline(u *stage.Unit) Asks {
	var fixed map[string]bool
	for _, arg := range u.Settings.Args {
		if fixed == nil {
			fixed = map[string]bool{}
		}
		fixed[arg.Key] = true
	}
	return Asks{
		Fixed:   fixed,
		Args:    u.Globals.Args,
		Used:    map[string]bool{},
		Secrets: map[string]Need{},
		SSH:     map[string]Need{},
	}
}

// inherit takes over the args that the base's own FROM used. Its other args
// are collected by walking the graph.
func (o *Asks) inherit(base *Asks) { maps.Copy(o.Used, base.fromArgs()) }

func (o *Asks) fromArgs() map[string]bool {
	used := map[string]bool{}
	for name, inFrom := range o.Used {
		if inFrom && !o.Fixed[name] {
			used[name] = true
		}
	}
	return used
}

// useFrom marks args that FROM uses, with true: a stage built on this one
// depends on them, too.
func (o *Asks) useFrom(names []string) {
	for _, name := range names {
		o.Used[name] = true
	}
}

// use marks an arg that a reference to a stage uses.
func (o *Asks) use(name string) {
	if !o.Used[name] {
		o.Used[name] = false
	}
}

// declare notes an ARG. Documented says that its value is given here.
func (o *Asks) declare(a stage.Arg, documented bool) {
	name := a.Definition.Key
	if documented {
		if !o.own {
			o.Args, o.own = maps.Clone(o.Args), true
		}
		o.Args[name] = a
	}
	o.use(name)
}

func (o *Asks) addSecret(id string, n Need) { addFirst(o.Secrets, id, n) }
func (o *Asks) addSSH(id string, n Need)    { addFirst(o.SSH, id, n) }

// addFirst keeps what was there first: that is where a reader looks.
func addFirst(set map[string]Need, id string, n Need) {
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
		out.Args = append(out.Args, s.Asks.usedArgs(seenArgs)...)
		out.Secrets = append(out.Secrets, requirements(s.Asks.Secrets, seenSecrets)...)
		out.SSH = append(out.SSH, requirements(s.Asks.SSH, seenSSH)...)
	})
	out.sort()
	for s := p.Target(); s != nil; s = p.byID[s.Parent] {
		out.Unset = append(slices.Clone(s.Unset), out.Unset...)
	}
	return out
}

// Relocate returns the outline with other locations.
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
		for _, to := range s.Needs {
			walk(to)
		}
	}
	walk(p.TargetID)
}

// usedArgs returns the declared args that are used, and those that their defaults
// refer to.
func (o *Asks) usedArgs(seen map[string]bool) []stage.Arg {
	used := map[string]bool{}
	todo := slices.Sorted(maps.Keys(o.Used))
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		if used[name] {
			continue
		}
		used[name] = true
		todo = append(todo, slices.Sorted(maps.Keys(o.Args[name].Deps))...)
	}
	var args []stage.Arg
	for _, name := range slices.Sorted(maps.Keys(used)) {
		a, declared := o.Args[name]
		if declared && !seen[name] && !o.Fixed[name] {
			seen[name] = true
			args = append(args, a)
		}
	}
	return args
}

func requirements(needs map[string]Need, seen map[string]bool) []Requirement {
	var list []Requirement
	for _, name := range slices.Sorted(maps.Keys(needs)) {
		if !seen[name] {
			seen[name] = true
			list = append(list, Requirement{Name: name, Required: needs[name].Required, Loc: needs[name].Loc})
		}
	}
	return list
}
