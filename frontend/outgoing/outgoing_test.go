package outgoing

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"":                             "",
		"two\nlines\twith a tab, café": "two\nlines\twith a tab, café",
		"\x1b[31mred\x1b[0m":           `\x1b[31mred\x1b[0m`,
		"over\rwritten\b\x7f\x00":      `over\x0dwritten\x08\x7f\x00`,
		"caf\xe9 \xff\xfe":             `caf\xe9 \xff\xfe`,
		"\u009b31m \u202eexe.txt":      `\u009b31m \u202eexe.txt`,
		"a real \ufffd":                "a real \ufffd",
		"資料 \U0001F433":                "資料 \U0001F433",

		"https://me:hunter2@example.com/x":             "https://xxxxx:xxxxx@example.com/x",
		"https://ghp_token@github.com/a/b.git#main":    "https://xxxxx@github.com/a/b.git#main",
		"HTTP://a:p@ss@proxy:3128":                     "HTTP://xxxxx:xxxxx@proxy:3128",
		"ssh://git@github.com/a/b.git":                 "ssh://git@github.com/a/b.git",
		"ssh://git:hunter2@github.com/a/b.git":         "ssh://git:xxxxx@github.com/a/b.git",
		"git@github.com:a/b.git":                       "git@github.com:a/b.git",
		"https://example.com/@scope/pkg?by=a@b.c":      "https://example.com/@scope/pkg?by=a@b.c",
		`two "https://a:1@b/c" and 'https://d:2@e/f'`:  `two "https://xxxxx:xxxxx@b/c" and 'https://xxxxx:xxxxx@e/f'`,
		"alpine@sha256:0123 for user@example.com":      "alpine@sha256:0123 for user@example.com",
		"https://a:\x1b@example.com/":                  "https://xxxxx:xxxxx@example.com/",
		"failed to fetch https://a:b@c/: \x1b]0;title": `failed to fetch https://xxxxx:xxxxx@c/: \x1b]0;title`,
	} {
		if got := Text(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

// Whatever goes in, what comes out can be sent and shown, and going out twice
// changes nothing. What can be sent and shown, and has no URL, is left alone.
func TestTextLaw(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	alphabet := []string{"a", "é", "\x1b", "\xff", "\n", "\t", "\r", "@", "https://", ":", "/", " ", "\u202e", "\x00", "\u0085", "資", `\`}
	for range 20000 {
		var b strings.Builder
		for range r.Intn(12) {
			b.WriteString(alphabet[r.Intn(len(alphabet))])
		}
		in := b.String()
		out := Text(in)
		fine := func(s string) bool {
			return utf8.ValidString(s) && strings.IndexFunc(s, func(c rune) bool { return c != '\n' && c != '\t' && steers(c) }) < 0
		}
		if !fine(out) {
			t.Fatalf("%q becomes %q", in, out)
		}
		if again := Text(out); again != out {
			t.Fatalf("%q becomes %q, and that %q", in, out, again)
		}
		if fine(in) && !strings.Contains(in, "://") && out != in {
			t.Fatalf("%q was fine and becomes %q", in, out)
		}
	}
}

func TestData(t *testing.T) {
	for in, want := range map[string]string{
		"FROM a\r\nRUN b\r\n":                     "FROM a\r\nRUN b\r\n",
		"RUN \x1b\r\nRUN \r\r\nADD http://a:b@c/": "RUN \\x1b\r\nRUN \\x0d\r\nADD http://xxxxx:xxxxx@c/",
		"\xff\n\nx": "\\xff\n\nx",
	} {
		if got := string(Data([]byte(in))); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

// A program reads the same from a JSON document, but for passwords.
func TestJSON(t *testing.T) {
	in := []string{"\x1b[31m", "\x7f\u0085\u202e", "a\"b", "https://a:b\"@c/", "https://a&:<b>@c/", "资"}
	dt, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	dt = JSON(dt)
	if text := Text(string(dt)); text != string(dt) {
		t.Errorf("it is no text to send: %s", dt)
	}
	var out []string
	if err := json.Unmarshal(dt, &out); err != nil {
		t.Fatal(err)
	}
	in[4] = "https://xxxxx:xxxxx@c/"
	if !slices.Equal(out, in) {
		t.Errorf("%q, want %q", out, in)
	}
}

// Of a long file the lines in question and their neighbors are left, with the
// numbers that they have.
func TestFrame(t *testing.T) {
	short := []byte("a\nb\n")
	if got := Frame(short, 1, 2); &got[0] != &short[0] {
		t.Error("a short file is copied")
	}
	var long strings.Builder
	const lines = 300_000
	for i := range lines {
		fmt.Fprintf(&long, "line %d\n", i+1)
	}
	for _, at := range []int{1, 2, 1000, lines - 1, lines} {
		got := Frame([]byte(long.String()), at, at+1)
		all := strings.Split(string(got), "\n")
		for _, number := range []int{max(1, at-around), at, min(lines, at+1+around)} {
			if want := fmt.Sprintf("line %d", number); all[number-1] != want {
				t.Errorf("frame of line %d: line %d is %q", at, number, all[number-1])
			}
		}
		if len(got) > maxSource || at > 100 && all[at-around-2] != "" {
			t.Errorf("frame of line %d: %d bytes", at, len(got))
		}
	}
	wide := bytes.Repeat([]byte(strings.Repeat("x", 60_000)+"\n"), 100)
	if got := Frame(wide, 50, 50); len(got) > 2*maxSource || bytes.Count(got, []byte("\n")) != 50+around {
		t.Errorf("%d bytes, %d lines", len(got), bytes.Count(got, []byte("\n")))
	}
}

func TestValues(t *testing.T) {
	type inner struct {
		Name   string
		Data   []byte
		hidden string
	}
	v := struct {
		List   []inner
		Where  *inner
		Absent *inner
		Words  []string
		Many   [][]byte
		N      int
	}{
		List:  []inner{{"\x1b", []byte("\x1b"), "\x1b"}},
		Where: &inner{Name: "https://a:b@c"}, Words: []string{"\r"}, Many: [][]byte{[]byte("\x00")}, N: 3,
	}
	Values(&v)
	dt, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"List":[{"Name":"\\x1b","Data":"XHgxYg=="}],"Where":{"Name":"https://xxxxx:xxxxx@c","Data":null},"Absent":null,` +
		`"Words":["\\x0d"],"Many":["XHgwMA=="],"N":3}`
	if string(dt) != want || v.List[0].hidden != "\x1b" {
		t.Errorf("got  %s\nwant %s", dt, want)
	}
}
