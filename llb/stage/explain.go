package stage

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/moby/buildkit/util/suggest"
	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// What is said of references that lead nowhere.

// maxNames is how many names a message lists.
const maxNames = 12

// listNames joins names for a message, the first ones where they are many.
func listNames(names []string) string {
	if more := len(names) - maxNames; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNames], ", "), more)
	}
	return strings.Join(names, ", ")
}

// Unfound says of an image that could not be found what else its name may have
// been meant to be: for a name that a stage could have, that there is no such
// stage, and which stages begin alike. Empty where there is nothing to say.
func (g *Graph) Unfound(id ID) string {
	n := g.Node(id)
	if strings.ContainsAny(n.Ref, "/:.@") {
		return ""
	}
	if n.Kind == Stage {
		return g.unfoundBase(n)
	}
	written, prefix := n.Ref, stem(n.Ref)
	if ref := g.referenceTo(id); ref != nil && ref.HasVariables() {
		written = fmt.Sprintf("%s (%s, where %s)", n.Ref, ref.Written, ref.Values())
		prefix, _, _ = strings.Cut(ref.Written, "$")
	}
	text := "no stage is called " + written
	if names := g.alike(n, prefix); len(names) > 0 {
		text += "; stages that begin alike are " + listNames(names)
	}
	return text + "; as an image"
}

// unfoundBase says of a FROM that it sees no later stage.
func (g *Graph) unfoundBase(n *Node) string {
	stages := g.UnitOf(n).File.Stages
	for i := n.Index + 1; i < len(stages); i++ {
		if later := &stages[i]; later.Name == n.Ref {
			return fmt.Sprintf("stage %s stands further down, on %s, and FROM means stages above it only; as an image", later.Name, g.Files.Place(later.Loc))
		}
	}
	if names := g.alike(n, stem(n.Ref)); len(names) > 0 && len(stem(n.Ref)) < len(n.Ref) {
		return fmt.Sprintf("no stage above is called %s; stages that begin alike are %s; as an image", n.Ref, listNames(names))
	}
	return ""
}

// stem returns how names begin that belong to the name: build- for build-amd64, bui
// for build.
func stem(name string) string {
	if i := strings.LastIndexAny(name, "-_"); i > 0 {
		return name[:i+1]
	}
	return name[:min(len(name), 3)]
}

// alike returns the other stages of a node's file whose names begin so.
func (g *Graph) alike(n *Node, prefix string) []string {
	if prefix == "" {
		return g.unitNames(n.ID)
	}
	return slices.DeleteFunc(g.unitNames(n.ID), func(name string) bool {
		return name == n.Name || !strings.HasPrefix(name, strings.ToLower(prefix))
	})
}

// referenceTo returns the reference that brought an external in.
func (g *Graph) referenceTo(id ID) *Reference {
	for i := range g.Nodes {
		for j := range g.Nodes[i].Steps {
			refs := g.Nodes[i].Steps[j].Refs
			for k := range refs {
				if refs[k].Node == id {
					return &refs[k]
				}
			}
		}
	}
	return nil
}

// FileHint says of a name that is no path, and looks as if it were meant to be
// one, how a stage of another file is written. Empty for other names.
func FileHint(ref string) string {
	path, _, stage := strings.Cut(strings.ReplaceAll(ref, `\`, "/"), "#")
	last := path[strings.LastIndex(path, "/")+1:]
	isFile := strings.Contains(path, "/") && strings.Contains(strings.ToLower(last), "dockerfile")
	switch {
	case dockerfile.IsPath(ref), !isFile && !strings.ContainsAny(ref, `#\`):
		return ""
	case !stage:
		ref += "#stage"
	}
	ref = strings.ReplaceAll(ref, `\`, "/")
	if !dockerfile.IsPath(ref) {
		ref = "./" + ref
	}
	return "a stage of another file is written " + ref
}

// withValues adds to an error about a path where the values of its variables
// are from. An error in the file that the path leads to has nothing to do with
// them.
func withValues(err error, ref *Reference) error {
	var located *parser.LocationError
	if err == nil || len(ref.Vars) == 0 || errors.As(err, &located) {
		return err
	}
	return fmt.Errorf("%w; in %s, %s", err, ref.Written, ref.Values())
}

// fromReference returns the argument of a FROM, with the variables in it, for
// messages.
func (g *Graph) fromReference(id ID) *Reference {
	n, globals := g.Node(id), g.UnitOf(g.Node(id)).Globals
	ref := &Reference{Written: n.From.BaseName, Expanded: n.Ref}
	res, _ := shell.NewLex(g.UnitOf(n).File.Escape(n.Loc)).ProcessWordWithMatches(ref.Written, &globals.Env)
	for _, name := range sortedKeys(res.Matched) {
		value, _ := globals.Env.Get(name)
		ref.Vars = append(ref.Vars, RefVar{Name: name, Value: &value, From: globals.origin(name, g.Files.Place)})
	}
	return ref
}

// targetError is the error for a target that there is not. It lists the stages
// that there are, those of other files as far as these can be read.
func (g *Builder) targetError() error {
	err := suggest.WrapError(errors.Errorf("target stage %q could not be found", g.opt.Target), g.opt.Target, g.Labels(), true)
	if !isLabel(g.opt.Target) { // else they have been looked at
		g.tolerant = true
		_ = g.followAll(map[ID]bool{}) // what is wrong elsewhere is not the point
		g.tolerant = false
		g.relabel(g.Asked())
	}
	var names []string
	asked := g.Asked()
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if !asked[n.ID] {
			continue
		}
		name := n.Name
		if n.Unit != 0 {
			name = n.Label
		}
		if n.Kind == Stage && n.Name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return fmt.Errorf("%w; no stage has a name: give it one with FROM … AS %s", err, g.opt.Target)
	}
	return fmt.Errorf("%w; there are %s", err, listNames(names))
}
