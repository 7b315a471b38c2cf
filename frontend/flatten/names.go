package flatten

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/distribution/reference"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// names says what the stages are called in the flattened file, and what a
// reference in it means to docker/dockerfile.
type names struct {
	graph *stage.Graph
	order []stage.ID
	place map[stage.ID]int // in order
	of    map[stage.ID]string
	// contexts are the named contexts that stand for build contexts other
	// than the main one.
	contexts map[stage.ContextID]string
	// taken are names that mean something already.
	taken map[string]bool
}

func newNames(g *stage.Graph, order []stage.ID) *names {
	n := &names{
		graph:    g,
		order:    order,
		place:    map[stage.ID]int{},
		of:       map[stage.ID]string{},
		contexts: map[stage.ContextID]string{},
		taken:    map[string]bool{stage.Scratch: true, "context": true},
	}
	for i := range g.Nodes {
		node := g.Node(stage.ID(i))
		n.taken[strings.ToLower(node.Ref)] = true
		if node.Unit == 0 && node.Name != "" {
			n.taken[node.Name] = true
		}
	}
	for i, id := range order {
		n.place[id] = i
		if node := g.Node(id); node.Unit == 0 {
			n.of[id] = node.Name
		}
	}
	for _, id := range order {
		if node := g.Node(id); node.Unit != 0 {
			n.rename(id)
			n.addContext(g.UnitOf(node).Context)
		}
	}
	return n
}

// rename gives a stage a name of its own.
func (n *names) rename(id stage.ID) {
	node := n.graph.Node(id)
	name := cmp.Or(node.Name, fmt.Sprintf("stage-%d", n.index(id)))
	if stages := n.graph.UnitOf(node).File.Stages; node.Name == "" && node.Index == len(stages)-1 {
		name = "" // the one that the file stands for
	}
	if node.Unit != 0 {
		file := n.graph.Files.Source(n.graph.UnitOf(node).File.ID).Path
		dir, base := path.Split(file)
		base = strings.TrimSuffix(strings.TrimPrefix(base, "Dockerfile"), ".Dockerfile")
		name = path.Join(dir, base, name)
	}
	n.of[id] = n.free(name)
}

// index returns the number of a stage in its file.
func (n *names) index(id stage.ID) int {
	return n.graph.Node(id).Index
}

var notInName = regexp.MustCompile(`[-_.]*[^a-z0-9_.]+[-_.]*`)

// free returns a valid stage name that nothing has yet.
func (n *names) free(wanted string) string {
	base := strings.Trim(notInName.ReplaceAllString(strings.ToLower(wanted), "-"), "-._")
	if base == "" || base[0] < 'a' {
		base = strings.TrimSuffix("stage-"+base, "-")
	}
	name := base
	for i := 2; n.taken[name]; i++ {
		name = fmt.Sprintf("%s-%d", base, i)
	}
	n.taken[name] = true
	return name
}

// addContext gives a build context a name. One folder has one name, whatever
// ignore file its uses would prefer.
func (n *names) addContext(id stage.ContextID) {
	c := n.graph.Contexts[id]
	if id == 0 || n.contexts[id] != "" {
		return
	}
	for other, name := range n.contexts {
		if o := n.graph.Contexts[other]; o.Dir == c.Dir && o.Named == c.Named {
			n.contexts[id] = name
			return
		}
	}
	if c.Named != "" {
		n.contexts[id] = c.Named
		return
	}
	n.contexts[id] = n.free(cmp.Or(strings.TrimPrefix(c.Dir, "."), "root") + "-context")
}

// stageRef is a name in FROM, COPY --from or RUN --mount=from.
type stageRef struct {
	kind stage.EdgeKind
	from stage.ID
	// to is what the name means here.
	to stage.ID
	// text is the name as it is written.
	text string
}

// plain returns how docker/dockerfile is told of what a reference means, and
// whether that can be said.
func (n *names) plain(r stageRef) (string, bool) {
	if r.to == stage.None || n.graph.Node(r.to).Unresolved != nil {
		return "", false
	}
	if n.means(r, r.text) {
		return r.text, true
	}
	to := n.graph.Node(r.to)
	if to.Kind == stage.External {
		full := fullName(to.Ref)
		if to.Ref == stage.Scratch {
			full = to.Ref // the empty image, not one of that name
		}
		return full, n.means(r, full)
	}
	if name := n.of[r.to]; name != "" && n.means(r, name) {
		return name, true
	}
	return "", false
}

// means reports whether docker/dockerfile understands text in the place of a
// reference as it is understood here.
func (n *names) means(r stageRef, text string) bool {
	if strings.Contains(text, "$") || strings.HasPrefix(text, ".") || strings.HasPrefix(text, "/") {
		return false
	}
	to := n.graph.Node(r.to)
	place, written := n.place[r.to]
	index, err := strconv.Atoi(text)
	switch {
	case r.kind == stage.Copy && err == nil:
		if index < 0 || index >= len(n.order) {
			// Images count on after the stages; only where no stage was
			// added are their numbers the same.
			return to.Kind == stage.External && n.untouched()
		}
		return written && place == index
	case to.Kind == stage.External:
		return sameImage(text, to.Ref) && !n.isStage(r, text)
	}
	found, ok := n.lookup(r, text)
	return ok && found == r.to
}

// isStage reports whether docker/dockerfile takes a name for that of a stage.
func (n *names) isStage(r stageRef, text string) bool {
	_, ok := n.lookup(r, text)
	return ok
}

// lookup returns the stage that docker/dockerfile takes a name for: in FROM
// the nearest before, elsewhere the last of the file.
func (n *names) lookup(r stageRef, text string) (stage.ID, bool) {
	before := n.order
	if r.kind == stage.Base {
		before = n.order[:n.place[r.from]]
	} else {
		text = strings.ToLower(text)
	}
	for _, id := range slices.Backward(before) {
		if n.of[id] == text && text != "" {
			return id, true
		}
	}
	return stage.None, false
}

// untouched reports whether the stages are those of the Dockerfile in its own
// order.
func (n *names) untouched() bool { return slices.Equal(n.order, n.graph.Units[0].Stages) }

// settle gives names to stages until all references can be told by them.
func (n *names) settle(references []stageRef) {
	for range len(n.order) + 1 {
		changed := false
		for _, r := range references {
			if _, ok := n.plain(r); ok || r.to == stage.None || n.graph.Node(r.to).Kind == stage.External {
				continue
			}
			if place, written := n.place[r.to]; !written || place >= n.place[r.from] {
				continue // no name helps
			}
			n.rename(r.to)
			changed = true
		}
		if !changed {
			return
		}
	}
}

func sameImage(a, b string) bool { return a == b || fullName(a) == fullName(b) }

// fullName returns an image's reference as no stage can be called.
func fullName(ref string) string {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return ref
	}
	return reference.TagNameOnly(named).String()
}
