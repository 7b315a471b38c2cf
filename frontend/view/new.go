package view

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/resolve"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// Options is what the view takes from elsewhere than the graph.
type Options struct {
	// Platform is the target platform.
	Platform ocispecs.Platform
	// FileName is the name of a file, as people know it.
	FileName func(dockerfile.FileID) string
	// Unresolved is why an image or a named context could not be had; empty
	// where it could, or nobody asked. Nil: everything could.
	Unresolved func(ref string, p *ocispecs.Platform) string
}

// New returns the view of a graph and its bases.
func New(r *resolve.Resolved, opt Options) *Graph {
	b := &builder{
		resolved: r,
		opt:      opt,
		ids:      map[stage.ID]string{},
		sources:  map[string]string{},
		known:    map[stage.ID]bool{},
	}
	b.graph = &Graph{Platform: format(opt.Platform), Edges: []Edge{}}
	b.asked = r.Graph.Asked()
	b.addStages()
	for i := range r.Graph.Nodes {
		if n := &r.Graph.Nodes[i]; n.Kind == stage.Stage && b.asked[n.ID] {
			b.addEdges(n)
		}
	}
	b.graph.Target = b.ids[r.Graph.Target]
	b.graph.Complete()
	return b.graph
}

type builder struct {
	resolved *resolve.Resolved
	opt      Options
	graph    *Graph
	ids      map[stage.ID]string // of stages
	// asked are the nodes to draw: all but stages of files with settings that
	// nothing refers to.
	asked   map[stage.ID]bool
	sources map[string]string // IDs of images and contexts by their key
	known   map[stage.ID]bool // see valuesKnown
}

func (b *builder) addStages() {
	for i := range b.resolved.Graph.Nodes {
		n := &b.resolved.Graph.Nodes[i]
		if n.Kind != stage.Stage || !b.asked[n.ID] {
			continue
		}
		id := fmt.Sprintf("s%d", len(b.ids))
		b.ids[n.ID] = id
		v := Node{
			ID:    id,
			Kind:  KindStage,
			Name:  cmp.Or(n.Label, n.Name, fmt.Sprintf("stage-%d", n.ID)),
			Ref:   n.Ref,
			Steps: steps(n),
			File:  b.opt.FileName(n.Loc.File),
			Line:  n.Loc.Line(),
		}
		if p := b.resolved.Graph.PlatformOf(n); p != nil {
			v.Platform = format(*p)
		}
		v.Context = b.context(n)
		if n.Replaced {
			v.Kind, v.Ref, v.Steps, v.Context = KindContext, "", 0, ""
			v.Unresolved = b.unresolved(n.Replacement, n.Platform)
		}
		b.graph.Nodes = append(b.graph.Nodes, v)
	}
}

// context returns the build context of a stage, empty for that of the build.
func (b *builder) context(n *stage.Node) string {
	g := b.resolved.Graph
	switch c := g.Contexts[g.Units[n.Unit].Context]; {
	case c.Named != "":
		return c.Named
	case c.Dir != "":
		return "./" + c.Dir
	default:
		return ""
	}
}

// steps counts the instructions that do something.
func steps(n *stage.Node) int {
	total := 0
	for _, in := range n.Steps {
		switch in.Command.(type) {
		case *instructions.RunCommand, *instructions.CopyCommand, *instructions.AddCommand:
			total++
		}
	}
	return total
}

// addEdges adds what a stage needs: its base, then the rest in the order of
// the file, with what a trigger brought in front.
func (b *builder) addEdges(n *stage.Node) {
	if n.Replaced {
		return // what stands in its place needs nothing of this file
	}
	if n.Base == stage.None && n.Ref != stage.Scratch && !n.Open {
		b.addEdge(Edge{Needs: b.source(n), Kind: Base}, n.ID, n.Loc)
	}
	refs := referencesOf(n)
	var edges []orderedEdge
	index := 0
	for _, e := range b.resolved.Graph.Out(n.ID) {
		at, known := refs.take(e)
		if known {
			index = at.index
		}
		if !known || !b.valuesKnown(n) {
			at.paths = e.Paths
		}
		edges = append(edges, orderedEdge{
			rank: rank(e.Kind, e.OnBuild), index: index, loc: e.Loc, to: e.To,
			Edge: Edge{Kind: EdgeKind(e.Kind.String()), Paths: at.paths, OnBuild: e.OnBuild},
		})
	}
	for _, r := range refs.remotes {
		edges = append(edges, orderedEdge{
			rank: rank(stage.Copy, r.in.OnBuild), index: r.index, loc: r.in.Loc, url: r.url,
			Edge: Edge{Kind: Add, OnBuild: r.in.OnBuild},
		})
	}
	slices.SortStableFunc(edges, func(x, y orderedEdge) int {
		return cmp.Or(cmp.Compare(x.rank, y.rank), cmp.Compare(x.index, y.index))
	})
	for _, e := range edges {
		to := b.resolved.Graph.Node(e.to)
		switch {
		case e.url != "":
			e.Needs = b.remote(e.url)
		case to.Kind == stage.Stage:
			e.Needs = b.ids[e.to]
		case to.Ref == stage.Scratch:
			continue // nothing comes from there: it is what a cache mount stands on
		default:
			e.Needs = b.source(to)
		}
		if e.Kind == Mount && len(e.Paths) == 0 {
			e.Paths = []string{"/"}
		}
		b.addEdge(e.Edge, n.ID, e.loc)
	}
}

// orderedEdge is an edge on its way to the graph. It leads to a node, or to
// what ADD fetches from a URL.
type orderedEdge struct {
	Edge
	to          stage.ID
	url         string
	loc         dockerfile.Loc
	rank, index int
}

func rank(kind stage.EdgeKind, onBuild bool) int {
	switch {
	case kind == stage.Base:
		return 0
	case kind == stage.After: // it stands in FROM, too
		return 1
	case onBuild:
		return 2
	default:
		return 3
	}
}

func (b *builder) addEdge(e Edge, from stage.ID, loc dockerfile.Loc) {
	e.Stage, e.File, e.Line = b.ids[from], b.opt.FileName(loc.File), loc.Line()
	b.graph.Edges = append(b.graph.Edges, e)
}

// source returns the node of the image that n is built from or stands for. Nodes
// that name the same image for the same platform share it.
func (b *builder) source(n *stage.Node) string {
	if n.Replaced || n.Unresolved != nil {
		return b.reference(n)
	}
	ref, name, platform := b.image(n)
	key := ref + " " + format(platform)
	if id, ok := b.sources[key]; ok {
		return id
	}
	v := Node{
		ID:         fmt.Sprintf("i%d", len(b.sources)),
		Kind:       KindImage,
		Name:       name,
		Ref:        ref,
		Platform:   format(platform),
		Unresolved: b.unresolved(ref, &platform),
	}
	if base := b.resolved.Base(n.ID); base != nil {
		if base.Context != nil {
			v.Kind = KindContext
		}
		if base.Platform != nil {
			v.Platform = format(*base.Platform)
		}
		if found, err := reference.Parse(base.Ref); err == nil {
			if d, ok := found.(reference.Digested); ok {
				v.Digest = d.Digest().String()
			}
		}
	}
	b.sources[key] = v.ID
	b.graph.Nodes = append(b.graph.Nodes, v)
	return v.ID
}

// image returns the image that n names: its complete and its short reference, and
// the platform that it is fetched for.
func (b *builder) image(n *stage.Node) (ref, name string, platform ocispecs.Platform) {
	ref, name, platform = n.Ref, n.Ref, b.opt.Platform
	if named, err := reference.ParseNormalizedNamed(n.Ref); err == nil {
		named = reference.TagNameOnly(named)
		ref, name = named.String(), shortName(named)
	}
	if n.Platform != nil {
		platform = *n.Platform
	}
	return ref, name, platform
}

// reference returns the node of what stands for a stage that no file was read for:
// a named context, or nothing that could be found.
func (b *builder) reference(n *stage.Node) string {
	v := Node{Kind: KindContext, Name: n.Label}
	if n.Unresolved != nil {
		v = Node{Kind: KindImage, Name: n.Ref, Unresolved: n.Unresolved.Error(), lost: true}
	} else {
		v.Unresolved = b.unresolved(n.Replacement, n.Platform)
	}
	key := v.Name + " " + v.Unresolved
	if id, ok := b.sources[key]; ok {
		return id
	}
	v.ID = fmt.Sprintf("i%d", len(b.sources))
	b.sources[key] = v.ID
	b.graph.Nodes = append(b.graph.Nodes, v)
	return v.ID
}

// shortName returns a reference as people write it. A digest is left out where
// there is a tag to know the image by, else cut to its beginning.
func shortName(named reference.Named) string {
	if tagged, ok := named.(reference.NamedTagged); ok {
		if t, err := reference.WithTag(reference.TrimNamed(named), tagged.Tag()); err == nil {
			return reference.FamiliarString(t)
		}
	}
	if d, ok := named.(reference.Digested); ok {
		dgst := d.Digest()
		return fmt.Sprintf("%s@%s:%.12s", reference.FamiliarName(named), dgst.Algorithm(), dgst.Encoded())
	}
	return reference.FamiliarString(named)
}

func (b *builder) unresolved(ref string, p *ocispecs.Platform) string {
	if b.opt.Unresolved == nil {
		return ""
	}
	return b.opt.Unresolved(ref, p)
}

func format(p ocispecs.Platform) string { return platforms.FormatAll(platforms.Normalize(p)) }
