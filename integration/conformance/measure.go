package conformance

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Measurement is what one frontend did in upstream's tests. It takes four passes.
type Measurement struct {
	// All tests with the OCI worker, for the image, and daemons whose own dockerfile.v0 is off.
	Without Results `json:"without"`
	// Those that fail there because they also ask the daemon for its dockerfile.v0, with daemons that
	// have it on, and have the frontend under test for it.
	With Results `json:"with"`
	// Those that skip themselves there because they ask for nothing but dockerfile.v0: the subrequests.
	Direct Results `json:"direct"`
	// Those that look into containerd's image store, which the OCI worker has none of, for the image,
	// without dockerfile.v0. They check the configuration of what they build.
	Containerd Results `json:"containerd"`
}

// A passName says in which of the passes something happened.
type passName string

const (
	without    passName = "without"
	with       passName = "with"
	direct     passName = "direct"
	containerd passName = "containerd"
)

// passes are all passes in the order in which they are made, what is told at their begin and how.
var passes = []struct {
	name  passName
	about string
	pass  pass
}{
	{without, "the image, with daemons that have no dockerfile.v0", pass{atOnce: atOnce}},
	{with, "tests that also ask the daemon for dockerfile.v0, which is then the same frontend", pass{atOnce: atOnce, builtin: true}},
	{direct, "tests that ask only for dockerfile.v0", pass{atOnce: atOnce, builtin: true, direct: true}},
	{containerd, "tests that look into containerd's image store", pass{atOnce: atOnce}},
}

// of returns where the results of one pass are.
func (m *Measurement) of(name passName) *Results {
	return map[passName]*Results{without: &m.Without, with: &m.With, direct: &m.Direct, containerd: &m.Containerd}[name]
}

const everything = "^TestIntegration$/./^worker=oci$"

// How tests say what they need that the first pass does not have. One says nothing: it is the one whose
// name has Builtin in it.
var (
	needsBuiltin    = "invalid frontend: dockerfile.v0"
	needsContainerd = regexp.MustCompile(`requires containerd worker|only for containerd worker`)
	needsClient     = regexp.MustCompile(`only test with client frontend`)
	needsDirect     = regexp.MustCompile(`not a builtin frontend matrix entry|direct Dockerfile frontend coverage only|^=== RUN +\S+/TestGatewayBuiltin`)
)

// measureFirst measures a frontend of which nothing is known yet, and so finds out which tests need what.
func (h *harness) measureFirst(ctx context.Context, s subject) (m Measurement, err error) {
	failed := func(results Results) []string {
		return results.unitsWhere(func(name string, r *Result) bool {
			return r.Outcome == Failed && !strings.Contains(outputOf(results, name), needsBuiltin)
		})
	}
	for _, step := range passes {
		p := step.pass
		if p.pattern = everything; step.name != without {
			names := m.needing(step.name)
			if len(names) == 0 {
				return m, fmt.Errorf("no test of upstream's is one of the %s: they have changed how they say so", step.about)
			}
			p.pattern = only(names)
		}
		h.log("%s: %s", s.name, step.about)
		if *m.of(step.name), err = h.runTwice(ctx, s, p, failed); err != nil {
			return m, err
		}
	}
	return m, nil
}

// needing lists the tests that the pass without dockerfile.v0 leaves to another pass, by their names
// in that one.
func (m *Measurement) needing(name passName) []string {
	var names []string
	for _, full := range m.Without.unitsWhere(func(string, *Result) bool { return true }) {
		result := m.Without[full]
		skipped := func(why *regexp.Regexp) bool { return result.Outcome == Skipped && why.MatchString(result.Output) }
		as := func(element, other string) { names = append(names, strings.Replace(full, element, other, 1)) }
		switch name {
		case with:
			if result.Outcome == Failed && strings.Contains(outputOf(m.Without, full), needsBuiltin) {
				names = append(names, full)
			}
		case direct:
			if skipped(needsClient) {
				as("/frontend=gateway", "/frontend=client")
			} else if skipped(needsDirect) {
				as("/frontend=gateway", "/frontend=builtin")
			}
		case containerd:
			if skipped(needsContainerd) {
				as("/worker=oci", "/worker=containerd")
			}
		}
	}
	return names
}

// measureLike makes the same passes with another frontend, of the tests that the baseline passed and
// that selected matches. A test in known may fail without being run a second time.
func (h *harness) measureLike(ctx context.Context, s subject, baseline Measurement, selected *regexp.Regexp, known []KnownFailure) (m Measurement, err error) {
	var all []requirement
	for _, r := range required(baseline) {
		if selected.MatchString(short(r.unit)) {
			all = append(all, r)
		}
	}
	for _, step := range passes {
		units := unitsOf(all, func(r requirement) bool { return r.pass == step.name })
		if len(units) == 0 {
			continue
		}
		h.log("%s: %s", s.name, step.about)
		p := step.pass
		p.pattern = only(units)
		unmet := func(results Results) []string {
			return unitsOf(all, func(r requirement) bool {
				return r.pass == step.name && !results.passed(r.name) && covers(known, short(r.name)) == nil
			})
		}
		if *m.of(step.name), err = h.runTwice(ctx, s, p, unmet); err != nil {
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
	for _, step := range passes {
		var names []string
		for name, result := range *baseline.of(step.name) {
			if unit(name) == "" || result.Outcome != Passed {
				continue
			}
			if first := baseline.Without[name]; step.name == with && first != nil && first.Outcome == Passed {
				continue
			}
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			list = append(list, requirement{step.name, name, unit(name)})
		}
	}
	return list
}
