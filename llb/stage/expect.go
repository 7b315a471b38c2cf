package stage

import (
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// expect announces the files that the stages refer to which a node is known
// to need, so that they come in one transfer. What a variable names is left
// out, and so are stages in whose place a named context stands.
func (g *Builder) expect(start ID) {
	refs := map[dockerfile.FileID][]string{}
	var order []dockerfile.FileID
	for todo := []ID{start}; len(todo) > 0; {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if g.expected[id] || g.Node(id).Kind != Stage || g.Node(id).Replaced {
			continue
		}
		g.expected[id] = true
		g.writtenPaths(id, func(ref, context string, in dockerfile.FileID) {
			if !g.stoodIn(ref, context, id, in) {
				if refs[in] == nil {
					order = append(order, in)
				}
				file, _ := dockerfile.SplitPath(ref)
				refs[in] = append(refs[in], file)
			}
		})
		for _, e := range g.out[id] {
			todo = append(todo, g.Edges[e].To)
		}
	}
	for _, in := range order {
		g.Files.Expect(refs[in], in)
	}
}

// writtenPaths tells of each path to a stage of another file that a stage has
// in plain words, and the file in which it stands.
func (g *Builder) writtenPaths(id ID, tell func(ref, context string, in dockerfile.FileID)) {
	plain := func(ref, context string, in dockerfile.FileID) {
		if dockerfile.IsPath(ref) && !strings.ContainsAny(ref, `$"'\`) {
			tell(ref, context, in)
		}
	}
	n, flags := g.Node(id), g.fromFlags(id)
	if n.Open {
		plain(n.Ref, flags.Context, n.Loc.File)
	}
	for _, name := range flags.After {
		plain(name, "", n.Loc.File)
	}
	for i := range n.Steps {
		in := &n.Steps[i]
		switch c := in.Command.(type) {
		case *instructions.CopyCommand:
			plain(dockerfile.FlagText(c.From), "", in.Loc.File)
		case *instructions.RunCommand:
			if !slices.Contains(c.FlagsUsed, "mount") {
				continue
			}
			for _, m := range writtenMounts(c) {
				plain(dockerfile.FlagText(m.From), "", in.Loc.File)
			}
		}
	}
}

// stoodIn reports whether the client may have given a named context in place of the
// stage of another file.
func (g *Builder) stoodIn(ref, context string, from ID, in dockerfile.FileID) bool {
	file, name := dockerfile.SplitPath(ref)
	path, err := g.Files.Named(file, in)
	if err != nil || name == "" || g.opt.Replaces == nil {
		return false
	}
	if context == "" {
		context = g.Contexts[g.UnitOf(g.Node(from)).Context].String()
	}
	given, err := g.given(names{file: trimPath(path), stage: strings.ToLower(name), context: context}, nil)
	return err != nil || given != ""
}
