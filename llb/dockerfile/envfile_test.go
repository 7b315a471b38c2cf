package dockerfile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// scopeOf is an environment for the shell lexer.
type scopeOf map[string]string

func (s scopeOf) Get(name string) (string, bool) { v, ok := s[name]; return v, ok }
func (s scopeOf) Keys() []string                 { return nil }

// The format is that of Compose; what it is was compared with Compose's own
// parser on random texts.
func TestEnvFile(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "",
		"# nothing\n\n":             "",
		"A=b":                       "A=b",
		"A=b\r\nC=d\r\n":            "A=b|C=d",
		"\ufeffA=b\n":               "A=b",
		"export A=b\n":              "A=b",
		"A: b\n":                    "A=b",
		"  A = b c  \n":             "A=b c",
		"A=\nB=c\n":                 "A=|B=c",
		"A=b # comment\n":           "A=b",
		"A=b# no comment\n":         "A=b# no comment",
		"A=\"b # no comment\" # c":  "A=b # no comment",
		"A='b # no comment' # c\n":  "A=b # no comment",
		"A='$X ${Y}'\n":             "A=$X ${Y}",
		"A='Let\\'s go!'\n":         "A=Let's go!",
		`A="{\"hello\": \"json\"}"`: `A={"hello": "json"}`,
		`A="some\tvalue\n"`:         "A=some\tvalue\n",
		`A="back\\slash \x"`:        `A=back\slash \x`,
		`A=C:\dir\$`:                `A=C:\dir\$`,
		"A='1\n2'\nB=3\n":           "A=1\n2|B=3",
		"A=$SET ${SET}s\n":          "A=set sets",
		"A=\"$SET\"":                "A=set",
		`A="\$SET"`:                 "A=$SET",
		"A=$$SET\n":                 "A=$SET",
		"A=$1 5$ a$-b\n":            "A=$1 5$ a$-b",
		"A=${NO:-d} ${NO-$SET}\n":   "A=d set",
		"A=${SET:+\"it's\"}\n":      `A="it's"`,
		"A=${NO:-${NO:-x}}y\n":      "A=xy",
		"INHERITED\nSET\n":          "INHERITED (inherited)|SET (inherited)",
		"a.b-c[0]=1\n":              "a.b-c[0]=1",

		"A b=1\n":     `line 1: "A b" is not the name of a variable`,
		"\n=1\n":      `line 2: "" is not the name of a variable`,
		"A='b\nc\n":   "line 1: the value has no ' at its end",
		"A=\"b\" c\n": `line 1: "c" stands after the quotes of a value`,
		"\nA=${B\n":   `line 2: value "${B": ${B is followed by something other`,
		"A=${B:-c\n":  `line 1: value "${B:-c": ${B has no } at its end`,
		"A=${1}\n":    `line 1: value "${1}": ${ needs the name of a variable`,
	} {
		list, err := parseEnvFile([]byte(text), 0)
		var got []string
		for _, a := range list {
			value, _, err := shell.NewLex('\\').ProcessWord(a.Word, scopeOf{"SET": "set"})
			if err != nil {
				t.Errorf("%q: %v", text, err)
			}
			if a.Inherit {
				got = append(got, a.Name+" (inherited)")
			} else {
				got = append(got, a.Name+"="+value)
			}
		}
		if err != nil {
			got = []string{"line " + located(err)}
		}
		if text := strings.Join(got, "|"); err == nil && text != want || err != nil && (want == "" || !strings.HasPrefix(text, want)) {
			t.Errorf("%q: want %q, got %q", text, want, fmt.Sprint(got))
		}
	}
}

// Lines count the whole file, values of several lines included.
func TestEnvFilePlaces(t *testing.T) {
	list, err := parseEnvFile([]byte("A=1\n\nB='x\ny'\n# c\nC=3"), 4)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range list {
		r := a.Loc.Ranges[0]
		got = append(got, fmt.Sprintf("%s %d:%d-%d", a.Name, a.Loc.File, r.Start.Line, r.End.Line))
	}
	if want := "A 4:1-1 B 4:3-4 C 4:6-6"; strings.Join(got, " ") != want {
		t.Errorf("want %s, got %s", want, got)
	}
}
