package conformance

import (
	_ "embed"
	"fmt"
	"os"
	"slices"
	"strings"
)

// pinnedFile lists the tests that upstream's own image passes in this harness, one a line by the name that
// short returns. A baseline without one of them was measured on a machine that lacks something, or on one that
// was too busy: it would lower the bar for ours.
const pinnedFile = "pinned.txt"

//go:embed pinned.txt
var pinnedText string

// pinned returns the names in pinnedFile, sorted.
func pinned() []string {
	var names []string
	for line := range strings.Lines(pinnedText) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			names = append(names, line)
		}
	}
	slices.Sort(names)
	return names
}

// withoutFUSE is the test that skips itself on a machine without FUSE.
const withoutFUSE = "TestHellofsMounts"

// checkPinned compares what a baseline passed with the names that it has to pass. The first error says what is
// missing, so that the measurement is worth nothing; the second what was not known to pass, so that the list
// has to grow.
func checkPinned(baseline Measurement, names []string) (missing, unknown error) {
	var passed []string
	for _, full := range passedUnits(baseline) {
		passed = append(passed, short(full))
	}
	var lost, found []string
	for _, name := range names {
		if _, err := os.Stat("/dev/fuse"); err != nil && strings.HasPrefix(name, withoutFUSE) {
			continue
		}
		if !slices.Contains(passed, name) {
			lost = append(lost, name)
		}
	}
	for _, name := range passed {
		if !slices.Contains(names, name) {
			found = append(found, name)
		}
	}
	if lost != nil {
		missing = fmt.Errorf("upstream's own image passed %d of the %d tests that it passes elsewhere (%s); it did not pass %s",
			len(names)-len(lost), len(names), pinnedFile, strings.Join(lost, ", "))
	}
	if found != nil {
		unknown = fmt.Errorf("upstream's own image passes what %s does not list: add %s", pinnedFile, strings.Join(found, ", "))
	}
	return missing, unknown
}
