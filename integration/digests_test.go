package integration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/tools/txtar"

	"github.com/stagecraft/stagecraft/frontend/digests"
	"github.com/stagecraft/stagecraft/integration/sandbox"
)

const digestsDockerfile = syntaxLine + `FROM busybox AS base
ARG VERSION=1
ENV MODE=fast
WORKDIR /w
COPY a.txt b.txt ./
RUN --mount=type=secret,id=one echo TOKEN $VERSION >out
RUN --mount=type=bind,source=scripts,target=/s cat /s/run.sh >run
FROM busybox AS side
COPY c.txt /c
RUN echo side TOKEN
FROM base AS test
RUN echo test TOKEN
FROM --after=test base
COPY --from=side /c /c
COPY . /all
COPY --link d.txt /d
RUN echo last TOKEN
`

// digestsChanges change one thing each. The answer names that thing and no other.
var digestsChanges = []struct {
	name   string
	change func(dir string) error
	args   []string // of the second build
	want   string   // causes and names
	steps  string   // numbers of steps that change by themselves or follow, as the progress has them
}{
	{"nothing", func(string) error { return nil }, nil, "", ""},
	{"a time", func(dir string) error {
		return os.Chtimes(filepath.Join(dir, "a.txt"), time.Unix(1e9, 0), time.Unix(1e9, 0))
	}, nil, "", ""},
	{"the content of a file", rewrite("a.txt", "other"), nil, "file /a.txt", ""},
	{"the mode of a file", func(dir string) error { return os.Chmod(filepath.Join(dir, "b.txt"), 0o755) }, nil, "file /b.txt", ""},
	{"a file of one copy", rewrite("c.txt", "other"), nil, "file /c.txt", ""},
	{"a file of a mount", rewrite("scripts/run.sh", "echo other"), nil, "file /scripts/run.sh", ""},
	{"a file more", rewrite("scripts/more.sh", "echo more"), nil, "file /scripts/more.sh", ""},
	{"an argument", nil, []string{"--build-arg=VERSION=2"}, "argument VERSION", ""},
	{"a default", replace("VERSION=1", "VERSION=3"), nil, "argument VERSION", ""},
	{"a variable", replace("MODE=fast", "MODE=slow"), nil, "environment MODE", ""},
	{"a base", replace("FROM busybox AS side", "FROM alpine:3.19 AS side"), nil, "base alpine:3.19", ""},
	{"an instruction", replace("echo side", "echo other side"), nil, "instruction RUN", ""},
	{"a directory", replace("WORKDIR /w", "WORKDIR /v"), nil, "instruction WORKDIR", ""},
	{"an instruction more", replace("COPY . /all", "RUN echo more\nCOPY . /all"), nil, "new RUN", ""},
	{"an instruction less", replace("RUN --mount=type=bind,source=scripts,target=/s cat /s/run.sh >run\n", ""), nil, "gone RUN", ""},
	{"a flag", replace("RUN echo side", "RUN --network=none echo side"), nil, "option RUN", ""},
	{"a shell", replace("RUN echo side", "SHELL [\"/bin/busybox\", \"sh\", \"-c\"]\nRUN echo side"), nil, "new SHELL", ""},
	{"a user", replace("RUN echo side", "USER 7\nRUN echo side"), nil, "new USER", ""},
	{"an ignore file", rewrite(".dockerignore", ".dockerignore\n*.md\nDockerfile\nbefore.json\nextra.txt\n"), nil, "ignore .dockerignore", ""},
	{"an ignore file without effect", rewrite(".dockerignore", ".dockerignore\nDockerfile\n*.md\nbefore.json\nnothing\n"), nil, "", ""},
	{"a secret", replace("id=one", "id=two"), nil, "secret two", ""},
}

func rewrite(name, text string) func(string) error {
	return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644) }
}

func replace(old, now string) func(string) error {
	return func(dir string) error {
		name := filepath.Join(dir, "Dockerfile")
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if !strings.Contains(string(text), old) {
			return fmt.Errorf("the Dockerfile has no %q", old)
		}
		return os.WriteFile(name, []byte(strings.Replace(string(text), old, now, 1)), 0o644)
	}
}

// TestDigests changes one thing at a time. The answer names that and nothing else, and what the daemon runs then is
// what the answer lists, apart from steps of which it says that they may be found by their content.
func TestDigests(t *testing.T) {
	s := sandbox.Shared(t, "scenarios", sandbox.WithImages(scenarioBases...))
	if _, err := s.FrontendRef(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, test := range digestsChanges {
		t.Run(test.name, func(t *testing.T) {
			token := strconv.FormatInt(time.Now().UnixNano(), 36)
			dir := digestsContext(t, token)
			buildDigests(t, s, dir)
			writeFiles(t, dir, map[string]string{"before.json": askSize(t, s, dir, "--call=digests,format=json")})
			if test.change != nil {
				if err := test.change(dir); err != nil {
					t.Fatal(err)
				}
			}
			r := compareDigests(t, s, dir, test.want != "", test.args...)
			var got []string
			for _, c := range r.Changed {
				got = append(got, string(c.Cause)+" "+c.Name)
			}
			if text := strings.Join(got, ", "); text != test.want {
				t.Errorf("changed is %s, want %s", text, test.want)
			}
			checkRuns(t, r, buildDigests(t, s, dir, test.args...))
		})
	}
}

// Another checkout, with other times, gives the same digests; so does an answer in another order of building.
func TestDigestsElsewhere(t *testing.T) {
	s := sandbox.Shared(t, "scenarios", sandbox.WithImages(scenarioBases...))
	if _, err := s.FrontendRef(t.Context()); err != nil {
		t.Fatal(err)
	}
	one, two := digestsContext(t, "elsewhere"), digestsContext(t, "elsewhere")
	if err := os.Chtimes(filepath.Join(two, "c.txt"), time.Unix(1e9, 5), time.Unix(1e9, 5)); err != nil {
		t.Fatal(err)
	}
	a, b := askSize(t, s, one, "--call=digests,format=json"), askSize(t, s, two, "--call=digests,format=json")
	if a != b {
		t.Errorf("one checkout has\n%s\nand another\n%s", a, b)
	}
}

// docs/digests.md shows what the scenario sees.
func TestDigestsPage(t *testing.T) {
	scenario, err := txtar.ParseFile("testdata/digests.txtar")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../docs/digests.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range scenario.Files {
		if f.Name == "changed.txt" && !strings.Contains(string(page), "```\n"+string(f.Data)+"```\n") {
			t.Errorf("docs/digests.md does not show\n%s", f.Data)
		}
	}
}

// digestsContext is a checkout of which every step is new to the daemon.
func digestsContext(t *testing.T, token string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "scripts"), 0o755); err != nil {
		t.Fatal(err)
	}
	writeFiles(t, dir, map[string]string{
		"Dockerfile":     strings.ReplaceAll(digestsDockerfile, "TOKEN", token),
		".dockerignore":  ".dockerignore\nDockerfile\n*.md\nbefore.json\n",
		"a.txt":          "a " + token,
		"b.txt":          "b " + token,
		"c.txt":          "c " + token,
		"d.txt":          "d " + token,
		"extra.txt":      "extra " + token,
		"README.md":      "ignored",
		"scripts/run.sh": "echo " + token,
	})
	return dir
}

func buildDigests(t *testing.T, s *sandbox.Sandbox, dir string, args ...string) solveLog {
	t.Helper()
	cmd := s.Buildx(append(append([]string{"build", "--progress=rawjson", "--output=type=cacheonly"}, args...), dir)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return readSolveLog(t, out)
}

// compareDigests asks what differs, which is exit status 1 where something does.
func compareDigests(t *testing.T, s *sandbox.Sandbox, dir string, differs bool, args ...string) *digests.Report {
	t.Helper()
	ask := func(call string) string {
		cmd := s.Buildx(append(append([]string{"build", call, "--build-arg=STAGECRAFT_BEFORE=before.json"}, args...), dir)...)
		var out, log bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &log
		err := cmd.Run()
		var exit *exec.ExitError
		if differs && (!errors.As(err, &exit) || exit.ExitCode() != 1) || !differs && err != nil {
			t.Errorf("differs: %v, and the call ends with %v\n%s", differs, err, log.String())
		}
		return out.String()
	}
	var r digests.Report
	if err := json.Unmarshal([]byte(ask("--call=digests,format=json")), &r); err != nil {
		t.Fatal(err)
	}
	text := ask("--call=digests")
	t.Logf("\n%s", text)
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 100 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	return &r
}

var progressNumber = regexp.MustCompile(`^\[(\S+) +([0-9]+)/[0-9]+\] `)

// checkRuns holds what ran against what an answer lists.
func checkRuns(t *testing.T, r *digests.Report, log solveLog) {
	t.Helper()
	ran, states := map[string]bool{}, map[string]string{}
	for _, d := range log.order {
		v := log.vertexes[d]
		// What lays the layer of a --link over the rest runs with the rest, and copies nothing.
		if m := progressNumber.FindStringSubmatch(v.Name); m != nil && !strings.Contains(v.Name, "] LINK ") {
			ran[m[1]+" "+m[2]] = ran[m[1]+" "+m[2]] || state(v) == "DONE"
			states[m[1]+" "+m[2]] = v.Name
		}
	}
	listed, maybe := map[int]bool{}, map[int]bool{}
	for _, c := range r.Changed {
		listed[c.Step] = true
		for _, i := range c.Follows {
			listed[i] = true
		}
		for _, i := range c.Maybe {
			maybe[i] = true
		}
	}
	numbers := map[string]int{}
	var stages []string
	for i, s := range r.Steps {
		numbers[s.Stage]++
		if !slices.Contains(stages, s.Stage) {
			stages = append(stages, s.Stage)
		}
		name := fmt.Sprintf("%s %d", s.Stage, numbers[s.Stage])
		if s.Kind == "base" {
			continue
		}
		if _, known := states[name]; !known {
			t.Errorf("the build shows no step %s (%s)", name, s.Code)
		}
		switch {
		case listed[i] && !ran[name]:
			t.Errorf("listed, and did not run: [%s] %s", name, s.Code)
		case ran[name] && !listed[i] && !maybe[i]:
			t.Errorf("ran, and is not listed: [%s] %s", name, s.Code)
		}
	}
}
