package stage

import (
	"slices"
	"strings"

	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// maxNesting is how deep files may refer to further files. A symbolic link
// could give each round of a cycle of files another path.
const maxNesting = 64

// maxSettings is how many units may have settings of their own.
const maxSettings = 1000

// unitRequest says which unit a reference means.
type unitRequest struct {
	file     dockerfile.FileID
	context  ContextID
	settings Settings
	depth    int
	ref      string // as it is written, for messages
}

// key returns the key of the unit that is asked for.
func (g *Builder) key(r *unitRequest) UnitKey {
	return UnitKey{
		File:     g.Files.Source(r.file).Name(),
		Context:  g.Contexts[r.context].key(),
		Args:     r.settings.args(),
		Platform: r.settings.platform(),
	}
}

// addUnit adds the stages of a file with what they name as docker/dockerfile
// has it, and between the two calls check. Where that fails the graph is what
// it was.
func (g *Builder) addUnit(u Unit, check func() error) error {
	id, nodes, edges := UnitID(len(g.Units)), len(g.Nodes), len(g.Edges)
	u.nameStages()
	g.Units = append(g.Units, u)
	err := g.addStages(id)
	if id == 0 {
		g.Stages = len(g.Nodes)
	}
	if err == nil {
		err = check()
	}
	if err == nil {
		err = g.addPlainReferences(id)
	}
	if err != nil {
		for from := nodes; from < len(g.Nodes); from++ {
			delete(g.out, ID(from))
		}
		g.Units, g.Nodes, g.Edges = g.Units[:id], g.Nodes[:nodes], g.Edges[:edges]
		return err
	}
	g.units[u.Key] = id
	return nil
}

// fileStage returns the stage that "./path/Dockerfile#name" means, seen from a
// node. The file's stages join the graph when it is met first. Without a name
// it is the last stage. context is the value of --context, empty for the
// build context of the node's own file; so is the platform, unless set says
// otherwise.
func (g *Builder) fileStage(ref string, from ID, context string, set Settings, loc dockerfile.Loc) (ID, error) {
	file, name := dockerfile.SplitPath(ref)
	if strings.Contains(name, "#") || name == "" && strings.HasSuffix(ref, "#") {
		return None, errors.Errorf("%s: write ./path/Dockerfile#stage, with one # and the name of a stage behind it", ref)
	}
	if err := dockerfile.CheckPath(file); err != nil {
		return None, errors.WithMessage(err, "cannot take a stage from another file")
	}
	own := g.UnitOf(g.Node(from))
	// Arguments are those of one file; a platform is that of all.
	settings := Settings{Platform: own.Settings.Platform}.with(set)
	want := unitRequest{context: own.Context, settings: settings, depth: own.depth + 1, ref: ref}
	if id, ok, err := g.standIn(file, name, from, context, want.settings, loc); ok || err != nil {
		return id, err
	}
	var err error
	if want.file, err = g.Files.Load(file, loc); err != nil {
		return None, errors.Wrapf(err, "cannot take a stage from %s", ref)
	}
	if context != "" {
		if want.context, err = g.addContext(context, want.file, loc); err != nil {
			return None, err
		}
	}
	unit, err := g.loadUnit(&want)
	if err != nil {
		return None, err
	}
	return g.unitStage(unit, name, ref)
}

// standIn returns the named context that the client gave in place of a stage of
// another file: nothing of that file is wanted, and so it is not read.
func (g *Builder) standIn(file, name string, from ID, context string, set Settings, loc dockerfile.Loc) (_ ID, ok bool, _ error) {
	path, err := g.Files.Named(file, loc.File)
	if err != nil || name == "" || g.opt.Replaces == nil {
		return None, false, nil // what is wrong is said where the file is read
	}
	names := names{file: trimPath(path), stage: strings.ToLower(name), context: context, settings: set.label()}
	if context == "" {
		names.context = g.Contexts[g.UnitOf(g.Node(from)).Context].String()
	}
	if id, ok := g.stands[names.whole()]; ok {
		return id, true, nil
	}
	given, err := g.given(names, set.Platform)
	if err != nil || given == "" {
		return None, false, err
	}
	id := g.addExternal(from, path+"#"+name, loc, dockerfile.Loc{})
	n := g.Node(id)
	n.Name, n.Label, n.Replaced, n.Replacement, n.Platform = names.stage, names.short(), true, given, set.Platform
	g.stands[names.whole()], g.stood[id] = id, names
	return id, true, nil
}

// loadUnit reads a file, unless that is done.
func (g *Builder) loadUnit(want *unitRequest) (UnitID, error) {
	key := g.key(want)
	if unit, ok := g.units[key]; ok {
		return unit, nil
	}
	if err := g.failed[key]; err != nil {
		return 0, err
	}
	if want.depth > maxNesting && !want.settings.Empty() {
		return 0, errors.Errorf("settings lead to further settings more than %d levels deep, at %s; does a stage need itself with ever new ones?", maxNesting, want.ref)
	}
	if want.depth > maxNesting {
		return 0, errors.Errorf("cannot take a stage from %s: files refer to further files more than %d levels deep", want.ref, maxNesting)
	}
	if !want.settings.Empty() {
		if g.settings++; g.settings > maxSettings {
			return 0, errors.Errorf("%s: the build has more than %d different settings of stages", want.ref, maxSettings)
		}
	}
	err := g.readUnit(want, key)
	if err != nil {
		g.failed[key] = err
	}
	return g.units[key], err
}

func (g *Builder) readUnit(want *unitRequest, key UnitKey) error {
	f, err := g.read(want)
	if err != nil {
		return err
	}
	u := Unit{Key: key, File: f, Context: want.context, Settings: want.settings, depth: want.depth}
	u.Platforms = want.settings.platforms(g.opt.Platforms)
	if u.Globals, err = EvaluateGlobals(f, u.Platforms, g.opt.Target, want.settings.buildArgs(g.opt.BuildArgs)); err != nil {
		return err
	}
	if want.settings.Empty() {
		return g.addUnit(u, func() error { return nil })
	}
	// Its stages join the graph when they are referred to.
	u.ids, u.named = slices.Repeat([]ID{None}, len(f.Stages)), g.parsed[want.file].named
	g.units[key] = UnitID(len(g.Units))
	g.Units = append(g.Units, u)
	return nil
}

// parsed is a file and the indices of the stages of each name.
type parsed struct {
	file  *dockerfile.File
	named map[string][]int
}

func parsedFile(f *dockerfile.File) *parsed { return &parsed{f, stagesByName(f)} }

// read reads the file of a unit. With settings of its own it is only a view of
// one that was read before.
func (g *Builder) read(want *unitRequest) (*dockerfile.File, error) {
	if want.settings.Empty() {
		return dockerfile.Parse(g.Files, want.file, g.opt.Parse)
	}
	if g.parsed[want.file] == nil {
		f, err := dockerfile.Parse(g.Files, want.file, g.opt.Parse)
		if err != nil {
			return nil, err
		}
		g.parsed[want.file] = parsedFile(f)
	}
	return g.parsed[want.file].file.Again(), nil
}

// checkFileCircles refuses files that refer to each other in a cycle, as far
// as the target and its gates need them.
func (g *Builder) checkFileCircles(needed []ID) error {
	next := map[dockerfile.FileID][]Edge{}
	for _, id := range needed {
		for _, i := range g.out[id] {
			if e := g.Edges[i]; dockerfile.IsPath(e.ref) && g.Node(e.To).Kind == Stage {
				file := g.fileOf(e.From)
				next[file] = append(next[file], e)
			}
		}
	}
	done := map[dockerfile.FileID]bool{}
	var way []dockerfile.FileID
	var visit func(dockerfile.FileID) error
	visit = func(file dockerfile.FileID) error {
		if done[file] {
			return nil
		}
		done[file] = true
		way = append(way, file)
		defer func() { way = way[:len(way)-1] }()
		for _, e := range next[file] {
			to := g.fileOf(e.To)
			for _, on := range way {
				if on == to {
					return dockerfile.At(g.fileCircle(way, e), e.Loc)
				}
			}
			if err := visit(to); err != nil {
				return err
			}
		}
		return nil
	}
	return visit(g.fileOf(needed[0]))
}

func (g *Graph) fileOf(id ID) dockerfile.FileID { return g.UnitOf(g.Node(id)).File.ID }

func (g *Graph) fileCircle(way []dockerfile.FileID, e Edge) error {
	var names []string
	for _, file := range append(way, g.fileOf(e.To)) {
		names = append(names, g.Files.Source(file).Name())
	}
	return errors.Errorf("cannot take a stage from %s: the files refer to each other in a cycle: %s", e.ref, strings.Join(names, " -> "))
}
