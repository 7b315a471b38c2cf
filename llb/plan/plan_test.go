package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/shell"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

func TestPorts(t *testing.T) {
	for word, want := range map[string]string{
		"80":                 "80/tcp",
		"53/UDP":             "53/udp",
		"9/sctp":             "9/sctp",
		"8000-8002":          "8000/tcp 8001/tcp 8002/tcp",
		"0":                  "0/tcp",
		"65535":              "65535/tcp",
		"8080:80":            "80/tcp",
		"127.0.0.1:8080:80":  "80/tcp",
		"[::1]:8080:80/udp":  "80/udp",
		"1-3:4-6":            "4/tcp 5/tcp 6/tcp",
		"1-9:80":             "80/tcp",
		"":                   "no port specified",
		"/tcp":               "no port specified",
		"80/icmp":            "invalid proto: icmp",
		"65536":              "invalid containerPort: 65536",
		"-1":                 "invalid containerPort: -1",
		"3-1":                "invalid containerPort: 3-1",
		"x":                  "invalid containerPort: x",
		"x:80":               "invalid hostPort: x",
		"1-2:4-6":            "invalid ranges",
		"300.0.0.1:80:80":    "invalid IP address: 300.0.0.1",
		"[::1:80:80":         "invalid IP address",
		"8000-8001-8002":     "invalid containerPort",
		"99999999999999999/": "invalid containerPort",
	} {
		spec, err := parsePort(word)
		got := fmt.Sprint(err)
		if err == nil {
			got = strings.Join(spec.expand(), " ")
		}
		if err == nil && got != want || !strings.Contains(got, want) {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func TestChmod(t *testing.T) {
	for text, want := range map[string]string{
		"":            "none",
		"0":           "0",
		"755":         "755",
		"07777":       "7777",
		"u=rwX,go=rX": "u=rwX,go=rX",
		"+x":          "+x",
		"10000":       "between 0 and 07777",
		"8":           "between 0 and 07777",
		"-1":          "invalid syntax",
		"u+q":         "invalid",
		"rwx":         "invalid",
	} {
		c, err := parseChmod(text)
		got := "none"
		switch {
		case err != nil:
			got = err.Error()
		case c != nil && c.Symbolic != "":
			got = c.Symbolic
		case c != nil:
			got = fmt.Sprintf("%o", uint32(c.Mode))
		}
		if err == nil && got != want || !strings.Contains(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestOwnersByName(t *testing.T) {
	for chown, want := range map[string]bool{"": false, "0": false, "1000:1000": false, "app": true, "0:staff": true, "app:0": true, ":": false} {
		if namesOwner(chown) != want {
			t.Errorf("%q: %v", chown, !want)
		}
	}
}

func TestWildcards(t *testing.T) {
	for p, want := range map[string]bool{"a/b": false, "a*": true, "a?": true, "[a]": true, `a\*b`: false, `a\\*`: true, `a\`: false, "": false} {
		if hasWildcards(p) != want {
			t.Errorf("%q: %v", p, !want)
		}
	}
}

// A name is a word of its own: KEYBOARD is no KEY.
func TestSecretNames(t *testing.T) {
	for name, want := range map[string]bool{
		"PASSWORD": true, "db_password": true, "API_KEY": true, "TOKEN": true, "AUTH_X": true, "MY_SECRET_NAME": true,
		"KEYBOARD": false, "SECRETARY": false, "PUBLIC_KEY": false, "TOKEN_FILE": false, "KEY_VERSION": false, "AUTHOR": false,
	} {
		if got := secretName.MatchString(name) && !publicName.MatchString(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A variable keeps its place in the image config, and moves in RUN.
func TestWithEnv(t *testing.T) {
	env := withEnv([]string{"A=1", "B", "C=3"}, "B", "x=y")
	if got := strings.Join(env, " "); got != "A=1 B=x=y C=3" {
		t.Error(got)
	}
	if got := withEnv(env, "D", ""); got[3] != "D=" {
		t.Error(got)
	}
}

func TestProgressNames(t *testing.T) {
	amd64 := &ocispecs.Platform{OS: "linux", Architecture: "amd64"}
	none := shell.EnvsFromSlice(nil)
	c := counter{label: "build", total: 12, platform: true}
	for _, want := range []string{
		"[linux/amd64 build  1/12] RUN x",
		"[linux/amd64->arm64 build  2/12] RUN x",
		"[linux/amd64->windows/amd64 build  3/12] RUN x",
		"[linux/amd64 build  4/12] RUN x",
		"[linux/amd64->arm/v7 build  5/12] RUN x",
		"[linux/amd64 build  6/12] ONBUILD RUN x",
	} {
		env := none
		switch {
		case strings.Contains(want, "->arm64"):
			env = shell.EnvsFromSlice([]string{"TARGETPLATFORM=linux/arm64"})
		case strings.Contains(want, "windows"):
			env = shell.EnvsFromSlice([]string{"TARGETOS=windows"})
		case strings.Contains(want, "arm/v7"):
			env = shell.EnvsFromSlice([]string{"TARGETARCH=arm", "TARGETVARIANT=v7"})
		}
		c.onBuild = strings.Contains(want, "ONBUILD")
		if got := c.next("RUN x", amd64, env); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	external := counter{}
	if got := external.next("FROM x", amd64, none); got != "FROM x" {
		t.Errorf("an external counts: %q", got)
	}
}

func TestTitle(t *testing.T) {
	env := shell.EnvsFromSlice([]string{"A=1"})
	lex := shell.NewLex('\\')
	for code, want := range map[string]string{
		"copy $A b":    "COPY 1 b",
		"workdir":      "WORKDIR",
		"copy ${A b":   "COPY ${A b", // malformed: as it is
		"add 'x y' \"": "ADD 'x y' \"",
	} {
		if got := title(lex, code, env); got != want {
			t.Errorf("%q: %q, want %q", code, got, want)
		}
	}
}

func TestFirstLine(t *testing.T) {
	for doc, want := range map[string]string{"": "", "a": "a", "a\nb": "a...", "\n a\r\nb\n": "a...", "a\n": "a"} {
		if got := firstLine(doc); got != want {
			t.Errorf("%q: %q, want %q", doc, got, want)
		}
	}
}

// The root stands for everything; else paths are sorted and relative.
func TestPaths(t *testing.T) {
	ev := &evaluator{reads: map[Source]pathSet{}}
	main := BuildContext(0)
	for _, p := range []string{"b", "./a/", "../c", "/d/e", "b"} {
		ev.read(main, p)
	}
	if got := ev.reads[main].list(); !slices.Equal(got, []string{"a", "b", "c", "d/e"}) {
		t.Error(got)
	}
	ev.read(main, ".")
	if got := ev.reads[main].list(); got != nil {
		t.Error(got)
	}
}

func TestScanArgs(t *testing.T) {
	for value, want := range map[string]bool{"true": true, "1": true, "false": false, "base": true, "other,base": true, "other": false} {
		if got := names(value, "base"); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
}
