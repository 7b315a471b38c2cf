package dockerfile

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// reading parses a file among others and returns what was announced, a line each time, and the error.
func reading(text string, others map[string]string) (announced []string, err error) {
	expected := map[string]bool{}
	files := NewFiles("svc/Dockerfile", []byte(text), func(root Root, p string) ([]byte, error) {
		data, ok := others[fmt.Sprint(int(root), ":", p)]
		if !ok {
			return nil, os.ErrNotExist
		}
		if !expected[fmt.Sprint(int(root), ":", p)] {
			return nil, fmt.Errorf("%s was not announced", p)
		}
		return []byte(data), nil
	})
	files.Announce(func(root Root, paths []string) {
		for _, p := range paths {
			expected[fmt.Sprint(int(root), ":", p)] = true
		}
		announced = append(announced, fmt.Sprint(int(root), ":", strings.Join(paths, " ")))
	})
	_, err = Parse(files, 0, Options{})
	return announced, err
}

// All files that a file includes are announced before the first is read, then all that these include.
func TestIncludesAreAnnounced(t *testing.T) {
	got, err := reading("FROM a\nINCLUDE ./a\nINCLUDE ../b\nINCLUDE ./a\nINCLUDE /c\n", map[string]string{
		"0:svc/a":   "INCLUDE ./d/e\n",
		"0:b":       "INCLUDE ./svc/f\nINCLUDE /c\n",
		"1:c":       "INCLUDE ./g\n",
		"0:svc/d/e": "ENV A=1\n", "0:svc/f": "ENV B=1\n", "1:g": "ENV C=1\n",
	})
	want := []string{"0:svc/a b", "1:c", "0:svc/d/e", "0:svc/f", "1:g"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q are announced, want %q: %v", got, want, err)
	}
}

// What is wrong is told where it is, whatever was announced before.
func TestAnnouncingIsSilent(t *testing.T) {
	for text, want := range map[string]string{
		"FROM a\nINCLUDE ./none\nINCLUDE ./a\n":        "INCLUDE ./none: ",
		"FROM a\nINCLUDE ./a\nINCLUDE ../../x\n":       "INCLUDE ../../x: ",
		"FROM a\nINCLUDE ./a\nINCLUDE x\n":             "INCLUDE x: ",
		"FROM a\nINCLUDE ./binary\nINCLUDE ./none\n":   "INCLUDE ./binary: the file is not a text file",
		"FROM a\nINCLUDE ./circle\nINCLUDE ./none\n":   "the file includes itself",
		"FROM a\nONBUILD INCLUDE ./none\nENV A=1\n":    "",
		"FROM a\nRUN <<end\nINCLUDE ./none\nend\n":     "",
		"FROM a\nINCLUDE ./a\nINCLUDE --flag ./none\n": "unknown flag",
	} {
		_, err := reading(text, map[string]string{
			"0:svc/a": "ENV A=1\n", "0:svc/binary": "\x00", "0:svc/circle": "INCLUDE ./circle\n",
		})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
