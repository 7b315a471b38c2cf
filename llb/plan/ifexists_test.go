package plan

import (
	"math/rand"
	"path"
	"strings"
	"testing"
	"unicode/utf8"
)

// For every name the pattern is one, matches the name, and matches no name that differs in one character.
func TestPatternOf(t *testing.T) {
	const alphabet = `ab1.-^]![*?\{},~ ` + "ü日🐙\xff"
	var chars []string
	for s := alphabet; s != ""; {
		_, n := utf8.DecodeRuneInString(s)
		chars = append(chars, s[:n])
		s = s[n:]
	}
	r := rand.New(rand.NewSource(1))
	for range 20000 {
		word := make([]string, 1+r.Intn(5))
		for i := range word {
			word[i] = chars[r.Intn(len(chars))]
		}
		name := strings.Join(word, "")
		pattern, ok := patternOf(name)
		if !ok {
			if strings.ReplaceAll(name, "\xff", "") != "" {
				t.Fatalf("%q has no pattern", name)
			}
			continue
		}
		if !hasWildcards(pattern) {
			t.Fatalf("%q: %q is not a pattern", name, pattern)
		}
		if match, err := path.Match(pattern, name); err != nil || !match {
			t.Fatalf("%q is not matched by %q: %v", name, pattern, err)
		}
		at := r.Intn(len(word))
		other := strings.Join(word[:at], "") + chars[r.Intn(len(chars))] + strings.Join(word[at+1:], "")
		if match, err := path.Match(pattern, other); err != nil || match && other != name {
			t.Fatalf("%q of %q matches %q: %v", pattern, name, other, err)
		}
	}
}
