package flatten

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// Syntax is the first line of a flattened file.
const Syntax = "# syntax=docker/dockerfile:1"

// output is the text so far.
type output struct {
	text strings.Builder
	end  string // of lines
	// file is where the last piece came from.
	file dockerfile.FileID
}

// comment writes a comment line.
func (o *output) comment(text string) {
	o.endLine()
	o.text.WriteString("# " + text + o.end)
}

func (o *output) endLine() {
	if text := o.text.String(); text != "" && !strings.HasSuffix(text, "\n") {
		o.text.WriteString(o.end)
	}
}

// write writes the whole file.
func (f *flattening) write() {
	src := f.Graph.Files.Source(0)
	f.out.end = newline(splitLines(src.Data))
	root := f.units[0]
	head := f.head(&root)
	f.out.text.WriteString(head)
	f.contextComments()
	for _, p := range root.preamble {
		f.preamble(0, p)
	}
	for _, u := range f.globals.units[1:] {
		f.hoisted(u)
	}
	for _, id := range f.order {
		f.stage(id)
	}
	f.alias()
}

// head takes the directives of the Dockerfile out of its first piece, and
// writes the syntax line.
func (f *flattening) head(root *blocks) string {
	first := f.firstPiece(root)
	lines := splitLines([]byte(first.lead))
	n := 0
	if len(lines) > 0 && strings.HasPrefix(strings.TrimPrefix(lines[0], bom), "#!") {
		n = 1
	}
	var p parser.DirectiveParser
	for ; n < len(lines); n++ {
		text := strings.TrimSpace(lines[n])
		if n == 0 {
			text = strings.TrimPrefix(text, bom)
		}
		if d, err := p.ParseLine([]byte(text)); d == nil || err != nil {
			break
		}
	}
	head := withSyntax(strings.Join(lines[:n], ""), f.Graph.Files.Source(0).Data, f.out.end)
	first.lead = strings.Join(lines[n:], "")
	if n == 0 {
		if rest, ok := strings.CutPrefix(first.lead, bom); ok {
			first.lead = rest
		} else if rest, ok := strings.CutPrefix(first.raw, bom); ok {
			first.raw = rest
		}
	}
	return head
}

// firstPiece returns the first piece of the Dockerfile, wherever it is kept.
func (f *flattening) firstPiece(root *blocks) *piece {
	if len(root.preamble) > 0 {
		return &root.preamble[0]
	}
	return &root.stages[0][0]
}

var syntaxLine = regexp.MustCompile(`(?i)^(` + bom + `)?#\s*syntax\s*=`)

// withSyntax makes docker/dockerfile read the file. A line that names it
// already stays: the version is the user's.
func withSyntax(head string, data []byte, end string) string {
	ref, _, _, ok := parser.DetectSyntax(data)
	if ok && strings.Contains(ref, "docker/dockerfile") && syntaxLine.MatchString(strings.TrimSpace(head)) {
		return head
	}
	lines := splitLines([]byte(head))
	at := 0
	if len(lines) > 0 && strings.HasPrefix(strings.TrimPrefix(lines[0], bom), "#!") {
		at = 1
	}
	mark := ""
	if strings.HasPrefix(string(data), bom) && at == 0 {
		mark = bom
		if len(lines) > 0 {
			lines[0] = strings.TrimPrefix(lines[0], bom)
		}
	}
	lines = slices.DeleteFunc(lines, syntaxLine.MatchString)
	return strings.Join(slices.Insert(lines, at, mark+Syntax+end), "")
}

// contextComments says which named contexts a build needs.
func (f *flattening) contextComments() {
	own := f.ownContexts()
	if len(own) == 0 {
		return
	}
	f.out.comment("To build this file:")
	for _, c := range own {
		path := c.Path
		if path == "" {
			path = "PATH"
		}
		f.out.comment(fmt.Sprintf("  --build-context %s=%s", c.Name, path))
	}
}

// mark notes in a comment that what follows is from another file.
func (f *flattening) mark(p *piece) {
	if p.file == f.out.file || p.raw == "" && strings.TrimSpace(p.lead) == "" {
		return
	}
	f.out.file = p.file
	f.out.comment(fmt.Sprintf("from %s:%d", f.Graph.Files.Source(p.file).Name(), p.line))
}

// lead writes what stands before an instruction.
func (f *flattening) lead(p *piece) {
	f.files[p.file] = true
	if p.file == f.out.file {
		if p.lead != "" {
			f.out.endLineIf(p.file != 0)
			f.out.text.WriteString(p.lead)
		}
		return
	}
	f.out.endLine()
	comments := strings.TrimLeft(p.lead, " \t\r\n")
	f.out.text.WriteString(p.lead[:len(p.lead)-len(comments)])
	f.mark(p)
	f.out.text.WriteString(comments)
}

func (o *output) endLineIf(other bool) {
	if other {
		o.endLine()
	}
}

// preamble writes a piece before the first stage.
func (f *flattening) preamble(u stage.UnitID, p piece) {
	f.lead(&p)
	if p.raw == "" {
		return
	}
	p, why := withEscape(p, f.escape)
	if why != "" {
		f.miss(p.loc(), p.raw, why)
	}
	f.put(&p, f.globalArg(u, &p))
}

// globalArg returns an ARG before the first FROM: names whose value is written where
// they are used are left out.
func (f *flattening) globalArg(u stage.UnitID, p *piece) rewritten {
	in := takeApart(p.raw, p.escape)
	decls := f.globals.decls(u)
	var edits []edit
	kept := 0
	for _, w := range in.words {
		name, text, _ := strings.Cut(w.text, "=")
		if _, declared := decls[name]; declared && !f.globals.declared[u][name] {
			edits = append(edits, in.without(w))
			continue
		}
		kept++
		if !f.globals.anyWritten(u, text) {
			continue
		}
		value, _ := f.globals.value(u, name)
		if q, ok := quoted(value, f.escape); ok {
			edits = append(edits, edit{w.start, w.end, name + "=" + q})
		}
	}
	if kept == 0 && len(in.words) > 0 {
		return rewritten{before: []string{strings.TrimSpace(in.rest.text) + " (written where it is used)"}}
	}
	return rewritten{text: in.apply(edits)}
}

// hoisted writes the global ARGs of another file.
func (f *flattening) hoisted(u stage.UnitID) {
	for _, p := range f.units[u].preamble {
		if p.raw == "" {
			continue
		}
		named := takeApart(p.raw, p.escape)
		if !slices.ContainsFunc(named.words, func(w word) bool {
			name, _, _ := strings.Cut(w.text, "=")
			return f.globals.declared[u][name] && !f.alreadyDeclared(u, name)
		}) {
			continue
		}
		f.preamble(u, p)
	}
}

// alreadyDeclared reports whether an earlier unit declares a name alike.
func (f *flattening) alreadyDeclared(u stage.UnitID, name string) bool {
	return slices.ContainsFunc(f.globals.units[:slices.Index(f.globals.units, u)], func(e stage.UnitID) bool { return f.globals.declared[e][name] })
}

// stage writes a stage.
func (f *flattening) stage(id stage.ID) {
	n := f.Graph.Node(id)
	w := &rewriter{names: f.names, globals: f.globals, unit: n.Unit, escape: f.escape, pin: f.Pin}
	steps := own(n)
	s := &f.Graph.UnitOf(n).File.Stages[f.index(id)]
	for i, p := range f.block(id) {
		if i == 0 && p.file != f.out.file {
			f.separate(&p)
		}
		f.lead(&p)
		if p.raw == "" {
			continue
		}
		p, why := withEscape(p, f.escape)
		var done rewritten
		switch {
		case i == 0:
			done = w.from(&p, id, s)
		case len(steps) > 0:
			done = w.instruction(&p, id, &steps[0])
			steps = steps[1:]
		}
		if why != "" {
			done.missing = append(done.missing, why)
		}
		f.put(&p, done)
	}
}

// separate puts an empty line before a stage of another file.
func (f *flattening) separate(p *piece) {
	if strings.TrimLeft(p.lead, " \t") != "" && strings.HasPrefix(strings.TrimLeft(p.lead, " \t\r"), "\n") {
		return
	}
	f.out.endLine()
	if text := f.out.text.String(); text != "" && !strings.HasSuffix(text, f.out.end+f.out.end) {
		f.out.text.WriteString(f.out.end)
	}
}

// put writes an instruction, or comments in its place.
func (f *flattening) put(p *piece, r rewritten) {
	if r.text != "" {
		if why := plainError(r.text, f.escape); why != "" {
			r.missing = append(r.missing, why)
			r.text = ""
		}
	}
	for _, why := range r.missing {
		f.miss(p.loc(), p.raw, why)
		r.before = append(r.before, "not in plain words: "+firstLine(p.raw)+" ("+why+")")
	}
	for _, line := range r.before {
		f.out.comment(line)
	}
	if r.text == "" && len(r.missing) > 0 {
		for _, line := range splitLines([]byte(p.raw)) {
			f.out.text.WriteString("# " + line)
		}
		return
	}
	if p.file != 0 {
		f.out.endLine()
	}
	f.out.text.WriteString(r.text)
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(line)
}

// alias ends the file with the stage that is built without --target, where
// another stage had to stand before it.
func (f *flattening) alias() {
	g := f.Graph
	want := g.Target
	if !f.Target {
		root := g.Units[0].Stages
		want = root[len(root)-1]
	}
	if f.order[len(f.order)-1] == want {
		return
	}
	for i, step := range own(g.Node(want)) {
		if _, ok := step.Command.(*instructions.OnbuildCommand); ok {
			f.miss(step.Loc, f.instructions(want)[i].raw, "this stage is the last, and another one copies from it: its triggers would be lost")
		}
	}
	if last, _ := f.lookup(stageRef{kind: stage.Copy}, f.of[want]); last != want {
		f.miss(g.Node(want).Loc, f.block(want)[0].raw, "this stage is the last, and another one that refers to it has the same name")
	}
	name := f.of[want]
	f.out.endLine()
	as := ""
	if g.Node(want).Name != "" {
		as = " AS " + g.Node(want).Name
	}
	f.out.text.WriteString(f.out.end + "FROM " + name + as + f.out.end)
}
