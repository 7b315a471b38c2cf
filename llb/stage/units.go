package stage

import (
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/util/suggest"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// unitKey says when two references mean the same stages.
type unitKey struct {
	file    dockerfile.FileID
	context ContextID
}

// maxNesting is how deep files may refer to further files. A circle of files
// is found before, unless a symbolic link gives each round another path.
const maxNesting = 64

func (g *Graph) addUnit(u Unit, key unitKey) UnitID {
	id := UnitID(len(g.Units))
	g.Units = append(g.Units, u)
	if g.keys == nil {
		g.keys = map[unitKey]UnitID{}
	}
	g.keys[key] = id
	if id == 0 {
		g.loading = []UnitID{0}
	}
	return id
}

// fileStage is the stage that "./path/Dockerfile#name" means, seen from a
// node. The file's stages join the graph when it is met first. Without a name
// it is the last stage. context is the value of --context, empty for the
// build context of the node's own file.
func (g *Graph) fileStage(ref string, from ID, context string, loc dockerfile.Loc) (ID, error) {
	file, name := dockerfile.SplitPath(ref)
	if strings.Contains(name, "#") || name == "" && strings.HasSuffix(ref, "#") {
		return None, errors.Errorf("%s: write ./path/Dockerfile#stage, with one # and the name of a stage behind it", ref)
	}
	id, err := g.Files.Load(file, loc)
	if err != nil {
		return None, errors.Wrapf(err, "cannot take a stage from %s", ref)
	}
	ctx := g.UnitOf(g.Node(from)).Context
	if context != "" {
		if ctx, err = g.addContext(context, id, loc); err != nil {
			return None, err
		}
	}
	unit, err := g.loadUnit(unitKey{file: id, context: ctx}, ref)
	if err != nil {
		return None, err
	}
	return g.unitStage(unit, name, ref)
}

// loadUnit reads a file and all that it refers to, unless that is done.
func (g *Graph) loadUnit(key unitKey, ref string) (UnitID, error) {
	if len(g.loading) > maxNesting {
		return 0, errors.Errorf("cannot take a stage from %s: files refer to further files more than %d levels deep", ref, maxNesting)
	}
	for _, u := range g.loading {
		if g.Units[u].File.ID == key.file {
			return 0, errors.Errorf("cannot take a stage from %s: the files refer to each other in a circle: %s", ref, g.fileCircle(key.file))
		}
	}
	if unit, ok := g.keys[key]; ok {
		return unit, nil
	}
	f, err := dockerfile.Parse(g.Files, key.file, g.opt.Parse)
	if err != nil {
		return 0, err
	}
	globals, err := EvaluateGlobals(f, g.opt.Platforms, g.opt.Target, g.opt.BuildArgs)
	if err != nil {
		return 0, err
	}
	unit := g.addUnit(Unit{File: f, Globals: globals, Context: key.context}, key)
	if err := g.addStages(unit); err != nil {
		return 0, err
	}
	g.loading = append(g.loading, unit)
	defer func() { g.loading = g.loading[:len(g.loading)-1] }()
	return unit, g.addUnitReferences(unit)
}

func (g *Graph) fileCircle(last dockerfile.FileID) string {
	var names []string
	for _, u := range g.loading {
		names = append(names, g.Files.Source(g.Units[u].File.ID).Name())
	}
	return strings.Join(append(names, g.Files.Source(last).Name()), " -> ")
}

// unitStage is the stage of a name as --target would find it.
func (g *Graph) unitStage(unit UnitID, name, ref string) (ID, error) {
	stages := g.Units[unit].Stages
	if name == "" {
		return stages[len(stages)-1], nil
	}
	var names []string
	for _, id := range slices.Backward(stages) {
		if strings.EqualFold(g.Node(id).Name, name) {
			return id, nil
		}
		if n := g.Node(id).Name; n != "" {
			names = append(names, n)
		}
	}
	slices.Reverse(names)
	known := "it has no stage with a name"
	if len(names) > 0 {
		known = "it has " + strings.Join(names, ", ")
	}
	file := g.Files.Source(g.Units[unit].File.ID).Name()
	err := errors.Errorf("%s: there is no stage %q in %s; %s", ref, name, file, known)
	return None, suggest.WrapError(err, name, names, false)
}

// addContext is the build context that --context names for a file: a folder
// of the main context, or a named context.
func (g *Graph) addContext(value string, file dockerfile.FileID, loc dockerfile.Loc) (ContextID, error) {
	src := g.Files.Source(file)
	c := Context{Ignore: src.Path + ".dockerignore", IgnoreRoot: src.Root, Loc: loc}
	if strings.Contains(value, "$") {
		return 0, errors.Errorf("--context=%s: variables are not expanded here; write the folder, or a named context that the client chooses", value)
	}
	if strings.Contains(value, `\`) {
		return 0, errors.Errorf("--context=%s: the path is written with forward slashes: %s", value, strings.ReplaceAll(value, `\`, "/"))
	}
	if dockerfile.IsPath(value) || value == "." || value == ".." {
		c.Dir = path.Clean(strings.TrimLeft(value, "/"))
		if c.Dir == ".." || strings.HasPrefix(c.Dir, "../") {
			return 0, errors.Errorf("--context=%s is outside the build context", value)
		}
	} else {
		c.Named = value
	}
	for id, known := range g.Contexts {
		if id > 0 && known.Dir == c.Dir && known.Named == c.Named && known.Ignore == c.Ignore && known.IgnoreRoot == c.IgnoreRoot {
			return ContextID(id), nil
		}
	}
	g.Contexts = append(g.Contexts, c)
	return ContextID(len(g.Contexts) - 1), nil
}
