package flatten

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/resolve"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// rewritten is an instruction for docker/dockerfile.
type rewritten struct {
	text string
	// before are comments to put before it, without the number sign.
	before []string
	// missing says what docker/dockerfile has no words for; text is then the
	// best that there is, empty for nothing.
	missing []string
	// drop says that nothing is better than what is left of the instruction.
	drop bool
}

// rewriter changes the instructions of one unit.
type rewriter struct {
	*names
	globals *globals
	unit    stage.UnitID
	// escape is that of the flattened file.
	escape rune
	pin    func(ref string, loc dockerfile.Loc) string
}

// from writes the FROM of a stage.
func (w *rewriter) from(p *piece, id stage.ID, s *dockerfile.Stage) rewritten {
	var out rewritten
	in := takeApart(p.raw, p.escape)
	node := w.graph.Node(id)
	var edits []edit
	for _, name := range []string{"after", "context", "no-cache", "arg", "squash", "target-platform"} {
		for _, f := range in.flag(name) {
			edits = append(edits, in.without(f))
		}
	}
	if len(s.Flags.After) > 0 {
		out.before = append(out.before, "after: "+strings.Join(w.gates(id), ", "))
	}
	if s.Flags.NoCache {
		out.missing = append(out.missing, "--no-cache: docker/dockerfile switches the cache off from outside only (--no-cache-filter)")
	}
	if s.Flags.Squash {
		out.missing = append(out.missing, "--squash=all: docker/dockerfile makes no single layer of several")
	}
	if set := w.platform(in, node); set != nil && node.Base == stage.None && node.Ref != stage.Scratch && len(in.flag("platform")) == 0 {
		edits = append(edits, in.insert("--platform="+platforms.FormatAll(*set)))
	}
	for _, f := range in.flag("platform") {
		if node.Platform != nil && w.globals.anyWritten(w.unit, f.value()) {
			edits = append(edits, edit{f.start, f.end, "--platform=" + platforms.FormatAll(*node.Platform)})
		}
	}
	if len(in.words) == 0 {
		return rewritten{text: p.raw}
	}
	edits = append(edits, w.base(in, id, &out)...)
	switch name := w.of[id]; {
	case name == node.Name && node.Unit == 0:
	case len(in.words) >= 3:
		edits = append(edits, edit{in.words[2].start, in.words[2].end, name})
	default:
		end := in.words[0].end
		edits = append(edits, edit{end, end, " AS " + name})
	}
	out.text = in.apply(edits)
	return out
}

// platform returns the platform of an image that a FROM without --platform names,
// nil for the build's.
func (w *rewriter) platform(in *instruction, n *stage.Node) *ocispecs.Platform {
	if len(in.flag("target-platform")) > 0 && n.Platform != nil {
		return n.Platform
	}
	return w.graph.UnitOf(n).Settings.Platform
}

// gates returns the names of the stages that --after requires.
func (w *rewriter) gates(id stage.ID) []string {
	var list []string
	for _, e := range w.graph.Out(id) {
		if e.Kind == stage.After {
			list = append(list, cmp.Or(w.of[e.To], w.graph.Node(e.To).Label))
		}
	}
	return list
}

// base rewrites what a stage is built from.
func (w *rewriter) base(in *instruction, id stage.ID, out *rewritten) []edit {
	node := w.graph.Node(id)
	written := in.words[0]
	if node.Replaced {
		return nil
	}
	ref := node.Ref
	if node.Open {
		out.missing = append(out.missing, fmt.Sprintf("%s leads nowhere", node.Ref))
		return nil
	}
	if node.Base != stage.None {
		var ok bool
		if ref, ok = w.plain(stageRef{kind: stage.Base, from: id, to: node.Base, text: node.Ref}); !ok {
			out.missing = append(out.missing, fmt.Sprintf("%s has no name that docker/dockerfile would know here", node.Ref))
			return nil
		}
	} else if w.isStage(stageRef{kind: stage.Base, from: id}, ref) {
		ref = fullName(ref)
	}
	pinned := ref
	if node.Base == stage.None && ref != stage.Scratch {
		pinned = w.pin(ref, node.Loc)
	}
	if pinned == node.Ref && !w.globals.anyWritten(w.unit, written.text) {
		return nil
	}
	return []edit{{written.start, written.end, pinned}}
}

// instruction writes an instruction inside of a stage. step is what the graph
// has of it.
func (w *rewriter) instruction(p *piece, id stage.ID, step *stage.Instruction) rewritten {
	in := takeApart(p.raw, p.escape)
	var out rewritten
	var edits []edit
	switch c := step.Command.(type) {
	case *instructions.ArgCommand:
		edits = w.arg(in, &out)
	case *instructions.CopyCommand:
		edits = w.copy(in, id, step, c, &out)
	case *instructions.AddCommand:
		w.add(c, &out)
	case *instructions.RunCommand:
		edits = w.run(in, id, step, &out)
	case *instructions.OnbuildCommand:
		w.onbuild(c, &out)
	case *instructions.WorkdirCommand:
		for _, f := range append(in.flag("chown"), in.flag("chmod")...) {
			edits = append(edits, in.without(f))
		}
		if step.Flags.Chown != "" || step.Flags.Chmod != "" {
			out.missing = append(out.missing, "--chown or --chmod: docker/dockerfile makes the folders for USER, with mode 755")
		}
	case *dockerfile.FileCommand:
		out.missing = append(out.missing, fmt.Sprintf("%s --file: write the values of the file", c.Keyword))
	case *dockerfile.ConfigCommand:
		out.missing = append(out.missing, fmt.Sprintf("%s --from: write the values that %s has", c.Keyword, c.From))
	}
	if out.text = in.apply(edits); out.drop {
		out.text = ""
	}
	return out
}

// arg gives an ARG the value that the file's own global scope has for it.
func (w *rewriter) arg(in *instruction, out *rewritten) []edit {
	var edits []edit
	for _, word := range in.words {
		name, _, hasDefault := strings.Cut(word.text, "=")
		_, isSet := setting(w.graph.Units[w.unit].Settings, name)
		if hasDefault && !isSet || !w.globals.written(w.unit, name) {
			continue
		}
		value, ok := w.globals.value(w.unit, name)
		if !ok {
			continue
		}
		if _, given := w.globals.buildArgs[name]; given && isSet {
			out.missing = append(out.missing, fmt.Sprintf("the build argument %s is given, and --arg sets another value here", name))
		}
		q, ok := quoted(value, w.escape)
		if !ok {
			out.missing = append(out.missing, fmt.Sprintf("the value of %s has several lines", name))
			continue
		}
		edits = append(edits, edit{word.start, word.end, name + "=" + q})
	}
	return edits
}

func (w *rewriter) copy(in *instruction, id stage.ID, step *stage.Instruction, c *instructions.CopyCommand, out *rewritten) []edit {
	var edits []edit
	for _, name := range []string{"if-exists", "keep-root", "target-platform"} {
		for _, f := range in.flag(name) {
			edits = append(edits, in.without(f))
		}
	}
	if step.Flags.KeepRoot {
		out.missing = append(out.missing, "--keep-root: docker/dockerfile loses owner and mode of the folder itself")
	}
	if step.Flags.IfExists {
		edits = append(edits, optional(in, out)...)
	}
	if c.From == "" {
		return append(edits, w.copyContext(in, c, out)...)
	}
	for _, f := range in.flag("from") {
		if to, ok := w.source(stage.Copy, id, step, 0, f.value(), out); ok && to != f.value() {
			edits = append(edits, edit{f.start, f.end, quotedFlag("--from="+to, w.escape)})
		}
	}
	return edits
}

// copyContext copies from a build context other than the main one.
func (w *rewriter) copyContext(in *instruction, c *instructions.CopyCommand, out *rewritten) []edit {
	name := w.contexts[w.graph.Units[w.unit].Context]
	switch {
	case name == "" || len(c.SourcePaths) == 0:
		return nil
	case len(c.SourceContents) > 0:
		out.drop = true
		out.missing = append(out.missing, "one COPY of files and of here-documents, with another build context")
		return nil
	}
	return []edit{in.insert("--from=" + name)}
}

// add refuses local files of a build context other than the main one.
func (w *rewriter) add(c *instructions.AddCommand, out *rewritten) {
	if w.contexts[w.graph.Units[w.unit].Context] == "" {
		return
	}
	for _, src := range c.SourcePaths {
		if git, err := resolve.ParseGit(src, nil, ""); resolve.IsHTTP(src) || err == nil && git != nil {
			continue
		}
		out.drop = true
		out.missing = append(out.missing, "ADD of local files, with another build context: docker/dockerfile's ADD has no --from")
		return
	}
}

func (w *rewriter) run(in *instruction, id stage.ID, step *stage.Instruction, out *rewritten) []edit {
	var edits []edit
	for _, f := range in.flag("no-cache") {
		edits = append(edits, in.without(f))
	}
	if step.Flags.NoCache {
		out.missing = append(out.missing, "--no-cache: docker/dockerfile switches the cache off from outside only (--no-cache-filter)")
	}
	context := w.contexts[w.graph.Units[w.unit].Context]
	for i, f := range in.flag("mount") {
		fields := mountFields(f)
		from, kind := mountField(fields, "from"), mountField(fields, "type")
		switch {
		case from != "" && i < len(step.Refs):
			if to, ok := w.source(stage.Mount, id, step, i, from, out); ok && to != from {
				edits = append(edits, edit{f.start, f.end, withFrom(f, to, w.escape)})
			}
		case from == "" && context != "" && (kind == "" || kind == "bind"):
			edits = append(edits, edit{f.start, f.end, withFrom(f, context, w.escape)})
		}
	}
	return edits
}

// source returns the name of what COPY or a mount copies from.
func (w *rewriter) source(kind stage.EdgeKind, id stage.ID, step *stage.Instruction, i int, text string, out *rewritten) (string, bool) {
	if i >= len(step.Refs) {
		return "", false
	}
	to := step.Refs[i].Node
	name, ok := w.plain(stageRef{kind: kind, from: id, to: to, text: text})
	if !ok {
		out.missing = append(out.missing, fmt.Sprintf("--from=%s has no name that docker/dockerfile would know here", text))
		return "", false
	}
	if n := w.graph.Node(to); n.Kind == stage.External && n.Ref != stage.Scratch {
		if w.graph.Units[w.unit].Settings.Platform != nil || step.Flags.TargetPlatform != "" {
			out.missing = append(out.missing, fmt.Sprintf("--from=%s: an image of another platform has to be a stage of its own", text))
		}
		if pinned := w.pin(n.Ref, step.Loc); pinned != n.Ref {
			return pinned, true
		}
	}
	return name, true
}

// onbuild refuses triggers that only Stagecraft understands. What is wrong in
// docker/dockerfile, too, it stores as it is.
func (w *rewriter) onbuild(c *instructions.OnbuildCommand, out *rewritten) {
	first, _, _ := strings.Cut(strings.TrimSpace(c.Expression), " ")
	addition := slices.ContainsFunc([]string{"include", "unset"}, func(name string) bool { return strings.EqualFold(first, name) })
	if !addition && plainError(c.Expression+"\n", '\\') != "" {
		_, err := w.graph.Units[w.unit].File.ParseTrigger(c.Expression, dockerfile.Whole(0))
		addition = err == nil
	}
	in := takeApart(c.Expression, '\\')
	for _, f := range in.flags {
		from := f.value()
		if strings.HasPrefix(f.text, "--mount=") {
			from = mountField(mountFields(f), "from")
		} else if !strings.HasPrefix(f.text, "--from=") {
			continue
		}
		addition = addition || strings.Contains(from, "$") || dockerfile.IsPath(from)
	}
	if addition {
		out.drop = true
		out.missing = append(out.missing, "docker/dockerfile could not read this trigger when it fires")
	}
}
