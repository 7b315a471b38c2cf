package flatten

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
	compiler "github.com/stagecraft/stagecraft/llb"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/resolve"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// Verify compiles a flattened file and what it was made from, and returns an
// error where the operations or the image config differ. history alone may:
// it has the instructions as they are written.
//
// original is the request that the graph is from, with files of its own.
func (r *Report) Verify(ctx context.Context, original compiler.Request) error {
	original.Warn, original.SourceMap = nil, nil
	want, err := compiler.Compile(ctx, original)
	if err != nil {
		return err
	}
	flat := original
	flat.Files = dockerfile.NewFiles("Dockerfile", []byte(r.Dockerfile), nil)
	flat.Sources = &withContexts{Sources: original.Sources, report: r, states: map[stage.ContextID]*resolve.Context{}, open: func(ctx context.Context, id stage.ContextID, paths []string) (*llb.State, error) {
		return original.OtherContext(ctx, want.Plan.Graph.Contexts[id], paths)
	}}
	flat.Target = "" // it is the last stage
	got, err := compiler.Compile(ctx, flat)
	if err != nil {
		return errors.Errorf("docker/dockerfile would not build the flattened file: %v", err)
	}
	return same(ctx, want, got, len(r.Contexts) > 0)
}

// same compares two results. contexts says that there are build contexts
// besides the main one.
func same(ctx context.Context, want, got *compiler.Compiled, contexts bool) error {
	a, err := operations(ctx, want, contexts)
	if err != nil {
		return err
	}
	b, err := operations(ctx, got, contexts)
	if err != nil {
		return err
	}
	if name, ok := contained(a, b); !ok {
		return errors.Errorf("docker/dockerfile would do something else, at %s; please report it", cmp.Or(name, "the result"))
	}
	if name, ok := contained(b, a); !ok {
		return errors.Errorf("docker/dockerfile would do more than is written, at %s; please report it", name)
	}
	x, y := config(want), config(got)
	if x != y {
		return errors.Errorf("docker/dockerfile would make another image config, please report it:\n%s\n%s", x, y)
	}
	return nil
}

// contained reports whether a has nothing but what b has, else the name of
// the first.
func contained(a, b []operation) (name string, ok bool) {
	have := map[string]bool{}
	for _, op := range b {
		have[op.canonical] = true
	}
	for _, op := range a {
		if !have[op.canonical] {
			return op.name, false
		}
	}
	return "", true
}

// operation is one operation with all that it is made from.
type operation struct{ canonical, name string }

var oneOf = regexp.MustCompile(`\[(.)\]`)

// SentPaths returns the paths that are sent of a local folder, as LLB has
// them, with a pattern for one character replaced by the character: a file
// that COPY --if-exists asks for is sent under its name as under such a
// pattern. It is for comparisons.
func SentPaths(follow string) string {
	var paths []string
	if json.Unmarshal([]byte(follow), &paths) != nil {
		return follow
	}
	for i, p := range paths {
		paths[i] = oneOf.ReplaceAllString(p, "$1")
	}
	slices.Sort(paths)
	return strings.Join(slices.Compact(paths), "\n")
}

// operations returns the operations of a result. What tells one fetch of a
// local folder from the next is left out.
func operations(ctx context.Context, c *compiler.Compiled, contexts bool) ([]operation, error) {
	def, err := c.State.Marshal(ctx)
	if err != nil {
		return nil, err
	}
	var list []operation
	inputs := map[string]string{}
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.UnmarshalVT(dt); err != nil {
			return nil, errors.WithStack(err)
		}
		if src := op.GetSource(); src != nil {
			for _, attr := range []string{pb.AttrLocalUniqueID, pb.AttrLocalSessionID, pb.AttrSharedKeyHint} {
				delete(src.Attrs, attr)
			}
			if follow, ok := src.Attrs[pb.AttrFollowPaths]; ok {
				src.Attrs[pb.AttrFollowPaths] = SentPaths(follow)
			}
			if contexts {
				// One name may stand for two uses of a folder, each of which
				// is sent what it reads.
				delete(src.Attrs, pb.AttrFollowPaths)
			}
		}
		for _, in := range op.Inputs {
			in.Digest = inputs[in.Digest]
		}
		text, err := json.Marshal(&op)
		if err != nil {
			return nil, errors.WithStack(err)
		}
		dgst := digest.FromBytes(dt)
		inputs[dgst.String()] = digest.FromBytes(text).String()
		list = append(list, operation{inputs[dgst.String()], def.Metadata[dgst].Description["llb.customname"]})
	}
	return list, nil
}

// config returns the image config without the text of its history.
func config(c *compiler.Compiled) string {
	img := c.Plan.Target().Image
	steps := len(img.History)
	img.History = nil
	dt, err := json.Marshal(img)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s %d", dt, steps)
}

// withContexts gives a flattened file its named contexts.
type withContexts struct {
	resolve.Sources
	report *Report
	open   func(context.Context, stage.ContextID, []string) (*llb.State, error)

	mu     sync.Mutex
	states map[stage.ContextID]*resolve.Context
}

func (s *withContexts) find(name string) (Context, bool) {
	for _, c := range s.report.Contexts {
		if fullName(c.Name) == fullName(name) {
			return c, true
		}
	}
	return Context{}, false
}

func (s *withContexts) HasContext(name string, p *ocispecs.Platform) (bool, error) {
	if _, ok := s.find(name); ok {
		return true, nil
	}
	return s.Sources.HasContext(name, p)
}

func (s *withContexts) Context(ctx context.Context, name string, p *ocispecs.Platform) (*resolve.Context, error) {
	c, ok := s.find(name)
	if !ok {
		return s.Sources.Context(ctx, name, p)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if st, ok := s.states[c.id]; ok {
		return st, nil
	}
	// All references read one context, as all stages of a unit do.
	var paths []string
	everything := false
	st := llb.Scratch().Async(func(ctx context.Context, _ llb.State, _ *llb.Constraints) (llb.State, error) {
		if everything {
			paths = nil
		}
		st, err := s.open(ctx, c.id, slices.Compact(slices.Sorted(slices.Values(paths))))
		if err != nil {
			return llb.State{}, err
		}
		return *st, nil
	})
	s.states[c.id] = &resolve.Context{Open: func(p []string) llb.State {
		paths, everything = append(paths, p...), everything || len(p) == 0
		return st
	}}
	return s.states[c.id], nil
}
