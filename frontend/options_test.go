package frontend

import (
	"slices"
	"strings"
	"testing"

	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/stagecraft/stagecraft/llb/llbtest"
)

// withOption makes name an option for the length of a test.
func withOption(t *testing.T, name string) {
	before := options
	t.Cleanup(func() { options = before })
	options = append(slices.Clone(options), name)
}

// An option reaches who asks for it and nobody else: not the build's
// arguments, even where the Dockerfile declares one of that name, and not the
// findings of the build checks. What is passed on to another frontend has it.
func TestOptions(t *testing.T) {
	withOption(t, "COLOR")
	const dockerfile = "FROM alpine\nARG STAGECRAFT_COLOR=none\nRUN echo $STAGECRAFT_COLOR\n"
	solve := func(dockerfile string, opts map[string]string) (*request, []gateway.SolveRequest) {
		g := &llbtest.Gateway{Opts: opts, Files: map[string]map[string]string{"dockerfile": {"Dockerfile": dockerfile}}}
		req, err := newRequest(t.Context(), g)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Build(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		return req, g.Solves()
	}
	definition := func(solves []gateway.SolveRequest) string {
		return string(slices.Concat(solves[len(solves)-1].Definition.Def...))
	}
	req, given := solve(dockerfile, map[string]string{"build-arg:STAGECRAFT_COLOR": "red"})
	if got := req.option("COLOR"); got != "red" {
		t.Errorf("the option is %q", got)
	}
	if text := definition(given); strings.Contains(text, "red") || !strings.Contains(text, "STAGECRAFT_COLOR=none") {
		t.Errorf("the build has the option for an argument: %q", text)
	}
	req, without := solve(dockerfile, nil)
	if req.option("COLOR") != "" || definition(without) != definition(given) {
		t.Error("another build without the option")
	}
	_, forwarded := solve("# syntax=other\n"+dockerfile, map[string]string{"build-arg:STAGECRAFT_COLOR": "red"})
	if last := forwarded[len(forwarded)-1]; last.FrontendOpt["build-arg:STAGECRAFT_COLOR"] != "red" {
		t.Errorf("the other frontend gets %v", last.FrontendOpt)
	}
}

// A misspelled option is an error that names those that there are. An
// argument of the Dockerfile may have such a name all the same.
func TestUnknownOption(t *testing.T) {
	withOption(t, "COLOR")
	build := func(dockerfile string) error {
		_, err := Build(t.Context(), &llbtest.Gateway{
			Opts:  map[string]string{"build-arg:STAGECRAFT_COLOUR": "red"},
			Files: map[string]map[string]string{"dockerfile": {"Dockerfile": dockerfile}},
		})
		return err
	}
	err := build("FROM alpine\n")
	if err == nil || !strings.Contains(err.Error(), "--build-arg STAGECRAFT_COLOUR: ") || !strings.Contains(err.Error(), "STAGECRAFT_COLOR") {
		t.Errorf("unknown: %v", err)
	}
	if err := build("FROM alpine\nARG STAGECRAFT_COLOUR\n"); err != nil {
		t.Errorf("an argument of the Dockerfile: %v", err)
	}
}
