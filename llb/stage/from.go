package stage

import (
	"slices"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// What the flags of FROM mean that docker/dockerfile does not know, and those
// that it knows on what it does not know. Each has an effect with a base, or
// is refused:
//
//	              image    scratch  stage    stage of a file
//	--platform    fetches  -        -        builds for it
//	--context     refused  refused  refused  its build context
//	--arg         refused  refused  builds with it, both
//	--target-     fetches  refused  builds for it, both
//	 platform
//	--after, --no-cache             with all of them
//
// A dash is where docker/dockerfile is silent, and so are we. A named context
// in the place of the stage itself leaves nothing of FROM; one in the place of
// an image is fetched as the image would be.

// ours reports whether FROM refers to something that docker/dockerfile has no
// words for: it is followed only where it is needed.
func ours(n *Node, flags *dockerfile.FromFlags) bool {
	return dockerfile.IsPath(n.Ref) || flags.Context != "" || len(flags.Args) > 0 || flags.TargetPlatform != ""
}

// addBase follows a FROM that names a stage of another file, or one with
// settings, or an image of another platform.
func (g *Builder) addBase(id ID, flags *dockerfile.FromFlags) error {
	base, err := g.findBase(id, flags)
	n := g.Node(id)
	if base, err = g.orUnresolved(base, err, id, n.Ref, n.Loc); err != nil {
		return err
	}
	n = g.Node(id)
	n.Open = false
	if base == None {
		return nil
	}
	n.Base = base
	g.connect(Edge{From: id, To: base, Kind: Base, Loc: n.Loc, at: atBase, ref: n.Ref})
	return nil
}

// findBase returns the stage that FROM names, None for an image, whose platform it
// sets.
func (g *Builder) findBase(id ID, flags *dockerfile.FromFlags) (ID, error) {
	set, err := g.fromSettings(id, flags)
	if err != nil {
		return None, err
	}
	n := g.Node(id)
	if n.Platform != nil && set.Platform != nil {
		return None, errors.New("--platform and --target-platform are given both; keep --target-platform")
	}
	if dockerfile.IsPath(n.Ref) {
		if set.Platform == nil {
			set.Platform = n.Platform
		}
		base, err := g.fileStage(n.Ref, id, flags.Context, set, n.Loc)
		if err != nil {
			err = withValues(err, g.fromReference(id))
		}
		return base, err
	}
	if flags.Context != "" {
		return None, errors.Errorf("--context only applies to a stage of another file, and %s is not a path; write FROM --context=%s ./path/Dockerfile#stage", n.Ref, flags.Context)
	}
	if index, ok := g.UnitOf(n).earlier(n.Ref, n.Index); ok {
		return g.withSettings(n.Unit, index, id, set)
	}
	return None, g.imageSettings(n, flags, set)
}

// imageSettings gives an image its platform, and refuses what only a stage can
// have.
func (g *Graph) imageSettings(n *Node, flags *dockerfile.FromFlags, set Settings) error {
	switch {
	case len(flags.Args) > 0:
		hint := "write the name of an earlier stage, or ./path/Dockerfile#stage"
		if _, later := g.UnitOf(n).latest(n.Ref); later {
			hint = "the stage of this name stands further down, where FROM does not look: write it above"
		}
		return errors.Errorf("--arg only applies to a stage, and %s is none; %s", n.Ref, hint)
	case n.Ref == Scratch:
		return errors.New("--target-platform has no effect on scratch, which is the same on every platform; remove it")
	}
	n.Platform = set.Platform
	return nil
}

// fromSettings are --arg and --target-platform of a FROM, with the variables
// in them as FROM has them.
func (g *Builder) fromSettings(id ID, flags *dockerfile.FromFlags) (Settings, error) {
	var set Settings
	for _, arg := range flags.Args {
		value, err := g.fromWord(id, arg.Value)
		if err != nil {
			return set, errors.Wrapf(err, "--arg=%s=%s", arg.Name, arg.Value)
		}
		set.Args = append(set.Args, Var{arg.Name, value})
	}
	if flags.TargetPlatform == "" {
		return Settings{}.with(set), nil
	}
	value, err := g.fromWord(id, flags.TargetPlatform)
	if err != nil {
		return set, errors.Wrapf(err, "--target-platform=%s", flags.TargetPlatform)
	}
	set.Platform, err = parsePlatform(flags.TargetPlatform, value)
	return Settings{}.with(set), err
}

// fromWord expands the variables in a flag of a FROM, which then count as
// used by it.
func (g *Builder) fromWord(id ID, word string) (string, error) {
	n := g.Node(id)
	u := g.UnitOf(n)
	lex := shell.NewLex(u.File.Escape(n.Loc))
	res, err := lex.ProcessWordWithMatches(word, &u.Globals.Env)
	if err != nil {
		return "", err
	}
	g.in(n.Unit).checkFromArgs(&u.File.Stages[n.Index], res.Unmatched)
	for _, name := range sortedKeys(res.Matched) {
		if !slices.Contains(n.UsedArgs, name) {
			n.UsedArgs = append(n.UsedArgs, name)
		}
	}
	slices.Sort(n.UsedArgs)
	return res.Result, nil
}

// copyPlatform is --target-platform of a COPY, with the variables in it as
// those of --from.
func (g *Builder) copyPlatform(from ID, ref *Reference, in *Instruction, vars func() *staticVars) (Settings, error) {
	if ref.Written == "" {
		return Settings{}, nil
	}
	lex := shell.NewLex(g.UnitOf(g.Node(from)).File.Escape(in.Loc))
	if err := vars().reference(lex, ref); err != nil {
		return Settings{}, err
	}
	p, err := parsePlatform(ref.Written, ref.Expanded)
	return Settings{Platform: p}, err
}

func parsePlatform(written, value string) (*ocispecs.Platform, error) {
	if value == "" {
		return nil, errors.Errorf("--target-platform=%s: the value is empty; write a platform, such as linux/arm64 or $BUILDPLATFORM", written)
	}
	p, err := platforms.Parse(value)
	if err != nil {
		return nil, errors.Wrapf(err, "--target-platform=%s: failed to parse platform %s", written, value)
	}
	p = platforms.Normalize(p)
	return &p, nil
}

// withSettings returns a stage of a unit with settings in addition to those of the
// unit. from is the stage that refers to it.
func (g *Builder) withSettings(unit UnitID, index int, from ID, set Settings) (ID, error) {
	if set.Empty() {
		return g.at(unit, index)
	}
	u := &g.Units[unit]
	own := g.unitNamesOf(u, nameOr(u.File.Stages[index].Name, index))
	own.settings = u.Settings.with(set).label()
	unit, err := g.loadUnit(&unitRequest{
		file:     u.File.ID,
		context:  u.Context,
		settings: u.Settings.with(set),
		depth:    g.UnitOf(g.Node(from)).depth + 1,
		ref:      own.short(),
	})
	if err != nil {
		return None, err
	}
	return g.at(unit, index)
}
