package stage

import (
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/util/suggest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
)

// What a name means depends on where it stands:
//
//	FROM name               an earlier stage of the file, by its exact name in
//	                        lower case; else an image (unitBuilder.named)
//	COPY --from=, mounts    an index of a stage (COPY only); the nearest
//	                        earlier stage of the file in any case, else the
//	                        nearest later one, else the stage itself; else an
//	                        image (Builder.source)
//	--after                 as in COPY, without indices and images
//	./path#name, /path#name the last stage of that name in the file
//	--target                the last stage of that name in the Dockerfile, or
//	                        any stage by its label (Graph.ByName)
//	--build-context,        a stage by its label, or by a shorter one that
//	--no-cache-filter       leaves settings out (Builder.given, Graph.Outside)
//
// A label is the name of a stage from outside of its file: the name after AS,
// else stage-N; after the file and a # for a stage of another file; and after
// that what tells it from others of the same name: {CONTEXT}, where the file
// is used with several build contexts, (NAME=VALUE,…) and [PLATFORM].
// docker/dockerfile sees some of this otherwise: upstream.go.

// names are the parts of a stage's label.
type names struct {
	file     string // empty for the Dockerfile
	stage    string
	context  string // empty for the main build context
	settings string
}

func (n names) base() string {
	if n.file == "" {
		return n.stage
	}
	return n.file + "#" + n.stage
}

// whole returns the label with all that tells the stage from others, and short
// leaves the build context out.
func (n names) whole() string { return n.withContext() + n.settings }
func (n names) short() string { return n.base() + n.settings }

func (n names) withContext() string {
	if n.context == "" {
		return n.base()
	}
	return n.base() + "{" + n.context + "}"
}

// outside returns the names under which the client can mean the stage, the one
// that says most first.
func (n names) outside() []string {
	return slices.Compact([]string{n.whole(), n.short(), n.withContext(), n.base()})
}

// namesOf returns the parts of a node's label.
func (g *Graph) namesOf(id ID) names {
	n := g.Node(id)
	if n.Kind == External {
		return names{stage: n.Label}
	}
	u := g.UnitOf(n)
	return g.unitNamesOf(u, nameOr(n.Name, n.Index))
}

func (g *Graph) unitNamesOf(u *Unit, stage string) names {
	own := names{stage: stage, settings: u.Settings.label()}
	if u.File.ID != 0 {
		own.file = trimPath(g.Files.Source(u.File.ID).Name())
		own.context = g.Contexts[u.Context].String()
	}
	return own
}

// TargetName returns the name of a stage for --target, empty for one that can have
// none.
func (g *Graph) TargetName(id ID) string {
	n := g.Node(id)
	if g.UnitOf(n).Settings.Empty() {
		return n.From.Name // as docker/dockerfile has it
	}
	return n.Label
}

// nameOr returns the name of a stage, or that of the stage of an index.
func nameOr(name string, index int) string {
	if name == "" {
		return "stage-" + strconv.Itoa(index)
	}
	return name
}

// Outside returns a stage's names for --no-cache-filter, the one that says most
// first. It is empty for a stage without a name.
func (g *Graph) Outside(id ID) []string {
	if n := g.Node(id); n.Name == "" || n.Kind == External {
		return []string{""}
	}
	return g.namesOf(id).outside()
}

// trimPath makes ./svc/Dockerfile#x, /svc/Dockerfile#x and svc/Dockerfile#x
// the same name: from outside there is only one.
func trimPath(label string) string {
	return strings.TrimPrefix(strings.TrimPrefix(label, "."), "/")
}

// relabel gives the stages of other files, and those with settings, labels
// that tell them apart, as far as they are in a set.
func (g *Graph) relabel(set map[ID]bool) {
	contexts, roots := map[string][]string{}, map[string][]string{}
	for i := range g.Units[1:] {
		u := &g.Units[i+1]
		if !slices.ContainsFunc(u.Stages, func(id ID) bool { return set[id] }) {
			continue
		}
		file := u.Key.File
		if !slices.Contains(contexts[file], u.Key.Context) {
			contexts[file] = append(contexts[file], u.Key.Context)
		}
		if !slices.Contains(roots[trimPath(file)], file) {
			roots[trimPath(file)] = append(roots[trimPath(file)], file)
		}
	}
	for i := range g.Units[1:] {
		u := &g.Units[i+1]
		for _, id := range u.Stages {
			own := g.unitNamesOf(u, nameOr(g.Node(id).Name, g.Node(id).Index))
			if all := contexts[u.Key.File]; len(all) < 2 {
				own.context = ""
			} else if slices.ContainsFunc(all, func(key string) bool {
				return key != u.Key.Context && strings.HasPrefix(key, own.context+" ")
			}) {
				own.context = u.Key.Context // with the ignore file
			}
			if len(roots[own.file]) > 1 {
				own.file = u.Key.File // with its slash
			}
			g.Node(id).Label = own.whole()
		}
	}
}

// ByName returns the stage that --target means: the last one of that name in the
// Dockerfile, or any stage by its label, such as svc/Dockerfile#build. Stage
// names have no case. A name that means several stages is an error.
func (g *Graph) ByName(name string) (ID, bool, error) {
	if name == "" {
		return None, false, nil
	}
	for _, id := range slices.Backward(g.Units[0].Stages) {
		if strings.EqualFold(g.Node(id).Name, name) {
			return id, true, nil
		}
	}
	if !isLabel(name) {
		return None, false, nil
	}
	asked := g.Asked()
	for _, same := range []func(ID) bool{
		func(id ID) bool { return g.Node(id).Label == name },
		func(id ID) bool { return strings.EqualFold(trimPath(g.Node(id).Label), trimPath(name)) },
		func(id ID) bool {
			return slices.ContainsFunc(g.Outside(id), func(n string) bool { return strings.EqualFold(n, trimPath(name)) })
		},
	} {
		if id, found, err := g.only(name, func(id ID) bool { return asked[id] && same(id) }); found || err != nil {
			return id, found, err
		}
	}
	return None, false, nil
}

// only returns the one stage of those outside of the Dockerfile that a name means:
// of several in one unit the last one.
func (g *Graph) only(name string, same func(ID) bool) (ID, bool, error) {
	found := None
	var labels []string
	for i := range g.Units[1:] {
		for _, id := range slices.Backward(g.Units[i+1].Stages) {
			if same(id) {
				found = id
				labels = append(labels, g.Node(id).Label)
				break
			}
		}
	}
	if len(labels) > 1 {
		return None, false, ambiguous(name, labels)
	}
	return found, found != None, nil
}

func ambiguous(name string, labels []string) error {
	return errors.Errorf("%s means several stages: %s; write one of these", name, strings.Join(labels, ", "))
}

// isLabel reports whether a name has what only labels have.
func isLabel(name string) bool { return strings.ContainsAny(name, "#({[") }

// Ambiguous returns an error where a name for the client's options means
// several stages of a set that differ in their build context. given reports
// whether the client gave an option for a name.
func (g *Graph) Ambiguous(set map[ID]bool, given func(name string) bool) error {
	labels := map[string][]string{}
	for i := range g.Units[1:] {
		u := &g.Units[i+1]
		for _, id := range slices.Backward(u.Stages) {
			n := g.namesOf(id)
			if !set[id] || g.Node(id).Name == "" || given(n.whole()) || given(n.withContext()) {
				continue
			}
			label := g.Node(id).Label
			for _, name := range slices.Compact([]string{n.short(), n.base()}) {
				if given(name) && strings.Contains(label, "{") && !slices.Contains(labels[name], label) {
					labels[name] = append(labels[name], label)
				}
			}
		}
	}
	for _, name := range sortedNames(labels) {
		if len(labels[name]) > 1 {
			return ambiguous(name, labels[name])
		}
	}
	return nil
}

// replacement returns the name of the named context that the client gave in place
// of a stage with a name, empty where it gave none.
func (b *unitBuilder) replacement(n *Node) (string, error) {
	if n.Name == "" || n.Name == Scratch || n.Name == "context" || b.opt.Replaces == nil {
		return "", nil // scratch and context mean something else already
	}
	platform := n.Platform
	if platform == nil {
		platform = b.Settings.Platform
	}
	return b.given(b.unitNamesOf(b.Unit, n.Name), platform)
}

// checkReplacements refuses a named context under a name that leaves the build
// context out, where it stands for stages with several.
func (g *Builder) checkReplacements(needed []ID) error {
	labels := map[string][]string{}
	for _, id := range needed {
		n := g.Node(id)
		if !n.Replaced {
			continue
		}
		own, ok := g.stood[id]
		if !ok {
			own = g.namesOf(id)
		}
		if n.Replacement == own.whole() || n.Replacement == own.withContext() && own.context != "" {
			continue
		}
		if list := labels[n.Replacement]; !slices.Contains(list, own.withContext()) {
			labels[n.Replacement] = append(list, own.withContext())
		}
	}
	for _, name := range sortedNames(labels) {
		if len(labels[name]) > 1 {
			return ambiguous("--build-context "+name, labels[name])
		}
	}
	return nil
}

// given returns the name under which the client gave a named context in place of a
// stage, empty where it gave none.
func (g *Builder) given(n names, platform *ocispecs.Platform) (string, error) {
	for _, name := range n.outside() {
		ok, err := g.opt.Replaces(name, platform)
		if err != nil {
			return "", err
		}
		if !ok {
			continue
		}
		return name, nil
	}
	return "", nil
}

// label returns a stage's name from outside of its file, as far as it is known
// before all units are.
func (b *unitBuilder) label(name string) string {
	return b.unitNamesOf(b.Unit, name).short()
}

// unitStage returns the stage of a name as --target would find it.
func (g *Builder) unitStage(unit UnitID, name, ref string) (ID, error) {
	u := &g.Units[unit]
	if name == "" {
		return g.at(unit, len(u.ids)-1)
	}
	if index, ok := u.latest(name); ok {
		return g.at(unit, index)
	}
	names := u.stageNames()
	known := "it has no stage with a name"
	if len(names) > 0 {
		known = "it has " + strings.Join(names, ", ")
	}
	file := g.Files.Source(u.File.ID).Name()
	err := errors.Errorf("%s: there is no stage %q in %s; %s", ref, name, file, known)
	return None, suggest.WrapError(err, name, names, false)
}

// stageNames returns the names of the stages of the unit's file.
func (u *Unit) stageNames() []string {
	var names []string
	for i := range u.File.Stages {
		if name := u.File.Stages[i].Name; name != "" {
			names = append(names, name)
		}
	}
	return names
}

// earlier returns the stage that FROM means by a name in a stage: the nearest above
// it.
func (u *Unit) earlier(name string, from int) (index int, ok bool) {
	same := u.named[name]
	i, _ := slices.BinarySearch(same, from)
	if i == 0 {
		return 0, false
	}
	return same[i-1], true
}

// visible returns the stage that a name means inside of a stage: of the same file,
// the nearest earlier one of that name, else the nearest later one, else the
// stage itself.
func (u *Unit) visible(name string, from int) (index int, ok bool) {
	same := u.named[strings.ToLower(name)]
	i, itself := slices.BinarySearch(same, from)
	later := i
	if itself {
		later++
	}
	switch {
	case i > 0:
		return same[i-1], true
	case later < len(same):
		return same[later], true
	default:
		return from, itself
	}
}

// Labels returns the names under which a user knows the nodes, for suggestions.
func (g *Graph) Labels() []string {
	var labels []string
	asked := g.Asked()
	for _, n := range g.Nodes {
		if n.Label != "" && asked[n.ID] {
			labels = append(labels, n.Label)
		}
	}
	return labels
}

// Visible returns the stage that a name means in --from= and --after= of a stage,
// as far as it is in the graph.
func (g *Graph) Visible(name string, from ID) (ID, bool) {
	n := g.Node(from)
	index, ok := g.UnitOf(n).visible(name, n.Index)
	if !ok || g.UnitOf(n).ids[index] == None {
		return None, false
	}
	return g.UnitOf(n).ids[index], true
}
