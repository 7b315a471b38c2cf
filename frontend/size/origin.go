package size

import (
	"strings"

	"github.com/distribution/reference"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/plan"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// origin returns a step as an origin, without amounts.
func (b *builder) origin(id plan.StepID) Origin {
	if id.Index == plan.BaseStep {
		n := b.Plan.Stage(id.Stage).Node
		o := Origin{Kind: KindBase, From: familiar(n.Ref), Code: n.From.SourceCode}
		if n.Replaced {
			o.From = name(n)
		}
		return b.at(o, n.Loc)
	}
	step := b.Plan.Step(id)
	o := Origin{Kind: KindOther, Code: step.Code}
	switch op := step.Op.(type) {
	case *plan.Run:
		o.Kind = KindRun
	case *plan.Copy:
		for i, src := range op.Sources {
			kind, from, path := b.source(src)
			if i == 0 {
				o.Kind, o.From = kind, from
			}
			o.Paths = append(o.Paths, path)
		}
	}
	return b.at(o, step.Loc)
}

func (b *builder) at(o Origin, loc dockerfile.Loc) Origin {
	o.File, o.Line = b.file(loc), loc.Line()
	return o
}

// file returns the name of a file, as people know it.
func (b *builder) file(loc dockerfile.Loc) string { return b.Plan.Graph.Files.Source(loc.File).Name() }

// source returns what a source of a copy is.
func (b *builder) source(src plan.CopySource) (kind Kind, from, path string) {
	switch s := src.(type) {
	case *plan.Files:
		if s.From == stage.None {
			if path = strings.TrimPrefix(s.Path, "/"); path == "" {
				path = "."
			}
			return KindContext, contextName(b.Plan.Graph.Contexts, s.Context), path
		}
		n := b.Plan.Graph.Node(s.From)
		if n.Kind == stage.Stage {
			return KindCopy, name(n), s.Path
		}
		return KindCopy, familiar(n.Ref), s.Path
	case *plan.Download:
		return KindAdd, s.URL, s.URL
	case *plan.Checkout:
		return KindAdd, s.URL, s.URL
	case *plan.Inline:
		return KindAdd, "", "<<" + s.Name
	default:
		return KindOther, "", ""
	}
}

// contextName returns a build context as FROM --context has it, empty for that of the build.
func contextName(contexts []stage.Context, id stage.ContextID) string {
	if int(id) >= len(contexts) {
		return ""
	}
	switch c := contexts[id]; {
	case c.Named != "":
		return c.Named
	case c.Dir != "":
		return "./" + c.Dir
	default:
		return ""
	}
}

// familiar returns a reference as people write it.
func familiar(ref string) string {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return ref
	}
	return reference.FamiliarString(named)
}
