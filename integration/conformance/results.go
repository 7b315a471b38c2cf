package conformance

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// Outcome is how one test ended.
type Outcome string

// The outcomes are go test's own actions. A test that was started and never ended counts as failed.
const (
	Passed  Outcome = "pass"
	Failed  Outcome = "fail"
	Skipped Outcome = "skip"
)

// Result is what one test did.
type Result struct {
	Outcome Outcome `json:"outcome"`
	Seconds float64 `json:"seconds"`
	Retried bool    `json:"retried,omitempty"` // it failed among the others and then ran alone
	Output  string  `json:"output,omitempty"`  // kept for tests that did not pass
}

// Results has what each test did, by upstream's full name of it, such as
// "TestIntegration/TestLabels/worker=oci/frontend=gateway".
type Results map[string]*Result

// parseResults reads the events of `go tool test2json` (its format is documented in cmd/test2json) and
// calls ended, which may be nil, after each test.
func parseResults(r io.Reader, ended func(name string, result *Result)) (Results, error) {
	results := Results{}
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var event struct {
				Action, Test, Output string
				Elapsed              float64
			}
			if bad := json.Unmarshal(line, &event); bad != nil {
				return nil, fmt.Errorf("test2json wrote %q: %w", line, bad)
			}
			results.add(event.Action, event.Test, event.Output, event.Elapsed, ended)
		}
		if err == io.EOF {
			return results, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// add takes one event in.
func (all Results) add(action, test, output string, elapsed float64, ended func(string, *Result)) {
	if test == "" {
		return
	}
	result, ok := all[test]
	if !ok {
		result = &Result{Outcome: Failed}
		all[test] = result
	}
	switch action {
	case "output":
		result.Output += output
	case "pass", "fail", "skip":
		result.Outcome, result.Seconds = Outcome(action), elapsed
		if result.Outcome == Passed {
			result.Output = ""
		}
		if ended != nil {
			ended(test, result)
		}
	}
}

// axes are the path elements that upstream adds to a test's name for the worker, the frontend and the
// configuration of the daemon.
var axes = regexp.MustCompile(`^(worker|frontend|env|network\.host|security\.insecure)=`)

// unit is the name of the test with a daemon of its own that the named test is, or is part of; "" for
// those above, such as TestIntegration.
func unit(full string) string {
	elements := strings.Split(full, "/")
	for i := len(elements) - 1; i >= 0; i-- {
		if axes.MatchString(elements[i]) {
			return strings.Join(elements[:i+1], "/")
		}
	}
	return ""
}

// short is a test's name as this package prints it and known-failures.txt lists it: without what is
// the same for nearly all.
func short(full string) string {
	elements := slices.DeleteFunc(strings.Split(full, "/"), func(element string) bool {
		return element == "TestIntegration" || element == "worker=oci" || element == "frontend=gateway"
	})
	return strings.Join(elements, "/")
}

// only is the -test.run pattern that selects the named tests, with their subtests, and no other.
func only(names []string) string {
	patterns := make([]string, len(names))
	for i, name := range names {
		elements := strings.Split(name, "/")
		for j, element := range elements {
			elements[j] = "^" + regexp.QuoteMeta(element) + "$"
		}
		patterns[i] = strings.Join(elements, "/")
	}
	return strings.Join(patterns, "|")
}

// unitsWhere lists the tests with a daemon of their own that hold for keep, sorted.
func (all Results) unitsWhere(keep func(name string, result *Result) bool) []string {
	var names []string
	for name, result := range all {
		if name == unit(name) && keep(name, result) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// passed tells whether a test ran and passed.
func (all Results) passed(name string) bool {
	result := all[name]
	return result != nil && result.Outcome == Passed
}
