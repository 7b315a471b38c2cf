package conformance

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

func TestParseKnown(t *testing.T) {
	good := "# a comment\n\nTestA\tneeds what is not there\nTestB/sub#01\tfeature \"a later stage\", tested by integration/a.txtar\n"
	known, err := parseKnown(good)
	if err != nil {
		t.Fatal(err)
	}
	want := []KnownFailure{
		{Line: 3, Name: "TestA", Reason: "needs what is not there"},
		{Line: 4, Name: "TestB/sub#01", Reason: `feature "a later stage", tested by integration/a.txtar`,
			Feature: "a later stage", Test: "integration/a.txtar"},
	}
	if !reflect.DeepEqual(known, want) {
		t.Errorf("got %+v", known)
	}

	for line, complaint := range map[string]string{
		"TestA needs a tab here":                     "no tab",
		"testA\tneeds what is not there":             "not the name of a test",
		"TestA sub\tneeds what is not there":         "not the name of a test",
		"TestA\t":                                    "does not say why",
		"TestA\tflaky":                               "does not say why",
		"TestA\tfeature without a row at all":        "a feature is written",
		"TestA\tone two three\nTestA\tone two three": "listed in line 1 already",
	} {
		if _, err := parseKnown(line + "\n"); err == nil || !strings.Contains(err.Error(), complaint) {
			t.Errorf("%q: got %v", line, err)
		}
	}
	if _, err := parseKnown("bad\nworse\n"); err == nil || !strings.Contains(err.Error(), ":1:") || !strings.Contains(err.Error(), ":2:") {
		t.Errorf("not every malformed line is told: %v", err)
	}
}

func TestCheckFeatures(t *testing.T) {
	root := t.TempDir()
	for file, text := range map[string]string{"docs/language.md": "| a later stage | forward |", "llb/a_test.go": "func TestForward("} {
		path := filepath.Join(root, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		feature, test, complaint string
	}{
		{"a later stage", "llb/a_test.go:TestForward", ""},
		{"a later stage", "llb/a_test.go", ""},
		{"an earlier stage", "llb/a_test.go", "no row"},
		{"a later stage", "llb/b_test.go", "no such file"},
		{"a later stage", "llb/a_test.go:TestBackward", "has no TestBackward"},
	} {
		err := checkFeatures([]KnownFailure{{Line: 1, Name: "TestA", Feature: c.feature, Test: c.test}}, root)
		if c.complaint == "" && err != nil || c.complaint != "" && (err == nil || !strings.Contains(err.Error(), c.complaint)) {
			t.Errorf("%s, %s: got %v", c.feature, c.test, err)
		}
	}
}

func TestNames(t *testing.T) {
	const full = "TestIntegration/TestRun/worker=oci/frontend=gateway/network.host=granted/sub/warntype=progress#01"
	if got := unit(full); got != "TestIntegration/TestRun/worker=oci/frontend=gateway/network.host=granted" {
		t.Errorf("unit: %s", got)
	}
	if got := short(full); got != "TestRun/network.host=granted/sub/warntype=progress#01" {
		t.Errorf("short: %s", got)
	}
	if got := unit("TestIntegration"); got != "" {
		t.Errorf("unit of the top: %s", got)
	}
	if got := only([]string{"TestA/x.y", "TestB"}); got != `^TestA$/^x\.y$|^TestB$` {
		t.Errorf("only: %s", got)
	}
}

func TestParseResults(t *testing.T) {
	events := `{"Action":"start"}
{"Action":"run","Test":"T/a"}
{"Action":"output","Test":"T/a","Output":"fine\n"}
{"Action":"pass","Test":"T/a","Elapsed":1.5}
{"Action":"run","Test":"T/b"}
{"Action":"output","Test":"T/b","Output":"bad\n"}
{"Action":"fail","Test":"T/b"}
{"Action":"run","Test":"T/never-ends"}
`
	var ended []string
	results, err := parseResults(strings.NewReader(events), func(name string, r *Result) { ended = append(ended, name+" "+string(r.Outcome)) })
	if err != nil {
		t.Fatal(err)
	}
	want := Results{
		"T/a":          {Outcome: Passed, Seconds: 1.5},
		"T/b":          {Outcome: Failed, Output: "bad\n"},
		"T/never-ends": {Outcome: Failed},
	}
	if !reflect.DeepEqual(results, want) {
		t.Errorf("got %+v", results)
	}
	if got := strings.Join(ended, ", "); got != "T/a pass, T/b fail" {
		t.Errorf("ended: %s", got)
	}
	if _, err := parseResults(strings.NewReader("panic: no JSON\n"), nil); err == nil {
		t.Error("text that is no event was taken")
	}
}

// at is the full name of a test of the OCI worker.
func at(test, sub string) string {
	return "TestIntegration/" + test + "/worker=oci/frontend=gateway" + sub
}

func results(pairs ...string) Results {
	r := Results{}
	for i := 0; i < len(pairs); i += 2 {
		r[pairs[i]] = &Result{Outcome: Outcome(pairs[i+1])}
	}
	return r
}

// In the baseline: TestA passes, TestB fails, TestC passes with two subtests, TestD and its second
// subtest only with the daemon's own frontend, TestE skips itself.
var exampleBaseline = Measurement{
	Without: results(at("TestA", ""), "pass", at("TestB", ""), "fail",
		at("TestC", ""), "pass", at("TestC", "/one"), "pass", at("TestC", "/two"), "pass",
		at("TestD", ""), "fail", at("TestD", "/one"), "pass", at("TestD", "/two"), "fail", at("TestE", ""), "skip"),
	With: results(at("TestD", ""), "pass", at("TestD", "/one"), "pass", at("TestD", "/two"), "pass"),
}

func TestJudge(t *testing.T) {
	everyTest := regexp.MustCompile("")
	known := func(text string) []KnownFailure {
		list, err := parseKnown(text)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	for name, c := range map[string]struct {
		without, with Results
		known         string
		passed        int
		shortfalls    string
		complaints    string
	}{
		"equal": {exampleBaseline.Without, exampleBaseline.With, "", 3, "", ""},
		"a subtest falls short, unlisted": {
			results(at("TestA", ""), "pass", at("TestC", ""), "fail", at("TestC", "/one"), "fail", at("TestC", "/two"), "pass", at("TestD", "/one"), "pass"),
			exampleBaseline.With, "", 2, "TestC/one", "TestC/one: fail"},
		"a listed subtest falls short": {
			results(at("TestA", ""), "pass", at("TestC", ""), "fail", at("TestC", "/one"), "fail", at("TestC", "/two"), "pass", at("TestD", "/one"), "pass"),
			exampleBaseline.With, "TestC/one\tnot written as yet\n", 2, "TestC/one", ""},
		"a test is listed and so covers its subtests": {
			results(at("TestA", ""), "pass", at("TestC", ""), "fail", at("TestC", "/one"), "fail", at("TestC", "/two"), "fail", at("TestD", "/one"), "pass"),
			exampleBaseline.With, "TestC\tnot written as yet\n", 2, "TestC/one TestC/two", ""},
		"a listed test passes": {exampleBaseline.Without, exampleBaseline.With, "TestA\tnot written as yet\n", 3, "", "known-failures.txt:1: TestA passes now"},
		"a listed test is none": {exampleBaseline.Without, exampleBaseline.With, "TestZ\tnot written as yet\n", 3, "",
			"known-failures.txt:1: TestZ is no test"},
		"what passes without the daemon's frontend has to": {
			results(at("TestA", ""), "pass", at("TestC", ""), "pass", at("TestC", "/one"), "pass", at("TestC", "/two"), "pass", at("TestD", "/one"), "fail"),
			exampleBaseline.With, "", 2, "TestD/one", "TestD/one: fail"},
		"a test did not run": {
			results(at("TestC", ""), "pass", at("TestC", "/one"), "pass", at("TestC", "/two"), "pass", at("TestD", "/one"), "pass"),
			exampleBaseline.With, "", 2, "TestA", "TestA: fail"},
		"a test skips itself": {
			results(at("TestA", ""), "skip", at("TestC", ""), "pass", at("TestC", "/one"), "pass", at("TestC", "/two"), "pass", at("TestD", "/one"), "pass"),
			exampleBaseline.With, "", 2, "TestA", "TestA: skip"},
	} {
		t.Run(name, func(t *testing.T) {
			v := judge(exampleBaseline, Measurement{Without: c.without, With: c.with}, known(c.known), everyTest)
			if v.Of != 3 || v.WithBuiltin != 1 {
				t.Errorf("of %d, with the daemon's own frontend %d", v.Of, v.WithBuiltin)
			}
			if v.Passed != c.passed {
				t.Errorf("passed %d", v.Passed)
			}
			var names []string
			for _, s := range v.Shortfalls {
				names = append(names, s.Name)
			}
			if got := strings.Join(names, " "); got != c.shortfalls {
				t.Errorf("shortfalls: %s", got)
			}
			got := strings.Join(v.Complaints, "\n")
			if c.complaints == "" && got != "" || !strings.HasPrefix(got, c.complaints) || strings.Contains(got, "\n") {
				t.Errorf("complaints: %s", got)
			}
		})
	}
	v := judge(exampleBaseline, exampleBaseline, known("TestC\tnot written as yet\n"), regexp.MustCompile("^TestA$"))
	if v.Of != 1 || v.Passed != 1 || len(v.Complaints) > 0 {
		t.Errorf("of a selection: %+v", v)
	}
}

func TestRest(t *testing.T) {
	failed, skipped := rest(exampleBaseline)
	if got := strings.Join(failed, " ") + "; " + strings.Join(skipped, " "); got != "TestB; TestE" {
		t.Error(got)
	}
}
