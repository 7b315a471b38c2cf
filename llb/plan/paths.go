package plan

import (
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stagecraft/stagecraft/llb/stage"
)

// pathSet are the paths that are read of a source.
type pathSet map[string]bool

// read notes that the build needs a path of a source.
func (ev *evaluator) read(src Source, p string) {
	if ev.reads[src] == nil {
		ev.reads[src] = pathSet{}
	}
	ev.reads[src][path.Join("/", filepath.ToSlash(p))] = true
}

// readOf notes that a path of a node's filesystem is needed. Files of a stage
// may be files of the context that it stands on.
func (e *stageEval) readOf(id stage.ID, p string) {
	if id == stage.None {
		e.need(BuildContext(e.unit.Context), p)
		return
	}
	root := id // what is replaced stands on nothing else
	if s := e.scopes[id]; s != nil {
		root = s.root
	}
	e.need(Source{Base: root}, p)
}

// need notes that the current instruction reads a path of a source. An image
// is a source, too, but comes from no client.
func (e *stageEval) need(src Source, p string) {
	e.read(src, p)
	if src.Base != stage.None {
		if b := e.resolved.Base(src.Base); b == nil || b.Context == nil {
			return
		}
	}
	e.outside = append(e.outside, Read{From: src, Path: path.Join("/", filepath.ToSlash(p))})
}

// isThere reports whether a node's filesystem can be used by now. A stage that a
// named context replaces is there from the start, and its own instructions
// are looked at for the sake of the checks only.
func (e *stageEval) isThere(id stage.ID) bool {
	return e.stageNode(id) != nil || e.plan.Graph.Node(id).Replaced || e.out.Node.Replaced
}

// list returns the paths relative to the root, sorted; nil for everything.
func (s pathSet) list() []string {
	if s["/"] {
		return nil
	}
	var list []string
	for p := range s {
		list = append(list, strings.TrimPrefix(p, "/"))
	}
	slices.Sort(list)
	return list
}
