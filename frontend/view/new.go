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

// context is the build context of a stage, empty for that of the build.
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
	edges := b.resolved.Graph.Out(n.ID)
	slices.SortStableFunc(edges, func(x, y stage.Edge) int { return cmp.Compare(rank(x), rank(y)) })
	for _, e := range edges {
		to := b.resolved.Graph.Node(e.To)
		var needs string
		switch {
		case to.Kind == stage.Stage:
			needs = b.ids[e.To]
		case to.Ref == stage.Scratch:
			continue // nothing comes from there: it is what a cache mount stands on
		default:
			needs = b.source(to)
		}
		v := Edge{Needs: needs, Kind: EdgeKind(e.Kind.String()), Paths: e.Paths, OnBuild: e.OnBuild}
		if v.Kind == Mount && len(v.Paths) == 0 {
			v.Paths = []string{"/"}
		}
		b.addEdge(v, n.ID, e.Loc)
	}
}

func rank(e stage.Edge) int {
	switch {
	case e.Kind == stage.Base:
		return 0
	case e.Kind == stage.After: // it stands in FROM, too
		return 1
	case e.OnBuild:
		return 2
	default:
		return 3
	}
}

func (b *builder) addEdge(e Edge, from stage.ID, loc dockerfile.Loc) {
	e.Stage, e.File, e.Line = b.ids[from], b.opt.FileName(loc.File), loc.Line()
	b.graph.Edges = append(b.graph.Edges, e)
}

// source is the node of the image that n is built from or stands for. Nodes
// that name the same image for the same platform share it.
func (b *builder) source(n *stage.Node) string {
	if n.Replaced || n.Unresolved != nil {
		return b.reference(n)
	}
	ref, name := n.Ref, n.Ref
	if named, err := reference.ParseNormalizedNamed(n.Ref); err == nil {
		named = reference.TagNameOnly(named)
		ref, name = named.String(), shortName(named)
	}
	platform := b.opt.Platform
	if n.Platform != nil {
		platform = *n.Platform
	}
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

// reference is the node of what stands for a stage that no file was read for:
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

// shortName is a reference as people write it. A digest is left out where
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
