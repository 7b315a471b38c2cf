package size

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/frontend/answer"
	"github.com/stagecraft/stagecraft/frontend/size/walk"
)

// ReadBefore reads an earlier answer. Errors say where in it they are.
func ReadBefore(data []byte) (*Report, error) {
	var before Report
	if err := json.Unmarshal(data, &before); err != nil {
		line := 1 + bytes.Count(data[:min(offset(err), int64(len(data)))], []byte("\n"))
		return nil, errors.Errorf("line %d: this is not an answer of --call=size,format=json: %v", line, err)
	}
	switch {
	case before.Version == 0 || before.Target == "" || before.Platform == "" || before.Origins == nil || before.Stages == nil:
		return nil, errors.New("this is not an answer of --call=size,format=json")
	case before.Version != SchemaVersion:
		return nil, errors.Errorf("this is an answer of version %d, and this version of Stagecraft reads version %d; make it again", before.Version, SchemaVersion)
	}
	for _, f := range before.Paths {
		if f.Origin < 0 || f.Origin >= len(before.Origins) {
			return nil, errors.Errorf("%s has no origin: this answer was changed after it was made", f.Path)
		}
	}
	return &before, nil
}

// offset returns how many bytes were read before an error of JSON.
func offset(err error) int64 {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return syntax.Offset
	case errors.As(err, &kind):
		return kind.Offset
	default:
		return 0
	}
}

// Compare adds what grew and shrank since an earlier answer.
func (r *Report) Compare(before *Report) {
	r.compared, r.before = true, before.Total
	r.comparePaths(before)
	r.compareOrigins(before)
}

func (r *Report) comparePaths(before *Report) {
	old, now := before.Paths, r.Paths
	// Only what is cut at the same depth can be compared.
	switch a, b := before.PathDepth, r.PathDepth; {
	case a > 0 && (b == 0 || b > a):
		now = folded(now, a)
	case b > 0 && (a == 0 || a > b):
		old = folded(old, b)
	}
	changes := map[string]*Change{}
	for _, f := range old {
		changes[f.Path] = &Change{Path: f.Path, Before: f.Bytes, Origin: f.Origin}
	}
	for _, f := range now {
		c := changes[f.Path]
		if c == nil {
			c = &Change{Path: f.Path}
			changes[f.Path] = c
		}
		c.After, c.Origin = f.Bytes, f.Origin
	}
	r.Changes = []Change{}
	for _, path := range slices.Sorted(maps.Keys(changes)) {
		if c := changes[path]; c.Before != c.After {
			r.Changes = append(r.Changes, *c)
		}
	}
	slices.SortStableFunc(r.Changes, func(a, b Change) int { return cmp.Compare(grown(b.Before, b.After), grown(a.Before, a.After)) })
}

// folded cuts paths at a depth.
func folded(paths []File, depth int) []File {
	list := make([]walk.File, len(paths))
	for i, f := range paths {
		list[i] = walk.File{Path: f.Path, Bytes: f.Bytes, Layer: f.Origin}
	}
	var cut []File
	for _, f := range walk.Fold(list, depth) {
		cut = append(cut, File{f.Path, f.Bytes, f.Layer})
	}
	return cut
}

func grown(before, after int64) int64 { return max(after-before, before-after) }

// compareOrigins compares instructions that say the same, wherever they stand, and the base with the base.
func (r *Report) compareOrigins(before *Report) {
	changed := map[string]*ChangedOrigin{}
	var order []string
	add := func(o Origin, old, now int64) {
		key := fmt.Sprintf("%s %s %q", o.Kind, o.From, o.Code)
		if o.Kind == KindBase {
			key = string(KindBase)
		}
		c := changed[key]
		if c == nil {
			c = &ChangedOrigin{Kind: o.Kind, From: o.From, Code: o.Code}
			changed[key] = c
			order = append(order, key)
		}
		c.Before += old
		c.After += now
	}
	for _, o := range r.Origins {
		add(o, 0, o.Bytes)
	}
	for _, o := range before.Origins {
		add(o, o.Bytes, 0)
	}
	r.ChangedOrigins = []ChangedOrigin{}
	for _, key := range order {
		if c := changed[key]; c.Before != c.After {
			r.ChangedOrigins = append(r.ChangedOrigins, *c)
		}
	}
}

// shownChanges is how many paths the text names.
const shownChanges = 20

func (r *Report) changes() string {
	if len(r.Changes) == 0 && len(r.ChangedOrigins) == 0 {
		return "Nothing grew or shrank since.\n"
	}
	text := fmt.Sprintf("%s since: %s before, %s now\n", difference(r.before.Bytes, r.Total.Bytes), answer.Bytes(r.before.Bytes), answer.Bytes(r.Total.Bytes))
	t := answer.NewTable(answer.Column{Title: "CHANGED"}, answer.Column{Title: "BEFORE", Right: true}, answer.Column{Title: "NOW", Right: true}, answer.Column{Title: "BY", Right: true})
	for _, c := range r.ChangedOrigins {
		o := Origin{Kind: KindOther, Code: c.Code, From: c.From}
		if c.Kind == KindBase {
			o.Kind = KindBase
		}
		t.Add(o.Label(), answer.Bytes(c.Before), answer.Bytes(c.After), difference(c.Before, c.After))
	}
	for i, c := range r.Changes {
		if i == shownChanges {
			t.Add(fmt.Sprintf("  … and %s more paths", answer.Count(int64(len(r.Changes)-i))))
			break
		}
		t.Add("  "+c.Path, answer.Bytes(c.Before), answer.Bytes(c.After), difference(c.Before, c.After))
	}
	return text + t.String()
}

func difference(before, after int64) string {
	if after < before {
		return "-" + answer.Bytes(before-after)
	}
	return "+" + answer.Bytes(after-before)
}
