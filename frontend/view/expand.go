package view

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/stagecraft/stagecraft/frontend/outgoing"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/resolve"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// references finds what the instructions of a stage say that its edges do not:
// paths with the values of their variables, where these are known, and what
// ADD fetches.
type references struct {
	// paths are those of the references to a node at a place, in order, each
	// with the index of its instruction.
	paths map[referenceKey][]indexedPaths
	// remotes are the sources of ADD.
	remotes []remote
}

type referenceKey struct {
	kind    stage.EdgeKind
	to      stage.ID
	place   string
	onBuild bool
}

type indexedPaths struct {
	index int
	paths []string
}

type remote struct {
	index int
	url   string
	in    *stage.Instruction
}

func keyOf(kind stage.EdgeKind, to stage.ID, loc dockerfile.Loc, onBuild bool) referenceKey {
	return referenceKey{kind, to, fmt.Sprint(loc), onBuild}
}

func referencesOf(n *stage.Node) *references {
	r := &references{paths: map[referenceKey][]indexedPaths{}}
	for i := range n.Steps {
		in := &n.Steps[i]
		note := func(kind stage.EdgeKind, to stage.ID, paths []string) {
			key := keyOf(kind, to, in.Loc, in.OnBuild)
			r.paths[key] = append(r.paths[key], indexedPaths{i, paths})
		}
		switch c := in.Command.(type) {
		case *instructions.CopyCommand:
			if len(in.Refs) > 0 {
				note(stage.Copy, in.Refs[0].Node, slices.Clone(c.SourcePaths))
			}
		case *instructions.RunCommand:
			for at, m := range instructions.GetMounts(c) {
				if at < len(in.Refs) && m.From != "" {
					note(stage.Mount, in.Refs[at].Node, []string{cmp.Or(m.Source, "/")})
				}
			}
		case *instructions.AddCommand:
			for _, src := range c.SourcePaths {
				if git, err := resolve.ParseGit(src, nil, ""); err == nil && git != nil || resolve.IsHTTP(src) {
					r.remotes = append(r.remotes, remote{i, src, in})
				}
			}
		}
	}
	return r
}

// take returns the index of the instruction that an edge stands for, and the
// paths there. Known tells whether there is one.
func (r *references) take(e stage.Edge) (at indexedPaths, known bool) {
	key := keyOf(e.Kind, e.To, e.Loc, e.OnBuild)
	list := r.paths[key]
	if len(list) == 0 {
		return indexedPaths{}, false
	}
	r.paths[key] = list[1:]
	return list[0], true
}

// valuesKnown reports whether the variables of a stage's instructions have the
// values that they have in a build: what an image sets is not known of one
// that is out of reach, or that nobody asked for.
func (b *builder) valuesKnown(n *stage.Node) bool {
	known, done := b.known[n.ID]
	if done {
		return known
	}
	b.known[n.ID] = false // a cycle has no base
	switch {
	case n.Base != stage.None:
		known = b.valuesKnown(b.resolved.Graph.Node(n.Base))
	case b.resolved.Base(n.ID) == nil:
	case n.Replaced:
		known = b.unresolved(n.Replacement, n.Platform) == ""
	case n.Ref == stage.Scratch:
		known = true
	default:
		ref, _, platform := b.image(n)
		known = b.unresolved(ref, &platform) == ""
	}
	b.known[n.ID] = known
	return known
}

// remote returns the node of a URL or a Git repository. Passwords in it are left
// out before the name can be shortened, which would hide them from whoever
// looks for them later.
func (b *builder) remote(url string) string {
	url = outgoing.Text(url)
	key := "ADD " + url
	if id, ok := b.sources[key]; ok {
		return id
	}
	v := Node{ID: fmt.Sprintf("i%d", len(b.sources)), Kind: KindRemote, Name: url, Ref: url}
	b.sources[key] = v.ID
	b.graph.Nodes = append(b.graph.Nodes, v)
	return v.ID
}
