package answer

import (
	"slices"
	"testing"
)

func TestCells(t *testing.T) {
	for text, want := range map[string]int{
		"":             0,
		"abc":          3,
		"資料":           4,
		"e\u0301":      1, // an accent of its own
		"│┌▼…":         4,
		"a\u200bb":     2,
		"\U0001F433 x": 4,
	} {
		if got := Cells(text); got != want {
			t.Errorf("%q takes %d columns, want %d", text, got, want)
		}
	}
}

func TestShorten(t *testing.T) {
	for _, test := range []struct {
		text  string
		limit int
		want  string
	}{
		{"builder", 7, "builder"},
		{"builder", 6, "bu…der"},
		{"builder", 1, "…"},
		{"builder", 0, ""},
		{"", 0, ""},
		{"docker.io/library/golang:1.22-alpine", 20, "docker.…:1.22-alpine"},
		{"資料図表資料図表", 9, "資料…図表"},
		{"資料図表資料図表", 8, "資…図表"},
	} {
		got := Shorten(test.text, test.limit)
		if got != test.want {
			t.Errorf("%q in %d columns: %q, want %q", test.text, test.limit, got, test.want)
		}
		if Cells(got) > test.limit {
			t.Errorf("%q takes more than %d columns", got, test.limit)
		}
	}
}

func TestClean(t *testing.T) {
	if got, want := Clean("a\nb\t\x1b[31mc\u202e\x00"), "a b \ufffd[31mc\ufffd\ufffd"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestFold(t *testing.T) {
	got := Fold([]string{"one", "two", "three", "a-long-word-that-does-not-fit"}, ", ", 12)
	want := []string{"one, two,", "three,", "a-lo…not-fit"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
