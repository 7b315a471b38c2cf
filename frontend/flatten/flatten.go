package flatten

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// Version is the version of the JSON that a Report becomes.
const Version = 1

// Input is what is to be flattened.
type Input struct {
	// Graph has the stages with their triggers: that of resolve.Resolve for a
	// tolerant request. No phase after it may have run, because evaluation
	// expands instructions.
	Graph *stage.Graph
	// Target says that the client names a target: of other stages than that
	// needs, nothing is written then.
	Target bool
	// BuildArgs are the client's.
	BuildArgs map[string]string
	// OwnIgnore has the ignore file of each build context that has it because
	// of the Dockerfile that uses it: a named context cannot have that.
	OwnIgnore map[stage.ContextID]string
	// Pin returns the reference to write for an image. Nil: as it is.
	Pin func(ref string, loc dockerfile.Loc) string
	// Partial leaves comments for what docker/dockerfile has no words for.
	Partial bool
}

// Report is a flattened Dockerfile.
type Report struct {
	Version int `json:"version"`
	// Dockerfile is its text.
	Dockerfile string `json:"dockerfile"`
	// Sources are the files that it was made from.
	Sources []Source `json:"sources"`
	// Contexts are the named contexts that its build needs besides those
	// that the client gave.
	Contexts []Context `json:"contexts"`
	// Missing are the lines that could not be said, with Input.Partial.
	Missing []Missing `json:"missing"`
}

// Source is a file of a build.
type Source struct {
	File string `json:"file"`
}

// Context is a build context of its own, for `--build-context NAME=PATH`.
type Context struct {
	Name string `json:"name"`
	// Path is a folder of the main build context, such as ./svc. Empty for a
	// named context that the client gives.
	Path string `json:"path,omitempty"`

	id stage.ContextID
}

// New flattens. The error lists all lines that docker/dockerfile has no words
// for, and has their locations.
func New(in Input) (*Report, error) {
	if in.Pin == nil {
		in.Pin = func(ref string, _ dockerfile.Loc) string { return ref }
	}
	g := in.Graph
	list := order(g, in.Target)
	f := &flattening{
		Input:   in,
		names:   newNames(g, list),
		globals: newGlobals(g, list, in.BuildArgs),
		units:   map[stage.UnitID]blocks{},
		files:   map[dockerfile.FileID]bool{},
	}
	for _, u := range f.globals.units {
		b, err := unitBlocks(g.Files, &g.Units[u])
		if err != nil {
			return nil, err
		}
		f.units[u] = b
	}
	f.escape = g.Units[0].File.Escape(dockerfile.Loc{})
	f.settle(f.references())
	f.checkCircles()
	f.checkTriggers()
	f.checkContexts()
	f.write()
	if !in.Partial {
		if err := refusal(f.missing); err != nil {
			return nil, err
		}
	}
	return f.report(), nil
}

// flattening is the work of New.
type flattening struct {
	Input
	*names
	globals *globals
	units   map[stage.UnitID]blocks
	escape  rune
	out     output
	files   map[dockerfile.FileID]bool
	missing []Missing
}

func (f *flattening) report() *Report {
	r := &Report{Version: Version, Dockerfile: f.out.text.String(), Sources: []Source{}, Contexts: f.ownContexts(), Missing: f.missing}
	if r.Missing == nil {
		r.Missing = []Missing{}
	}
	seen := map[string]bool{}
	for id := range f.Graph.Files.Len() {
		name := f.Graph.Files.Source(dockerfile.FileID(id)).Name()
		if f.files[dockerfile.FileID(id)] && !seen[name] {
			seen[name] = true
			r.Sources = append(r.Sources, Source{File: name})
		}
	}
	return r
}

// ownContexts returns the named contexts that stand for folders.
func (f *flattening) ownContexts() []Context {
	list := []Context{}
	seen := map[string]bool{}
	for i := range f.Graph.Contexts {
		id := stage.ContextID(i)
		name := f.contexts[id]
		if name == "" || seen[name] {
			continue
		}
		seen[name] = true
		c := Context{Name: name, id: id}
		if dir := f.Graph.Contexts[i].Dir; dir == "." {
			c.Path = "."
		} else if dir != "" {
			c.Path = "./" + dir
		}
		list = append(list, c)
	}
	return list
}

// references returns all names of the stages that are written.
func (f *flattening) references() []stageRef {
	var refs []stageRef
	for _, id := range f.order {
		n := f.Graph.Node(id)
		if n.Base != stage.None {
			refs = append(refs, stageRef{kind: stage.Base, from: id, to: n.Base, text: n.Ref})
		}
		pieces := f.instructions(id)
		for i, step := range own(n) {
			if i >= len(pieces) {
				break
			}
			in := takeApart(pieces[i].raw, pieces[i].escape)
			for k, flag := range in.flag("from") {
				if k < len(step.Refs) {
					refs = append(refs, stageRef{kind: stage.Copy, from: id, to: step.Refs[k].Node, text: flag.value()})
				}
			}
			for k, flag := range in.flag("mount") {
				if from := mountField(mountFields(flag), "from"); from != "" && k < len(step.Refs) {
					refs = append(refs, stageRef{kind: stage.Mount, from: id, to: step.Refs[k].Node, text: from})
				}
			}
		}
	}
	return refs
}

// own returns the steps of a stage that are in its file.
func own(n *stage.Node) []stage.Instruction {
	i := 0
	for i < len(n.Steps) && n.Steps[i].OnBuild {
		i++
	}
	return n.Steps[i:]
}

// block returns the pieces of a stage, its FROM first.
func (f *flattening) block(id stage.ID) []piece {
	return f.units[f.Graph.Node(id).Unit].stages[f.index(id)]
}

// instructions returns the pieces of a stage that are instructions, without FROM.
func (f *flattening) instructions(id stage.ID) []piece {
	var list []piece
	for _, p := range f.block(id)[1:] {
		if p.node != nil {
			list = append(list, p)
		}
	}
	return list
}

func (f *flattening) miss(loc dockerfile.Loc, code, why string) {
	code, _, _ = strings.Cut(strings.TrimSpace(code), "\n")
	if last := len(f.missing) - 1; last >= 0 && f.missing[last].loc.File == loc.File && f.missing[last].Line == loc.Line() {
		f.missing[last].Why += "; " + why
		return
	}
	f.missing = append(f.missing, Missing{
		File: f.Graph.Files.Source(loc.File).Name(), Line: loc.Line(), Code: strings.TrimSpace(code), Why: why, loc: loc,
	})
}

func (p *piece) loc() dockerfile.Loc {
	return dockerfile.Loc{File: p.file, Ranges: []parser.Range{{Start: parser.Position{Line: p.line}, End: parser.Position{Line: p.line}}}}
}

// checkCircles refuses cycles of stages of other files: nothing needs them,
// and docker/dockerfile looks at them all the same.
func (f *flattening) checkCircles() {
	for _, id := range f.order {
		n := f.Graph.Node(id)
		for _, e := range f.Graph.Out(id) {
			if n.Unit != 0 && e.Kind != stage.After && !e.Implied && f.Graph.Reach(e.To)[id] {
				f.miss(e.Loc, f.line(e.Loc), "this stage needs itself; nothing needs the stage here, but docker/dockerfile refuses it all the same")
			}
		}
	}
}

// checkTriggers looks at what the triggers of base images bring into the
// stages that are written: their text cannot be changed.
func (f *flattening) checkTriggers() {
	for _, id := range f.order {
		n := f.Graph.Node(id)
		if n.Replaced {
			continue
		}
		for i := range n.Steps[:len(n.Steps)-len(own(n))] {
			if n.Base != stage.None && isAddition(&n.Steps[i], n) {
				continue // said where the trigger stands
			}
			if why := f.trigger(id, &n.Steps[i]); why != "" {
				f.miss(n.Loc, f.block(id)[0].raw, fmt.Sprintf("a trigger of %s: %s", n.Ref, why))
			}
		}
	}
}

// checkContexts refuses ignore files that only count here.
func (f *flattening) checkContexts() {
	for i, c := range f.Graph.Contexts {
		id := stage.ContextID(i)
		if file := f.OwnIgnore[id]; file != "" && f.contexts[id] != "" {
			f.miss(c.Loc, f.line(c.Loc), fmt.Sprintf("the ignore file %s: a named context has the .dockerignore in it alone", file))
		}
	}
}

// line returns the text of a line.
func (f *flattening) line(loc dockerfile.Loc) string {
	lines := bytes.Split(f.Graph.Files.Source(loc.File).Data, []byte("\n"))
	if n := loc.Line(); n > 0 && n <= len(lines) {
		return string(lines[n-1])
	}
	return ""
}
