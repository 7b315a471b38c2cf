package conformance

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// knownFile is the list of what falls short and may, in this package's folder. It may only shrink.
const knownFile = "known-failures.txt"

// KnownFailure is one line of known-failures.txt.
type KnownFailure struct {
	Line   int
	Name   string // TestName or TestName/sub
	Reason string
	// Where the reason is that we accept what upstream rejects: the name of that feature's row in
	// docs/language.md, and the test of the new behaviour. Both empty, or neither.
	Feature, Test string
}

// A line is a test's name, a tab and why it fails. A reason that starts with "feature " has a row's
// name in quotes and "tested by" with the path of a file of this repository, and a test's name after a
// colon where the file has several.
var (
	namePattern    = regexp.MustCompile(`^Test[^\s/]+(/\S+)*$`)
	featurePattern = regexp.MustCompile(`^feature "([^"]+)", tested by (\S+)$`)
)

// parseKnown reads the list. Blank lines and those that begin with # are for people. All that is wrong
// is told at once, each with its line's number.
func parseKnown(text string) ([]KnownFailure, error) {
	var known []KnownFailure
	var wrong []error
	seen := map[string]int{}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSuffix(line, "\n")
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		complain := func(format string, args ...any) {
			wrong = append(wrong, fmt.Errorf("%s:%d: %s", knownFile, number, fmt.Sprintf(format, args...)))
		}
		name, reason, ok := strings.Cut(line, "\t")
		switch {
		case !ok:
			complain("no tab between the test's name and the reason")
			continue
		case !namePattern.MatchString(name):
			complain("%q is not the name of a test, such as TestName or TestName/sub", name)
			continue
		case len(strings.Fields(reason)) < 3:
			complain("%q does not say why %s fails", reason, name)
			continue
		case seen[name] != 0:
			complain("%s is listed in line %d already", name, seen[name])
			continue
		}
		seen[name] = number
		k := KnownFailure{Line: number, Name: name, Reason: reason}
		if strings.HasPrefix(reason, "feature ") {
			found := featurePattern.FindStringSubmatch(reason)
			if found == nil {
				complain("a feature is written: feature \"NAME OF ITS ROW\", tested by FILE or FILE:TEST")
				continue
			}
			k.Feature, k.Test = found[1], found[2]
		}
		known = append(known, k)
	}
	return known, errors.Join(wrong...)
}

// checkFeatures tells which of the features that lines name have no row in the language's description,
// and which tests of the new behaviour there are not.
func checkFeatures(known []KnownFailure, root string) error {
	var wrong []error
	var description string
	for _, k := range known {
		if k.Feature == "" {
			continue
		}
		if description == "" {
			text, err := os.ReadFile(filepath.Join(root, "docs", "language.md"))
			if err != nil {
				return err
			}
			description = string(text)
		}
		if !strings.Contains(description, k.Feature) {
			wrong = append(wrong, fmt.Errorf("%s:%d: docs/language.md has no row %q", knownFile, k.Line, k.Feature))
		}
		file, test, _ := strings.Cut(k.Test, ":")
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s:%d: %w", knownFile, k.Line, err))
		} else if !strings.Contains(string(text), test) {
			wrong = append(wrong, fmt.Errorf("%s:%d: %s has no %s", knownFile, k.Line, file, test))
		}
	}
	return errors.Join(wrong...)
}

// covers returns the line for the named test, or for the test that it is a subtest of.
func covers(known []KnownFailure, name string) *KnownFailure {
	for i, k := range known {
		if name == k.Name || strings.HasPrefix(name, k.Name+"/") {
			return &known[i]
		}
	}
	return nil
}
