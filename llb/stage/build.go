package stage

import (
	"fmt"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/moby/buildkit/util/suggest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// Options is what the client's request says about the graph.
type Options struct {
	// Target is the name of the wanted stage; empty is the last one.
	Target string
	// Replaces reports whether the client gave a named context in place of
	// a stage of this name. Nil: there are none.
	Replaces func(name string, platform *ocispecs.Platform) (bool, error)
}

// Build makes the graph of a file.
func Build(f *dockerfile.File, globals *Globals, opt Options) (*Graph, error) {
	b := &builder{
		file:    f,
		globals: globals,
		opt:     opt,
		lex:     shell.NewLex(f.Escape),
		graph:   &Graph{Stages: len(f.Stages), Escape: f.Escape},
		named:   map[string]ID{},
	}
	b.checkDefaultBases()
	for i := range f.Stages {
		if err := b.addStage(&f.Stages[i]); err != nil {
			return nil, err
		}
	}
	if err := b.findTarget(); err != nil {
		return nil, err
	}
	g := b.graph
	for id := range ID(g.Stages) {
		for i := range g.Nodes[id].Steps {
			in := &g.Nodes[id].Steps[i]
			if err := g.addReferences(id, in); err != nil {
				return nil, dockerfile.At(err, in.Loc)
			}
		}
	}
	if err := g.checkCycles(); err != nil {
		return nil, err
	}
	if len(g.Nodes) == 1 {
		// One stage and nothing else: progress needs no stage names.
		g.Nodes[0].Label = ""
	}
	return g, nil
}

type builder struct {
	file    *dockerfile.File
	globals *Globals
	opt     Options
	lex     *shell.Lex
	graph   *Graph
	// named is the latest stage of each name so far: FROM sees earlier
	// stages only, by their exact lower-case name.
	named map[string]ID
}

func (b *builder) addStage(s *dockerfile.Stage) error {
	id := ID(len(b.graph.Nodes))
	n := Node{ID: id, Name: s.Name, Label: s.Name, Base: None, From: s.Stage, Loc: s.Loc}

	ref, err := b.expandRef(s)
	if err != nil {
		return err
	}
	n.Ref = ref.Result
	used := ref.Matched
	if s.Platform != "" {
		platform, matched, err := b.expandPlatform(s)
		if err != nil {
			return err
		}
		n.Platform = platform
		used = union(used, matched)
	}
	for _, in := range s.Instrs {
		n.Steps = append(n.Steps, Instruction{Instruction: in})
	}

	if s.Name != "" && b.opt.Replaces != nil {
		n.Replaced, err = b.opt.Replaces(s.Name, n.Platform)
		if err != nil {
			return err
		}
	}
	if !n.Replaced {
		if s.Name == "" {
			n.Label = fmt.Sprintf("stage-%d", id)
		}
		if base, ok := b.named[n.Ref]; ok {
			n.Base = base
		}
		n.UsedArgs = sortedKeys(used)
		n.Declared = declared(&n)
	}
	if s.Name != "" {
		b.named[s.Name] = id
	}
	b.graph.Nodes = append(b.graph.Nodes, n)
	if n.Base != None {
		b.graph.connect(Edge{From: id, To: n.Base, Kind: Base, Loc: s.Loc})
	}
	return nil
}

// expandRef is FROM's argument with the global args in it expanded.
func (b *builder) expandRef(s *dockerfile.Stage) (shell.ProcessWordResult, error) {
	res, err := b.lex.ProcessWordWithMatches(s.BaseName, &b.globals.Env)
	b.checkFromArgs(s, res.Unmatched)
	if err != nil {
		return res, dockerfile.At(err, s.Loc)
	}
	if res.Result == "" {
		return res, dockerfile.At(errors.Errorf("base name (%s) should not be blank", s.BaseName), s.Loc)
	}
	return res, nil
}

// expandPlatform is the platform of FROM --platform and the args in it.
func (b *builder) expandPlatform(s *dockerfile.Stage) (*ocispecs.Platform, map[string]struct{}, error) {
	env := &b.globals.Env
	res, err := b.lex.ProcessWordWithMatches(s.Platform, env)
	b.checkFromArgs(s, res.Unmatched)
	b.checkRedundantPlatform(s, res)
	b.checkConstantPlatform(s, res)
	if err != nil {
		return nil, nil, dockerfile.At(errors.Wrapf(err, "failed to process arguments for platform %s", res.Result), s.Loc)
	}
	if res.Result == "" {
		err := errors.Errorf("empty platform value from expression %s", s.Platform)
		return nil, nil, suggestFor(dockerfile.At(err, s.Loc), res.Unmatched, env.Keys())
	}
	p, err := platforms.Parse(res.Result)
	if err != nil {
		err = suggestFor(err, res.Unmatched, env.Keys())
		return nil, nil, dockerfile.At(errors.Wrapf(err, "failed to parse platform %s", s.Platform), s.Loc)
	}
	return &p, res.Matched, nil
}

// suggestFor adds the name that the user may have meant by one of keys.
func suggestFor(err error, keys map[string]struct{}, options []string) error {
	for _, k := range sortedKeys(keys) {
		if ok, suggested := suggest.WrapErrorMaybe(err, k, options, true); ok {
			return suggested
		}
	}
	return err
}

// declared is how many lines of progress the stage of a node announces.
func declared(n *Node) int {
	total := 0
	if n.Ref != Scratch && n.Base == None {
		total++
	}
	for _, in := range n.Steps {
		switch in.Command.(type) {
		case *instructions.AddCommand, *instructions.CopyCommand, *instructions.RunCommand, *instructions.WorkdirCommand:
			total++
		}
	}
	return total
}

func (b *builder) findTarget() error {
	g := b.graph
	if b.opt.Target == "" {
		g.Target = ID(g.Stages) - 1
		return nil
	}
	id, ok := g.ByName(b.opt.Target)
	if !ok {
		err := errors.Errorf("target stage %q could not be found", b.opt.Target)
		return suggest.WrapError(err, b.opt.Target, g.Labels(), true)
	}
	g.Target = id
	return nil
}
