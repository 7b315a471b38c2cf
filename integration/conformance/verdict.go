package conformance

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Shortfall is a test, or subtest, that upstream's own image passes and the image under test does not.
type Shortfall struct {
	Name    string // as in known-failures.txt
	Outcome Outcome
	Output  string // what it printed; with that of its subtests
	Known   *KnownFailure
}

// Verdict compares a measurement with the baseline and with what is known to fail.
type Verdict struct {
	Of     int // tests that upstream's own image passes
	Passed int // of those
	// Tests that ask the daemon for dockerfile.v0, which was then the frontend under test. Counted above.
	WithBuiltin int
	Shortfalls  []Shortfall // sorted by name
	// What has to be put right before the run may pass, one message each.
	Complaints []string
}

// judge counts tests that have a daemon of their own; a shortfall names the subtest where there is one.
// Only the tests that selected matches are looked at.
func judge(baseline, ours Measurement, known []KnownFailure, selected *regexp.Regexp) Verdict {
	var v Verdict
	unitShort := map[string]bool{} // each unit's short name -> whether something of it falls short
	needBuiltin := map[string]bool{}
	var failed []requirement
	for _, r := range required(baseline) {
		if !selected.MatchString(short(r.unit)) {
			continue
		}
		key := short(r.unit)
		unitShort[key] = unitShort[key] || false
		if r.pass == with || r.pass == direct {
			needBuiltin[key] = true
		}
		if !(*ours.of(r.pass)).passed(r.name) {
			unitShort[key] = true
			failed = append(failed, r)
		}
	}
	// A test that fails only because a subtest does is not named next to it.
	explained := func(r requirement) bool {
		return slices.ContainsFunc(failed, func(other requirement) bool {
			return strings.HasPrefix(other.name, r.name+"/")
		})
	}
	byName := map[string]Shortfall{}
	for _, r := range failed {
		if explained(r) {
			continue
		}
		s := Shortfall{Name: short(r.name), Outcome: Failed, Known: covers(known, short(r.name))}
		if result := (*ours.of(r.pass))[r.name]; result != nil {
			s.Outcome, s.Output = result.Outcome, outputOf(*ours.of(r.pass), r.name)
		} else {
			s.Output = "it did not run\n"
		}
		byName[s.Name] = s
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		s := byName[name]
		v.Shortfalls = append(v.Shortfalls, s)
		if s.Known == nil {
			v.Complaints = append(v.Complaints, fmt.Sprintf("%s: %s, and upstream's own image passes it; it is not in %s", s.Name, s.Outcome, knownFile))
		}
	}
	for i, k := range known {
		if !selected.MatchString(k.Name) {
			continue
		}
		if !slices.ContainsFunc(v.Shortfalls, func(s Shortfall) bool { return s.Known == &known[i] }) {
			reason := "passes now: remove the line"
			if !slices.ContainsFunc(required(baseline), func(r requirement) bool { return short(r.name) == k.Name }) {
				reason = "is no test that upstream's own image passes here: remove the line"
			}
			v.Complaints = append(v.Complaints, fmt.Sprintf("%s:%d: %s %s", knownFile, k.Line, k.Name, reason))
		}
	}
	for _, full := range passedUnits(baseline) {
		if key := short(full); selected.MatchString(key) {
			v.Of++
			if !unitShort[key] {
				v.Passed++
			}
			if needBuiltin[key] {
				v.WithBuiltin++
			}
		}
	}
	return v
}

// passedUnits are the tests with a daemon of their own that passed in one of the passes, sorted.
func passedUnits(m Measurement) []string {
	found := map[string]bool{}
	for _, step := range passes {
		for name, result := range *m.of(step.name) {
			if name == unit(name) && result.Outcome == Passed {
				found[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// outputOf is what a test and its subtests printed.
func outputOf(results Results, name string) string {
	var all strings.Builder
	for _, full := range slices.Sorted(maps.Keys(results)) {
		if full == name || strings.HasPrefix(full, name+"/") || strings.HasPrefix(name, full+"/") {
			all.WriteString(results[full].Output)
		}
	}
	return all.String()
}

// rest sorts what upstream's own image does not pass in any of the passes into tests that fail and
// tests that skip themselves. The names are without the worker and the kind of frontend.
func rest(baseline Measurement) (failed, skipped []string) {
	bare := func(full string) string {
		elements := slices.DeleteFunc(strings.Split(short(full), "/"), func(element string) bool {
			return strings.HasPrefix(element, "worker=") || strings.HasPrefix(element, "frontend=")
		})
		return strings.Join(elements, "/")
	}
	best := map[string]Outcome{}
	for _, step := range passes {
		for name, result := range *baseline.of(step.name) {
			if name != unit(name) {
				continue
			}
			// A later pass has what an earlier one lacked.
			if key := bare(name); best[key] != Passed {
				best[key] = result.Outcome
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(best)) {
		switch best[name] {
		case Failed:
			failed = append(failed, name)
		case Skipped:
			skipped = append(skipped, name)
		}
	}
	return failed, skipped
}
