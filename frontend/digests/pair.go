package digests

import (
	"fmt"
	"slices"
	"strings"
)

// pair compares two versions of a step.
func (c *comparison) pair(old, now *Step, i int) {
	if old.Own == now.Own {
		return // what it is made from changed
	}
	if before, after := old.fact(CausePlatform, ""), now.fact(CausePlatform, ""); before != nil && after != nil && before.Value != after.Value {
		// All that depends on the platform differs with it.
		c.platform(now, before.Value, after.Value, i)
		return
	}
	written := old.Code == now.Code
	if now.Kind == "base" {
		if c.variables(old, now, i); !slices.ContainsFunc(c.changes, func(k Change) bool { return slices.Contains(k.steps, i) }) {
			c.facts(old, now, i, CauseBase)
		}
		c.files(old, now, i)
		return
	}
	switch {
	case written:
		c.variables(old, now, i)
		c.facts(old, now, i, CauseSecret)
	case c.facts(old, now, i, CauseSecret):
	default:
		c.text(old, now, i)
	}
	if !written {
		c.variables(old, now, i)
	}
	c.facts(old, now, i, CauseOption)
	c.config(old, now, i)
	if written || c.sameSources(old, now) {
		c.files(old, now, i)
	}
}

// platform adds a change of the platform. That of the whole build is one, wherever it shows.
func (c *comparison) platform(now *Step, before, after string, i int) {
	change := Change{Cause: CausePlatform, Name: "--platform", File: now.File, Line: now.Line, Before: before, After: after}
	if c.before.Platform != c.after.Platform {
		change.File, change.Line = c.after.Steps[0].File, 0
		change.Before, change.After = c.before.Platform, c.after.Platform
	}
	c.add(change, i)
}

// sameSources reports whether two texts take the same files, as far as these are there in both.
func (c *comparison) sameSources(old, now *Step) bool {
	paths := func(files []File) (list []string) {
		for _, f := range files {
			list = append(list, f.Path)
		}
		return list
	}
	return slices.Equal(paths(old.Files), paths(now.Files))
}

// text is another text of an instruction: of its flags, or of more than that.
func (c *comparison) text(old, now *Step, i int) {
	oldFlags, oldRest := flags(old.Code)
	newFlags, newRest := flags(now.Code)
	change := Change{Cause: CauseInstruction, Name: keyword(now.Code), File: now.File, Line: now.Line, Before: old.Code, After: now.Code}
	if oldRest == newRest && oldFlags != newFlags {
		change.Cause, change.Before, change.After = CauseOption, oldFlags, newFlags
	}
	c.add(change, i)
}

// flags splits an instruction into its flags and the rest.
func flags(code string) (list, rest string) {
	words := strings.Fields(code)
	if len(words) == 0 {
		return "", ""
	}
	n := 1
	for n < len(words) && strings.HasPrefix(words[n], "--") {
		n++
	}
	return strings.Join(words[1:n], " "), words[0] + " " + strings.Join(words[n:], " ")
}

// variables finds the variables that differ, back to those whose value comes from no other one.
func (c *comparison) variables(old, now *Step, i int) {
	names := map[string]bool{}
	var order []string
	for _, s := range []*Step{now, old} {
		for _, f := range s.Facts {
			if (f.Cause == CauseArgument || f.Cause == CauseEnvironment) && !names[f.Name] {
				names[f.Name] = true
				order = append(order, f.Name)
			}
		}
	}
	for _, name := range order {
		before, after := old.variable(name), now.variable(name)
		if before != nil && after != nil && (before.Value == after.Value || derived(old, now, before, after)) {
			continue
		}
		if old.Kind != "run" && (before == nil || after == nil) {
			continue // the text differs: it refers to another variable
		}
		if strings.HasPrefix(name, "TARGET") && c.before.Platform != c.after.Platform {
			c.platform(now, "", "", i)
			continue
		}
		where, change := after, Change{Name: name}
		if before != nil {
			change.Before, where = before.Value, before
		}
		if after != nil {
			change.After, where = after.Value, after
		}
		change.Cause, change.File, change.Line = where.Cause, where.File, where.Line
		c.add(change, i)
	}
}

// derived reports whether a variable differs only because one that it refers to does.
func derived(old, now *Step, before, after *Fact) bool {
	if before.Code != after.Code {
		return false
	}
	return slices.ContainsFunc(after.Uses, func(name string) bool {
		x, y := old.variable(name), now.variable(name)
		return name != after.Name && x != nil && y != nil && x.Value != y.Value
	})
}

func (s *Step) variable(name string) *Fact {
	if f := s.fact(CauseArgument, name); f != nil {
		return f
	}
	return s.fact(CauseEnvironment, name)
}

func (s *Step) fact(cause Cause, name string) *Fact {
	for i := range s.Facts {
		if f := &s.Facts[i]; f.Cause == cause && (f.Name == name || cause == CausePlatform) {
			return f
		}
	}
	return nil
}

// facts finds the facts of a kind that differ, and reports whether there are any.
func (c *comparison) facts(old, now *Step, i int, cause Cause) (found bool) {
	of := func(s *Step) (list []Fact) {
		for _, f := range s.Facts {
			if f.Cause == cause {
				list = append(list, f)
			}
		}
		return list
	}
	before, after := of(old), of(now)
	for n := range max(len(before), len(after)) {
		change := Change{Cause: cause, File: now.File, Line: now.Line}
		var x, y Fact
		if n < len(before) {
			x = before[n]
			change.Name, change.Before = x.Name, x.label(cause)
		}
		if n < len(after) {
			y = after[n]
			change.Name, change.After = y.Name, y.label(cause)
		}
		if x.Name != y.Name || x.Value != y.Value {
			c.add(change, i)
			found = true
		}
	}
	return found
}

// label returns a fact as a change shows it.
func (f *Fact) label(cause Cause) string {
	if cause == CauseSecret {
		return f.Name
	}
	return f.Value
}

// config finds SHELL, USER and WORKDIR that differ.
func (c *comparison) config(old, now *Step, i int) {
	for _, word := range []string{"SHELL", "USER", "WORKDIR"} {
		before, after := old.fact(CauseInstruction, word), now.fact(CauseInstruction, word)
		change := Change{Cause: CauseInstruction, Name: word}
		switch {
		case before == nil && after == nil, before != nil && after != nil && before.Value == after.Value:
			continue
		case after == nil:
			change.Cause, change.File, change.Line, change.Before = CauseGone, before.File, before.Line, before.Value
		case before == nil:
			change.Cause, change.File, change.Line, change.After = CauseNew, after.File, after.Line, after.Value
		default:
			change.File, change.Line, change.Before, change.After = after.File, after.Line, before.Value, after.Value
		}
		c.add(change, i)
	}
}

// files finds the files that differ. Those that came or went while the ignore file changed did so because of it.
func (c *comparison) files(old, now *Step, i int) {
	ignoreBefore, ignoreAfter := old.ignore(), now.ignore()
	before, after := old.Files, now.Files
	if old.Folded && !now.Folded {
		after = folders(after)
	} else if now.Folded && !old.Folded {
		before = folders(before)
	}
	known := map[string]File{}
	for _, f := range before {
		known[f.Path] = f
	}
	one := func(path, before, after string) {
		if (before == "" || after == "") && ignoreBefore.Value != ignoreAfter.Value {
			c.add(Change{Cause: CauseIgnore, Name: ignoreAfter.Name, File: ignoreAfter.Name, Line: 1, Before: ignoreBefore.Value, After: ignoreAfter.Value}, i)
			return
		}
		c.add(Change{Cause: CauseFile, Name: path, File: now.File, Line: now.Line, Before: before, After: after}, i)
	}
	for _, f := range after {
		was, ok := known[f.Path]
		delete(known, f.Path)
		if !ok {
			one(f.Path, "", f.state())
		} else if was != f {
			one(f.Path, was.state(), f.state())
		}
	}
	for _, f := range before {
		if _, gone := known[f.Path]; gone {
			one(f.Path, f.state(), "")
		}
	}
}

func (s *Step) ignore() Fact {
	for _, f := range s.Facts {
		if f.Cause == CauseIgnore {
			return f
		}
	}
	return Fact{Name: ".dockerignore"}
}

// state returns a file in one line.
func (f *File) state() string { return fmt.Sprintf("%s %d:%d %s", f.Mode, f.UID, f.GID, f.Digest) }
