package conformance

import (
	"strings"
	"testing"
)

// A baseline that lacks a pinned test is refused, with the test's name, and one with a test more is told of.
func TestCheckPinned(t *testing.T) {
	name := func(test string) string { return "TestIntegration/" + test + "/worker=oci/frontend=gateway" }
	baseline := Measurement{
		Without: Results{name("TestA"): {Outcome: Passed}, name("TestB"): {Outcome: Failed}, name("TestC"): {Outcome: Passed}},
		With:    Results{name("TestB"): {Outcome: Passed}},
	}
	for _, c := range []struct {
		names            []string
		missing, unknown string
	}{
		{[]string{"TestA", "TestB", "TestC"}, "", ""},
		{[]string{"TestA", "TestB", "TestC", "TestD"}, "3 of the 4 tests", ""},
		{[]string{"TestA", "TestB"}, "", "add TestC"},
	} {
		missing, unknown := checkPinned(baseline, c.names)
		for want, err := range map[string]error{c.missing: missing, c.unknown: unknown} {
			if want == "" && err != nil && c.missing+c.unknown == "" || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%v: want %q, got %v", c.names, want, err)
			}
		}
		if (missing == nil) != (c.missing == "") || (unknown == nil) != (c.unknown == "") {
			t.Errorf("%v: missing %v, unknown %v", c.names, missing, unknown)
		}
	}
}

// The list has as many names as README.md says.
func TestPinned(t *testing.T) {
	if n := len(pinned()); n != 264 {
		t.Errorf("%s has %d names, want 264", pinnedFile, n)
	}
}
