package digests

import (
	"fmt"
	"slices"

	"github.com/stagecraft/stagecraft/llb/plan"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// The shape of a step is what BuildKit's operation has of it, apart from what it is made from: files, other steps
// and variables.

func (b *builder) run(st *Step, op *plan.Run, t *tail) any {
	for _, word := range []string{"SHELL", "USER", "WORKDIR"} {
		if f, ok := t.config[word]; ok {
			st.Facts = append(st.Facts, f)
		}
	}
	for _, s := range op.Secrets {
		st.Facts = append(st.Facts, Fact{Cause: CauseSecret, Name: s.ID, Value: fmt.Sprintf("%s %s %v", text(s.Target), text(s.Env), s.Required), File: st.File, Line: st.Line})
	}
	for _, o := range b.Options {
		st.Facts = append(st.Facts, Fact{Cause: CauseOption, Name: o.Name, Value: o.Value, File: st.File, Line: st.Line})
	}
	shape := *op
	shape.Env, shape.Secrets = nil, nil
	shape.Mounts = slices.Clone(op.Mounts)
	for i := range shape.Mounts {
		m := &shape.Mounts[i]
		b.takes(st, m.From)
		m.From, m.Context = 0, 0
	}
	var env []stage.Var // of the base image: the others are facts
	for _, v := range op.Env {
		if !slices.ContainsFunc(st.Facts, func(f Fact) bool { return f.Name == v.Key && (f.Cause == CauseArgument || f.Cause == CauseEnvironment) }) {
			env = append(env, v)
		}
	}
	return []any{shape, env}
}

func (b *builder) copy(st *Step, op *plan.Copy, t *tail) any {
	if dir, ok := t.config["WORKDIR"]; ok { // the destination may be relative to it
		st.Facts = append(st.Facts, dir)
	}
	shape := *op
	shape.Sources, shape.LinkProgress = nil, ""
	shape.Link = op.Link && op.Chmod == nil
	parts := []any{nil}
	for _, src := range op.Sources {
		if files, ok := src.(*plan.Files); ok {
			b.takes(st, files.From)
			f := *files
			f.From, f.Context = 0, 0
			parts = append(parts, "files", f)
			continue
		}
		switch s := src.(type) {
		case *plan.Download:
			parts = append(parts, "download", s.URL, s.Unpack)
		case *plan.Checkout:
			parts = append(parts, "checkout", s.URL)
		case *plan.Inline:
			parts = append(parts, "inline", *s)
		}
	}
	parts[0] = shape
	return parts
}

// takes notes that a step takes files of a node.
func (b *builder) takes(st *Step, from stage.ID) {
	if from == stage.None {
		return
	}
	t := b.ids[from]
	if t == nil {
		return // a cache mount stands on nothing
	}
	for _, i := range t.on {
		if !slices.Contains(st.Copies, i) {
			st.Copies = append(st.Copies, i)
		}
	}
}

func text(s *string) string {
	if s == nil {
		return "-"
	}
	return *s
}
