package conformance

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Measurement is what one image did in upstream's tests. It takes three passes.
type Measurement struct {
	// All tests with the OCI worker and a daemon whose own dockerfile.v0 is off.
	Without Results `json:"without"`
	// Those that fail there and ask the daemon for its dockerfile.v0, with one that has it on.
	With Results `json:"with"`
	// Those that look into containerd's image store, which the OCI worker has none of, without
	// dockerfile.v0. They are the ones that check the configuration of the images they build.
	Containerd Results `json:"containerd"`
}

// A passName says in which of the passes something happened.
type passName string

const (
	without    passName = "without"
	with       passName = "with"
	containerd passName = "containerd"
)

// of returns the results of one pass.
func (m Measurement) of(name passName) Results {
	switch name {
	case with:
		return m.With
	case containerd:
		return m.Containerd
	default:
		return m.Without
	}
}

const everything = "^TestIntegration$/./^worker=oci$"

// How tests say what they need that the first pass does not have.
var (
	needsContainerd = regexp.MustCompile(`(?m)requires containerd worker|only for containerd worker`)
	needsBuiltin    = "invalid frontend: dockerfile.v0"
)

// measureFirst measures an image of which nothing is known yet, and so finds out which tests need what.
func (h *harness) measureFirst(ctx context.Context, s subject) (m Measurement, err error) {
	failed := func(results Results) []string {
		return results.unitsWhere(func(name string, r *Result) bool {
			return r.Outcome == Failed && !strings.Contains(outputOf(results, name), needsBuiltin)
		})
	}
	if m.Without, err = h.runTwice(ctx, s, pass{pattern: everything, atOnce: atOnce}, failed); err != nil {
		return m, err
	}
	builtin := m.Without.unitsWhere(func(name string, r *Result) bool {
		return r.Outcome == Failed && strings.Contains(outputOf(m.Without, name), needsBuiltin)
	})
	if len(builtin) > 0 {
		h.log("%s: those that ask the daemon for its own dockerfile.v0, with that on", s.name)
		if m.With, err = h.runTwice(ctx, s, pass{pattern: only(builtin), builtin: true, atOnce: atOnce}, failed); err != nil {
			return m, err
		}
	}
	skipped := m.Without.unitsWhere(func(_ string, r *Result) bool {
		return r.Outcome == Skipped && needsContainerd.MatchString(r.Output)
	})
	if len(skipped) > 0 {
		h.log("%s: those that look into containerd's image store, with containerd", s.name)
		for i, name := range skipped {
			skipped[i] = strings.Replace(name, "/worker=oci", "/worker=containerd", 1)
		}
		if m.Containerd, err = h.runTwice(ctx, s, pass{pattern: only(skipped), atOnce: atOnce}, failed); err != nil {
			return m, err
		}
	}
	return m, nil
}

// measureLike makes the same passes with another image, of the tests that the baseline passed and that
// selected matches. A test in known may fail without being run a second time.
func (h *harness) measureLike(ctx context.Context, s subject, baseline Measurement, selected *regexp.Regexp, known []KnownFailure) (m Measurement, err error) {
	var all []requirement
	for _, r := range required(baseline) {
		if selected.MatchString(short(r.unit)) {
			all = append(all, r)
		}
	}
	for _, step := range []struct {
		name    passName
		builtin bool
		told    string
		results *Results
	}{
		{without, false, "", &m.Without},
		{with, true, "those that ask the daemon for its own dockerfile.v0, with that on", &m.With},
		{containerd, false, "those that look into containerd's image store, with containerd", &m.Containerd},
	} {
		units := unitsOf(all, func(r requirement) bool { return r.pass == step.name })
		if len(units) == 0 {
			continue
		}
		if step.told != "" {
			h.log("%s: %s", s.name, step.told)
		}
		unmet := func(results Results) []string {
			return unitsOf(all, func(r requirement) bool {
				return r.pass == step.name && !results.passed(r.name) && covers(known, short(r.name)) == nil
			})
		}
		pass := pass{pattern: only(units), builtin: step.builtin, atOnce: atOnce}
		if *step.results, err = h.runTwice(ctx, s, pass, unmet); err != nil {
			return m, fmt.Errorf("the pass %s: %w", step.name, err)
		}
	}
	return m, nil
}

// unitsOf lists the tests with a daemon of their own to which those requirements belong that hold
// for keep, sorted.
func unitsOf(all []requirement, keep func(requirement) bool) []string {
	found := map[string]bool{}
	for _, r := range all {
		if keep(r) {
			found[r.unit] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// A requirement is one test, or subtest, that upstream's own image passes and so ours has to.
type requirement struct {
	pass passName
	name string // upstream's full name
	unit string // the test with a daemon of its own that it belongs to
}

// required lists what a baseline passed, sorted by pass and name. What passes without the daemon's
// dockerfile.v0 is required without: the pass with it only adds what cannot be had otherwise.
func required(baseline Measurement) []requirement {
	var list []requirement
	for _, pass := range []passName{without, with, containerd} {
		var names []string
		for name, result := range baseline.of(pass) {
			if unit(name) == "" || result.Outcome != Passed {
				continue
			}
			if first := baseline.Without[name]; pass == with && first != nil && first.Outcome == Passed {
				continue
			}
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			list = append(list, requirement{pass, name, unit(name)})
		}
	}
	return list
}
