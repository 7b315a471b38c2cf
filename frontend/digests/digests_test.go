package digests_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/stagecraft/stagecraft/frontend/digests"
	"github.com/stagecraft/stagecraft/llb/llbtest"
	"github.com/stagecraft/stagecraft/llb/plan"
	"github.com/stagecraft/stagecraft/llb/stage"
)

// subject is a build, without a daemon: its steps that copy from a context take all of the files.
type subject struct {
	dockerfile string
	opts       map[string]string
	files      []digests.File
	options    []digests.Named
	ignore     string
}

func (s subject) report(t *testing.T) *digests.Report {
	t.Helper()
	c, err := llbtest.Compile(t.Context(), llbtest.Request{Dockerfile: []byte(s.dockerfile), Opts: s.opts})
	if err != nil {
		t.Fatal(err)
	}
	goal := digests.Goal{Plan: c.Plan, Files: map[plan.StepID][]digests.File{}, Options: s.options}
	if s.ignore != "" {
		goal.Ignore = map[stage.ContextID]digests.Named{0: {Name: ".dockerignore", Value: s.ignore}}
	}
	for _, st := range c.Plan.Stages {
		for i := range st.Steps {
			if len(st.Steps[i].Reads) > 0 {
				goal.Files[plan.StepID{Stage: st.ID, Index: i}] = s.files
			}
		}
	}
	platform := ocispecs.Platform{OS: "linux", Architecture: "amd64"}
	if s.opts["platform"] == "linux/arm64" {
		platform.Architecture = "arm64"
	}
	return digests.New(digests.Input{Platform: platform, Target: goal})
}

// compared is the report of a build with what differs from another one, which was kept as JSON.
func compared(t *testing.T, before, after subject) *digests.Report {
	t.Helper()
	data, err := json.Marshal(before.report(t))
	if err != nil {
		t.Fatal(err)
	}
	valid(t, data)
	old, err := digests.ReadBefore(data)
	if err != nil {
		t.Fatal(err)
	}
	r := after.report(t)
	r.Compare(old)
	if data, err = json.Marshal(r); err != nil {
		t.Fatal(err)
	}
	valid(t, data)
	return r
}

func valid(t *testing.T, data []byte) {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("../../docs/schemas/digests.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(doc); err != nil {
		t.Errorf("%v\n%s", err, data)
	}
	if schema.Validate(map[string]any{"version": 1}) == nil {
		t.Error("the schema accepts anything")
	}
}

const text = `ARG BASE=3.19
FROM alpine:${BASE} AS base
ARG VERSION=1
ENV NAME=app-$VERSION
WORKDIR /w
RUN make $NAME
FROM --platform=$BUILDPLATFORM busybox AS tools
ARG TARGETARCH
COPY tool /tool
RUN build $TARGETARCH
FROM base
COPY --from=tools /tool /bin/
COPY --link . data
RUN end
`

var someFiles = []digests.File{{Path: "/a", Mode: "-0644", Digest: "sha256:1"}, {Path: "/tool", Mode: "-0755", Digest: "sha256:2"}}

// What integration/digests_test.go cannot change on a real daemon, and what reaches which steps.
func TestCompare(t *testing.T) {
	owner := append([]digests.File{{Path: "/a", Mode: "-0644", UID: 7, GID: 8, Digest: "sha256:1"}}, someFiles[1])
	for _, test := range []struct {
		name  string
		after subject
		want  string // cause, name, place, before and after; then the steps
	}{
		{"nothing", subject{}, ""},
		{"an owner", subject{files: owner}, "file /a Dockerfile:9 -0644 0:0 sha256:1 > -0644 7:8 sha256:1: 4, then [5 7 8], perhaps [6]"},
		{"an argument through a variable", subject{opts: map[string]string{"build-arg:VERSION": "2"}},
			"argument VERSION Dockerfile:3 1 > 2: 2, then [6 8], perhaps []"},
		{"an argument of FROM", subject{opts: map[string]string{"build-arg:BASE": "3.18"}},
			"argument BASE Dockerfile:1 3.19 > 3.18: 0, then [1 2 6 8], perhaps []"},
		{"the platform", subject{opts: map[string]string{"platform": "linux/arm64"}},
			"platform --platform Dockerfile:0 linux/amd64 > linux/arm64: 0, then [1 2 5 6 7 8], perhaps []"},
		{"an option of the client", subject{options: []digests.Named{{Name: "--network", Value: "HOST"}}},
			"option --network Dockerfile:6 UNSET > HOST: 2, then [5 6 8], perhaps []"},
		{"another directory, for a copy in a layer of its own", subject{dockerfile: strings.Replace(text, "/w", "/v", 1)},
			"instruction WORKDIR Dockerfile:5 WORKDIR /w > WORKDIR /v: 1, then [2 6 7 8], perhaps []"},
		{"lines more", subject{dockerfile: "# a comment\n\n" + text}, ""},
		{"a stage that the target does not need", subject{dockerfile: strings.Replace(text, "FROM base\n", "FROM busybox AS spare\nRUN spare\nFROM base\n", 1)}, ""},
		{"an ignore file", subject{files: someFiles[1:], ignore: "sha256:other"}, "ignore .dockerignore .dockerignore:1 sha256:ignore > sha256:other: 4, then [5 7 8], perhaps [6]"},
		{"an ignore file and a file", subject{files: []digests.File{{Path: "/a", Mode: "-0644", Digest: "sha256:3"}, someFiles[1]}, ignore: "sha256:other"},
			"file /a Dockerfile:9 -0644 0:0 sha256:1 > -0644 0:0 sha256:3: 4, then [5 7 8], perhaps [6]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := subject{dockerfile: text, files: someFiles, options: []digests.Named{{Name: "--network", Value: "UNSET"}}, ignore: "sha256:ignore"}
			after := before
			if test.after.dockerfile != "" {
				after.dockerfile = test.after.dockerfile
			}
			if test.after.files != nil {
				after.files = test.after.files
			}
			if test.after.options != nil {
				after.options = test.after.options
			}
			if test.after.ignore != "" {
				after.ignore = test.after.ignore
			}
			after.opts = test.after.opts
			r := compared(t, before, after)
			var got []string
			for _, c := range r.Changed {
				got = append(got, fmt.Sprintf("%s %s %s:%d %s > %s: %d, then %v, perhaps %v", c.Cause, c.Name, c.File, c.Line, c.Before, c.After, c.Step, c.Follows, c.Maybe))
			}
			if text := strings.Join(got, "\n"); text != test.want {
				t.Errorf("changed is\n%s\nwant\n%s\n%s", text, test.want, r.Text())
			}
			if r.Failed() != (test.want != "") {
				t.Error("the judgement is another one")
			}
		})
	}
}

// Two things that change are two causes; they do not hide each other.
func TestCompareTwo(t *testing.T) {
	before := subject{dockerfile: text, files: someFiles}
	after := subject{dockerfile: strings.Replace(text, "RUN end", "RUN ends", 1), files: someFiles, opts: map[string]string{"build-arg:VERSION": "2"}}
	r := compared(t, before, after)
	if len(r.Changed) != 2 || r.Changed[0].Cause != digests.CauseArgument || r.Changed[1].Cause != digests.CauseInstruction {
		t.Errorf("changed is %+v", r.Changed)
	}
	back := compared(t, after, before)
	if len(back.Changed) != 2 || back.Changed[0].Before != "2" || back.Changed[0].After != "1" {
		t.Errorf("and back it is %+v", back.Changed)
	}
}

func TestReadBefore(t *testing.T) {
	const ours = `{"version":1,"target":"a","platform":"linux/amd64","steps":[`
	for data, want := range map[string]string{
		ours + "]}":           "",
		ours + `{"on":[0]}]}`: "step 0 stands on a step that does not come before it",
		strings.Replace(ours, "1", "2", 1) + "]}": "version 2, and this version of Stagecraft reads version 1",
		"":                            "line 1: this is not an answer of --call=digests",
		"{\n\"steps\": 7}":            "line 2: this is not an answer of --call=digests",
		`{"version":1,"findings":[]}`: "this is not an answer of --call=digests",
	} {
		if _, err := digests.ReadBefore([]byte(data)); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", data, err, want)
		}
	}
}

func TestSelection(t *testing.T) {
	var files []digests.File
	for _, path := range []string{"/a", "/a/b", "/a/b/c.txt", "/a/d.txt", "/e.txt", "/f[1]", "/g.md"} {
		files = append(files, digests.File{Path: path})
	}
	for _, test := range []struct {
		digests.Selection
		want string
	}{
		{digests.Selection{Path: "/"}, "/a /a/b /a/b/c.txt /a/d.txt /e.txt /f[1] /g.md"},
		{digests.Selection{Path: "/a"}, "/a /a/b /a/b/c.txt /a/d.txt"},
		{digests.Selection{Path: "a/b/"}, "/a/b /a/b/c.txt"},
		{digests.Selection{Path: "/*.txt"}, "/e.txt"},
		{digests.Selection{Path: "/a/*"}, "/a/b /a/b/c.txt /a/d.txt"},
		{digests.Selection{Path: "/f[1]"}, "/f[1]"},
		{digests.Selection{Path: "/", Excludes: []string{"**/*.txt"}}, "/a /a/b /f[1] /g.md"},
		{digests.Selection{Path: "/a", Excludes: []string{"b"}}, "/a /a/d.txt"},
		{digests.Selection{Path: "/", Include: []string{"a/b", "g.md"}}, "/a/b /a/b/c.txt /g.md"},
		{digests.Selection{Path: "/none"}, ""},
	} {
		got, err := test.Of(files)
		var names []string
		for _, f := range got {
			names = append(names, f.Path)
		}
		if text := strings.Join(names, " "); err != nil || text != test.want {
			t.Errorf("%+v selects %s, %v", test.Selection, text, err)
		}
	}
}

// Too many files become folders, whose digests still tell what changed.
func TestFold(t *testing.T) {
	many := func(digest string) (files []digests.File) {
		for i := range digests.MaxFiles + 1 {
			files = append(files, digests.File{Path: fmt.Sprintf("/dir%d/%d", i%3, i), Digest: digest})
		}
		return files
	}
	before, after := many("sha256:1"), many("sha256:1")
	after[4].Digest = "sha256:2"
	r := compared(t, subject{dockerfile: text, files: before}, subject{dockerfile: text, files: after})
	if len(r.Changed) != 1 || r.Changed[0].Name != "/dir1/" || !r.Steps[4].Folded || len(r.Steps[4].Files) != 3 {
		t.Errorf("changed is %+v", r.Changed)
	}
}

func TestFileChanges(t *testing.T) {
	file := func(mode string, uid uint32, digest string) []digests.File {
		return []digests.File{{Path: "/a", Mode: mode, UID: uid, Digest: digest}}
	}
	before := subject{dockerfile: "FROM scratch\nCOPY a /\n", files: file("-0664", 0, "sha256:1")}
	for _, test := range []struct {
		files []digests.File
		want  string
	}{
		{file("-0644", 0, "sha256:1"), "    a  mode 0664 -> 0644, same content (umask?)\n"},
		{file("-0664", 7, "sha256:1"), "    a  owner 0:0 -> 7:0, same content\n"},
		{file("-0664", 0, "sha256:2"), "    a  other content\n"},
		{file("l0777", 0, "sha256:2"), "    a  -0664 -> l0777, other content\n"},
		{nil, "    a  gone\n"},
		{append(file("-0664", 0, "sha256:1"), digests.File{Path: "/b", Mode: "-0644", Digest: "sha256:3"}), "    b  new\n"},
	} {
		after := before
		after.files = test.files
		text := compared(t, before, after).Text()
		if !strings.Contains(text, test.want) || !strings.HasPrefix(text, "1 of 1 steps changed by themselves, 0 run again") {
			t.Errorf("got\n%swant\n%s", text, test.want)
		}
	}
}
