package main

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/llb/llbtest"
	"golang.org/x/tools/txtar"
)

const project = `
-- Dockerfile --
ARG VERSION=1
FROM alpine:$VERSION AS base
WORKDIR /w
FROM ./svc/Dockerfile#tool AS tool
FROM base AS app
COPY --from=tool /t /t
COPY a b.txt /in/
FROM app AS last
RUN --mount=type=bind,target=/src x
-- Dockerfile.dockerignore --
a
-- svc/Dockerfile --
FROM --platform=$BUILDPLATFORM busybox AS tool
RUN make
-- alpine.json --
{"os":"linux","architecture":"arm64","config":{"Env":["PATH=/bin","FROM_IMAGE=1"],"OnBuild":["RUN trigger"]}}
`

// showIn runs the command on the files of an archive.
func showIn(t *testing.T, archive string, args ...string) (out, warnings string, err error) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, f := range txtar.Parse([]byte(archive)).Files {
		if err := os.MkdirAll(filepath.Dir(f.Name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f.Name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var o, w strings.Builder
	err = run(t.Context(), args, &o, &w)
	return o.String(), w.String(), err
}

func TestShow(t *testing.T) {
	for _, test := range []struct {
		name string
		args []string
		want []string
		not  []string
	}{
		{"graph", []string{"graph", "Dockerfile"},
			[]string{"unit 1: svc/Dockerfile, 1 stages", "0:base <- alpine:1, Dockerfile:2", "copy 1:tool /t at Dockerfile:6", "target"}, nil},
		{"plan", []string{"plan", "Dockerfile"},
			[]string{"docker.io/library/alpine:1@sha256:", "sources files{path=/a} files{path=/b.txt}", "linux/amd64, target"}, []string{"trigger"}},
		{"llb", []string{"llb", "Dockerfile"},
			[]string{"local://context", `llb.customname "[last 1/1] RUN`}, nil},
		{"json", []string{"json", "Dockerfile"}, []string{`"Label": "app"`, `"copy": {`, `"Path": "/b.txt"`}, nil},
		{"an argument", []string{"-arg", "VERSION=3", "plan", "Dockerfile"}, []string{"library/alpine:3@"}, nil},
		{"a target", []string{"-target", "base", "plan", "Dockerfile"}, []string{"0:base"}, []string{"busybox"}},
		{"a platform", []string{"-platform", "linux/arm64", "plan", "Dockerfile"}, []string{"linux/arm64, target"}, nil},
		{"an image", []string{"-image", "alpine:1=alpine.json", "plan", "Dockerfile"}, []string{"FROM_IMAGE=1", "RUN trigger"}, nil},
		{"a named context", []string{"-build-context", "tool=files", "plan", "Dockerfile"}, []string{"1:tool <- named context", "reads context of 1:tool: t"}, []string{"busybox"}},
		{"an image as a context", []string{"-build-context", "alpine:1=docker-image://debian:12", "llb", "Dockerfile"}, []string{"library/debian:12"}, []string{"library/alpine"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, warnings, err := showIn(t, project, test.args...)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range test.want {
				if !strings.Contains(out, want) {
					t.Errorf("lacks %q:\n%s", want, out)
				}
			}
			for _, not := range test.not {
				if strings.Contains(out, not) {
					t.Errorf("has %q:\n%s", not, out)
				}
			}
			if test.name == "plan" && !strings.Contains(warnings, "Dockerfile:7: CopyIgnoredFile") {
				t.Errorf("warnings are %q", warnings)
			}
			if again, _, err := showIn(t, project, test.args...); err != nil || again != out {
				t.Errorf("another time it is (%v)\n%s", err, again)
			}
		})
	}
}

func TestShowErrors(t *testing.T) {
	for _, test := range []struct{ file, want string }{
		{"FROM alpine\nCOPY --from=./no/Dockerfile /a /a\n", "Dockerfile:2: "},
		{"FROM alpine\nFROM ./svc/Dockerfile\n-- svc/Dockerfile --\nFROM alpine\nRUNN x\n", "svc/Dockerfile:2: "},
	} {
		if _, _, err := showIn(t, "-- Dockerfile --\n"+test.file, "llb", "Dockerfile"); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%v, want %q", err, test.want)
		}
	}
	for _, args := range [][]string{nil, {"plan"}, {"nonsense", "Dockerfile"}, {"-arg", "x", "plan", "Dockerfile"}, {"plan", "no/such/file"}, {"-platform", "?", "plan", "Dockerfile"}} {
		if _, _, err := showIn(t, project, args...); err == nil {
			t.Errorf("%q is accepted", args)
		}
	}
}

// Any Dockerfile that compiles is shown, and its plan is right.
func TestShowCorpus(t *testing.T) {
	files, err := llbtest.Corpus(filepath.Join("..", "..", "testdata", "corpus"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	shown := 0
	for _, f := range files {
		for what := range shows {
			out, _, err := showIn(t, "-- Dockerfile --\n"+string(f.Dockerfile), what, "Dockerfile")
			switch {
			case err == nil && out != "":
				shown++
			case err == nil || errors.Is(err, errWrongPlan) || errors.Is(err, flag.ErrHelp):
				t.Errorf("%s: %s: %v", f.Name, what, err)
			}
		}
	}
	if shown < len(files) {
		t.Errorf("only %d of %d files are shown", shown, len(files))
	}
}
