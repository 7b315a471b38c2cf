package resolve

import (
	"cmp"
	"context"
	"fmt"
	"sync"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagecraft/stagecraft/llb/crash"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// Options is what the client's request says about the sources.
type Options struct {
	// MultiPlatform says that progress names carry the platform.
	MultiPlatform bool
	// Everything resolves the bases of all stages, not only of those that
	// the target needs.
	Everything bool
}

// Resolved is a graph with all that it stands on.
type Resolved struct {
	Graph *stage.Graph
	// Reach are the nodes that the target needs.
	Reach map[stage.ID]bool
	bases map[stage.ID]*Base
	// contents are those of the bases that are named contexts.
	contents map[stage.ID]func(paths []string) llb.State
}

// Open returns the content of a node whose base is a named context, of which
// some paths are read; no paths is all of it. It is called once for a node.
func (r *Resolved) Open(id stage.ID, paths []string) llb.State { return r.contents[id](paths) }

// Base returns what a node without a base stage is built from; nil for a stage
// that is built from another, and for one that nobody needs.
func (r *Resolved) Base(id stage.ID) *Base { return r.bases[id] }

// Resolve finds all bases. A trigger may bring new references, so that there
// are rounds until nothing is new.
func Resolve(ctx context.Context, b *stage.Builder, src Sources, opt Options) (*Resolved, error) {
	g := b.Graph
	r := &resolver{
		graph:     g,
		builder:   b,
		src:       src,
		opt:       opt,
		bases:     map[stage.ID]*Base{},
		contents:  map[stage.ID]func([]string) llb.State{},
		triggered: map[stage.ID]bool{},
		missed:    map[stage.ID]int{},
	}
	for {
		reach := g.Reach(g.Target)
		if err := r.resolveBases(ctx, reach); err != nil {
			return nil, err
		}
		more, err := r.addTriggers(reach)
		if err != nil {
			checkBasePlatforms(g, r.bases) // an error takes no warning away
			return nil, err
		}
		if !more {
			break
		}
	}
	checkBasePlatforms(g, r.bases)
	if err := r.checkCycles(); err != nil {
		return nil, err
	}
	return &Resolved{Graph: g, Reach: g.Reach(g.Target), bases: r.bases, contents: r.contents}, nil
}

// checkCycles looks at the edges of triggers, too.
func (r *resolver) checkCycles() error {
	if !r.opt.Everything {
		return r.graph.CheckTarget()
	}
	return r.graph.CheckAll()
}

type resolver struct {
	graph   *stage.Graph
	builder *stage.Builder
	src     Sources
	opt     Options

	mu       sync.Mutex // guards bases and contents while a round runs
	bases    map[stage.ID]*Base
	contents map[stage.ID]func(paths []string) llb.State
	// triggered are the nodes whose triggers are in the graph.
	triggered map[stage.ID]bool
	// missed counts the rounds in which a node was there and nobody needed it.
	missed map[stage.ID]int
}

// resolveBases is one round: all bases that are new and needed, at once. Of
// several that fail, the first of the file is the error, whichever comes back
// first: those behind it are given up, those before it are waited for.
func (r *resolver) resolveBases(ctx context.Context, reach map[stage.ID]bool) error {
	wanted, err := r.unresolved(reach)
	if err != nil {
		return err
	}
	var (
		all     sync.WaitGroup
		cancels = make([]context.CancelFunc, len(wanted))
		errs    = make([]error, len(wanted))
	)
	contexts := make([]context.Context, len(wanted))
	for i := range wanted {
		contexts[i], cancels[i] = context.WithCancel(ctx)
		defer cancels[i]()
	}
	for i, w := range wanted {
		all.Go(func() {
			base, err := crash.Guard(func() (*Base, error) { return r.resolveBase(contexts[i], w) })
			if err != nil {
				errs[i] = dockerfile.At(err, w.node.Where())
				for _, cancel := range cancels[i+1:] {
					cancel()
				}
				return
			}
			base.Missed = w.missed
			r.mu.Lock()
			defer r.mu.Unlock()
			r.bases[w.node.ID] = base
		})
	}
	all.Wait()
	return cmp.Or(errs...)
}

// lookup is a node and the image that it names.
type lookup struct {
	node   *stage.Node
	ref    reference.Named
	missed int // rounds
}

// name returns what messages call the image: as the file does, or in full where a
// trigger made it needed, as in docker/dockerfile.
func (w *lookup) name() string {
	if w.missed > 0 {
		return w.ref.String()
	}
	return w.node.Ref
}

// unresolved returns the nodes whose base has to be looked up. References that
// nobody needs must be well-formed all the same.
func (r *resolver) unresolved(reach map[stage.ID]bool) ([]lookup, error) {
	var wanted []lookup
	var malformed malformedRefs
	if r.opt.Everything {
		reach = r.graph.Asked()
	}
	for id := range r.graph.Nodes {
		n := r.graph.Node(stage.ID(id))
		if n.Base != stage.None || n.Open || r.bases[n.ID] != nil {
			continue
		}
		if n.Ref == stage.Scratch && !n.Replaced || n.Unresolved != nil {
			r.bases[n.ID] = scratchBase(r.graph.UnitOf(n))
			continue
		}
		ref, err := normalize(n.Ref)
		if n.Replaced && (n.Kind == stage.External || dockerfile.IsPath(n.Ref)) {
			err = nil // no image, and not wanted
		}
		if err != nil {
			malformed = append(malformed, malformedRef{withHint(err, fileHint(n)), n.Where()})
			continue
		}
		if !reach[n.ID] {
			r.missed[n.ID]++
			continue
		}
		wanted = append(wanted, lookup{n, ref, r.missed[n.ID]})
	}
	return wanted, malformed.err(r.graph.Files)
}

// malformedRefs are references that are none.
type malformedRefs []malformedRef

type malformedRef struct {
	err error
	loc dockerfile.Loc
}

// err shows all of them, with a location each: docker/dockerfile shows one,
// and which it is changes from run to run.
func (m malformedRefs) err(files *dockerfile.Files) error {
	if len(m) == 0 {
		return nil
	}
	err := m[0].err
	for _, other := range m[1:] {
		err = fmt.Errorf("%w; on %s: %w", err, files.Place(other.loc), other.err)
	}
	for _, ref := range m {
		err = dockerfile.At(err, ref.loc)
	}
	return err
}

// addTriggers adds the triggers of the bases of all needed nodes, once each.
func (r *resolver) addTriggers(reach map[stage.ID]bool) (more bool, err error) {
	// Triggers append nodes; these have their turn in the next round.
	for id := range stage.ID(len(r.graph.Nodes)) {
		if !reach[id] || r.triggered[id] {
			continue
		}
		r.triggered[id] = true
		triggers := r.triggers(id)
		if len(triggers) == 0 {
			continue
		}
		refers, err := r.builder.AddTriggers(id, triggers)
		if err != nil {
			return false, err
		}
		more = more || refers
	}
	if !more {
		return false, nil
	}
	return true, r.builder.Grow()
}

// triggers returns those of the base image's config, or the ONBUILD instructions
// of the base stage. They fire one level deep.
func (r *resolver) triggers(id stage.ID) []string {
	n := r.graph.Node(id)
	if n.Base == stage.None {
		return r.bases[id].Triggers
	}
	return r.graph.StageTriggers(n.Base)
}

func (r *resolver) platformOf(n *stage.Node) ocispecs.Platform {
	if n.Platform != nil {
		return *n.Platform
	}
	return r.graph.UnitOf(n).Platforms.Target
}
