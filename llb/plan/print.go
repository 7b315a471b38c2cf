package plan

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// String returns the plan as text, for tests and for people: its stages with their
// steps and what they change in the image config, then the paths that are
// read. What is empty or as usual is left out: see usual. The same plan has
// the same text.
func (p *Plan) String() string {
	w := &printer{plan: p}
	for _, s := range p.Stages {
		w.stage(s)
	}
	for _, src := range slices.SortedFunc(maps.Keys(p.Paths), compareSources) {
		if s := p.byID[src.Base]; s != nil && (s.Base == nil || s.Base.Context == nil) {
			continue // nothing is sent of an image
		}
		paths := "everything"
		if list := p.Paths[src]; list != nil {
			paths = w.value(reflect.ValueOf(list))
		}
		w.line(0, "reads %s: %s", w.source(src), paths)
	}
	if p.Epoch != nil {
		w.line(0, "epoch %s", w.value(reflect.ValueOf(*p.Epoch)))
	}
	return w.String()
}

func compareSources(a, b Source) int {
	if a.Base != b.Base {
		return int(a.Base - b.Base)
	}
	return int(a.Context - b.Context)
}

type printer struct {
	strings.Builder
	plan *Plan
	// usual are those of the current operation.
	usual map[reflect.Type]any
}

func (w *printer) line(indent int, format string, args ...any) {
	w.WriteString(strings.Repeat("  ", indent))
	fmt.Fprintf(w, format+"\n", args...)
}

func (w *printer) stage(s *Stage) {
	var notes []string
	if s.ID == w.plan.TargetID {
		notes = append(notes, "target")
	}
	if s.IgnoreCache {
		notes = append(notes, "no-cache")
	}
	if s.ScanStage {
		notes = append(notes, "scanned")
	}
	if s.ScanContext {
		notes = append(notes, "context-scanned")
	}
	w.line(0, "%s <- %s (%s)", w.node(s.ID), w.base(s), strings.Join(append([]string{platforms.FormatAll(s.Platform)}, notes...), ", "))
	if s.Progress != "" {
		w.line(1, "%q", s.Progress)
	}
	if s.Squash != nil {
		w.line(1, "squash %q", s.Squash.Progress)
	}
	for i := range s.Steps {
		w.step(s, &s.Steps[i])
	}
	w.image(s)
}

// node returns a stage by its number and name, an external by its reference.
func (w *printer) node(id stage.ID) string {
	if id == stage.None {
		return "context"
	}
	n := w.plan.byID[id]
	switch {
	case n == nil:
		return fmt.Sprintf("%d", id)
	case n.Kind == stage.External:
		return n.Ref
	case n.Label != "":
		return fmt.Sprintf("%d:%s", id, n.Label)
	default:
		return fmt.Sprintf("%d", id)
	}
}

func (w *printer) base(s *Stage) string {
	switch b := s.Base; {
	case b == nil:
		return w.node(s.Parent)
	case b.Context != nil:
		return "named context"
	case b.Ref != "":
		return b.Ref
	default:
		return "nothing"
	}
}

func (w *printer) source(src Source) string {
	switch {
	case src.Base != stage.None:
		return "context of " + w.node(src.Base)
	case src.Context != 0:
		return fmt.Sprintf("context %d", src.Context)
	default:
		return "context"
	}
}

func (w *printer) step(in *Stage, s *Step) {
	where := fmt.Sprintf("line %d", s.Loc.Line())
	if s.Loc.File != 0 {
		where = fmt.Sprintf("file %d ", s.Loc.File) + where
	}
	if s.Op == nil {
		w.line(1, "%s: config", where)
		return
	}
	op := reflect.ValueOf(s.Op).Elem()
	again := ""
	if s.IgnoreCache {
		again = " (no-cache)"
	}
	if s.Fresh {
		again += " (fresh)"
	} else if s.AfterFresh {
		again += " (after fresh)"
	}
	w.line(1, "%s: %s %q%s", where, kindOf(op), s.Progress, again)
	w.usual = usual(in, s.Op)
	for i := range op.NumField() {
		if w.shows(op, i) {
			f := op.Field(i)
			w.line(2, "%s %s", fieldName(op, i), w.value(f))
		}
	}
}

func kindOf(v reflect.Value) string { return strings.ToLower(v.Type().Name()) }

func fieldName(v reflect.Value, i int) string { return strings.ToLower(v.Type().Field(i).Name) }

// usual returns the values, for an operation of a stage, that say nothing: where
// nothing else was written, they are what every build has.
func usual(in *Stage, op Op) map[reflect.Type]any {
	values := []any{
		Run{Dir: "/", Security: instructions.SecuritySandbox, Network: instructions.NetworkDefault, Platform: &in.Platform},
		Copy{Platform: in.Platform},
		Mkdir{Mode: defaultFolderMode},
		Files{From: stage.None},
		Mount{From: stage.None, Path: "/", Sharing: instructions.MountSharingShared},
	}
	if c, ok := op.(*Copy); ok && !c.Link {
		values[1] = Copy{Platform: in.Platform, LinkProgress: c.LinkProgress}
	}
	byType := map[reflect.Type]any{}
	for _, v := range values {
		byType[reflect.TypeOf(v)] = v
	}
	return byType
}

// shows reports whether a field of a struct tells something. Number 0 is a
// stage.
func (w *printer) shows(of reflect.Value, i int) bool {
	v := of.Field(i)
	if u, ok := w.usual[of.Type()]; ok && reflect.DeepEqual(v.Interface(), reflect.ValueOf(u).Field(i).Interface()) {
		return false
	}
	if _, isID := v.Interface().(stage.ID); isID {
		return true
	}
	return !v.IsZero() && (v.Kind() != reflect.Slice || v.Len() > 0)
}

// value returns a value in one line. Types are told apart by what is in them, so
// that a field which is added to an operation shows up here by itself.
func (w *printer) value(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case stage.ID:
		return w.node(x)
	case stage.Var:
		return x.Key + "=" + word(x.Value)
	case ocispecs.Platform:
		return platforms.FormatAll(x)
	case time.Time:
		return x.UTC().Format(time.RFC3339)
	case fs.FileMode:
		return fmt.Sprintf("%#o", uint32(x))
	}
	switch v.Kind() {
	case reflect.Pointer:
		return w.value(v.Elem())
	case reflect.Interface: // a source of a copy
		return kindOf(v.Elem().Elem()) + w.value(v.Elem())
	case reflect.String:
		return word(v.String())
	case reflect.Slice:
		var items []string
		for i := range v.Len() {
			items = append(items, w.value(v.Index(i)))
		}
		return strings.Join(items, " ")
	case reflect.Struct:
		var fields []string
		for i := range v.NumField() {
			if w.shows(v, i) {
				fields = append(fields, fieldName(v, i)+"="+w.value(v.Field(i)))
			}
		}
		return "{" + strings.Join(fields, " ") + "}"
	default:
		return fmt.Sprint(v.Interface())
	}
}

var plainWord = regexp.MustCompile(`^[\w./:@%+,=*-]+$`)

// word returns a string, in quotes where it would not stand out.
func word(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return fmt.Sprintf("%q", s)
}

// image prints how the config of a stage differs from that of its base.
func (w *printer) image(s *Stage) {
	var base dockerspec.DockerOCIImage
	if b := w.plan.byID[s.Parent]; b != nil {
		base = b.Image
	} else if s.Base != nil {
		base = s.Base.Image
	}
	before, after := configLines(&base), configLines(&s.Image)
	for _, l := range before {
		if !slices.Contains(after, l) {
			w.line(1, "- %s", l)
		}
	}
	for _, l := range after {
		if !slices.Contains(before, l) {
			w.line(1, "+ %s", l)
		}
	}
	for _, h := range s.Image.History[min(len(base.History), len(s.Image.History)):] {
		layer := " (layer)"
		if h.EmptyLayer {
			layer = ""
		}
		w.line(1, "history %s%s", word(h.CreatedBy), layer)
	}
}

// configLines returns the settings of an image, sorted, one a line.
func configLines(img *dockerspec.DockerOCIImage) []string {
	data, err := json.Marshal(img.Config)
	if err != nil {
		return []string{err.Error()}
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return []string{err.Error()}
	}
	delete(fields, "Env")
	var lines []string
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		lines = append(lines, strings.ToLower(k)+" "+string(fields[k]))
	}
	for _, kv := range img.Config.Env {
		lines = append(lines, "env "+word(kv))
	}
	if img.Author != "" {
		lines = append(lines, "author "+word(img.Author))
	}
	return append(lines, "platform "+platforms.FormatAll(img.Platform))
}
