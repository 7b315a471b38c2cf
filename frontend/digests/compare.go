package digests

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Compare adds what differs from an earlier report.
func (r *Report) Compare(before *Report) {
	r.compared, r.Changed = true, []Change{}
	c := &comparison{before: before, after: r}
	c.align()
	for i := range r.Steps {
		if j, ok := c.pairs[i]; ok {
			if before.Steps[j].Digest != r.Steps[i].Digest {
				c.pair(&before.Steps[j], &r.Steps[i], i)
			}
			continue
		}
		st := &r.Steps[i]
		c.add(Change{Cause: CauseNew, Name: keyword(st.Code), File: st.File, Line: st.Line, After: st.Code}, i)
	}
	c.gone()
	c.unexplained()
	r.Changed = c.changes
	r.reach()
}

type comparison struct {
	before, after *Report
	// pairs are steps of before by those of after that are the same ones.
	pairs   map[int]int
	changes []Change
}

// add adds a cause, or a further step that a known one changes.
func (c *comparison) add(change Change, step int) {
	for i := range c.changes {
		k := &c.changes[i]
		if k.Cause == change.Cause && k.Name == change.Name && k.Before == change.Before && k.After == change.After &&
			k.File == change.File && (k.Line == change.Line || change.Cause == CauseFile || change.Cause == CauseIgnore || change.Cause == CausePlatform || change.Cause == CauseOption) {
			if !slices.Contains(k.steps, step) {
				k.steps = append(k.steps, step)
			}
			return
		}
	}
	change.Step, change.steps = step, []int{step}
	c.changes = append(c.changes, change)
}

// align finds which steps are the same in both: in each stage those of the same text, in order, and between these
// those of the same kind.
func (c *comparison) align() {
	c.pairs = map[int]int{}
	old, now := byStage(c.before), byStage(c.after)
	for label, after := range now {
		before := old[label]
		var i, j int
		for _, m := range common(c.before, before, c.after, after) {
			c.between(before[i:m[0]], after[j:m[1]])
			c.pairs[after[m[1]]] = before[m[0]]
			i, j = m[0]+1, m[1]+1
		}
		c.between(before[i:], after[j:])
	}
}

// between pairs steps that are neither in both.
func (c *comparison) between(before, after []int) {
	for len(before) > 0 && len(after) > 0 {
		i := slices.IndexFunc(before, func(i int) bool { return c.before.Steps[i].Kind == c.after.Steps[after[0]].Kind })
		if i >= 0 {
			c.pairs[after[0]] = before[i]
			before = before[i+1:]
		}
		after = after[1:]
	}
}

// byStage returns the steps of each stage. Stages without names have numbers, which are others where a stage came or
// went: the target is known as that, and the rest by their order.
func byStage(r *Report) map[string][]int {
	stages, names := map[string][]int{}, map[string]string{}
	for i, s := range r.Steps {
		name, known := names[s.Stage]
		switch {
		case known:
		case !unnamed.MatchString(s.Stage):
			name = s.Stage
		case s.Stage == r.Target:
			name = "#target"
		default:
			name = fmt.Sprintf("#%d", len(names))
		}
		if !known && unnamed.MatchString(s.Stage) {
			names[s.Stage] = name
		}
		stages[name] = append(stages[name], i)
	}
	return stages
}

var unnamed = regexp.MustCompile(`^stage-[0-9]+$`)

// common returns the longest common sequence of two lists of steps, as pairs of indexes into the lists.
func common(b *Report, before []int, a *Report, after []int) [][2]int {
	same := func(i, j int) bool {
		x, y := &b.Steps[before[i]], &a.Steps[after[j]]
		return x.Kind == y.Kind && (x.Code == y.Code || x.Kind == "base")
	}
	lengths := make([][]int, len(before)+1)
	for i := range lengths {
		lengths[i] = make([]int, len(after)+1)
	}
	for i := len(before) - 1; i >= 0; i-- {
		for j := len(after) - 1; j >= 0; j-- {
			lengths[i][j] = max(lengths[i+1][j], lengths[i][j+1])
			if same(i, j) {
				lengths[i][j] = lengths[i+1][j+1] + 1
			}
		}
	}
	var pairs [][2]int
	for i, j := 0, 0; i < len(before) && j < len(after); {
		switch {
		case same(i, j):
			pairs = append(pairs, [2]int{i, j})
			i, j = i+1, j+1
		case lengths[i+1][j] >= lengths[i][j+1]:
			i++
		default:
			j++
		}
	}
	return pairs
}

// gone adds the steps that are there no more. What stood on one is what it changes.
func (c *comparison) gone() {
	kept := map[int]int{}
	for i, j := range c.pairs {
		kept[j] = i
	}
	for j, st := range c.before.Steps {
		if _, ok := kept[j]; ok {
			continue
		}
		for k := j + 1; k < len(c.before.Steps); k++ {
			i, ok := kept[k]
			if ok && (slices.Contains(c.before.Steps[k].On, j) || slices.Contains(c.before.Steps[k].Copies, j)) {
				c.add(Change{Cause: CauseGone, Name: keyword(st.Code), File: st.File, Line: st.Line, Before: st.Code}, i)
			}
		}
	}
}

// unexplained adds a change for a step that differs by itself for no reason that is known.
func (c *comparison) unexplained() {
	for i, j := range c.pairs {
		old, now := &c.before.Steps[j], &c.after.Steps[i]
		if old.Own == now.Own || slices.ContainsFunc(c.changes, func(k Change) bool { return slices.Contains(k.steps, i) }) {
			continue
		}
		if c.standsOnChanged(i) {
			continue // values of the base image
		}
		c.add(Change{Cause: CauseInstruction, Name: keyword(now.Code), File: now.File, Line: now.Line, Before: old.Code, After: now.Code}, i)
	}
}

func (c *comparison) standsOnChanged(i int) bool {
	for _, on := range c.after.Steps[i].On {
		j, ok := c.pairs[on]
		if !ok || c.before.Steps[j].Digest != c.after.Steps[on].Digest {
			return true
		}
	}
	return false
}

func keyword(code string) string {
	word, _, _ := strings.Cut(code, " ")
	return strings.ToUpper(word)
}
