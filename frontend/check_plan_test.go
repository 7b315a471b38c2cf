package frontend

import (
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/llb/llbtest"
)

// A client can have the plan checked. A right one changes nothing; of a wrong
// one the build says what is wrong.
func TestCheckOption(t *testing.T) {
	build := func(value string) error {
		_, err := Build(t.Context(), &llbtest.Gateway{
			Opts:  map[string]string{"build-arg:STAGECRAFT_CHECK": value, "platform": "linux/amd64"},
			Files: map[string]map[string]string{"dockerfile": {"Dockerfile": "FROM alpine\nRUN true\nWORKDIR /x\n"}},
		})
		return err
	}
	for _, value := range []string{"1", "0", "true", ""} {
		if err := build(value); err != nil {
			t.Errorf("%q: %v", value, err)
		}
	}
	if err := build("yes"); err == nil || !strings.Contains(err.Error(), "STAGECRAFT_CHECK=yes: the value must be 1 or 0") {
		t.Errorf("a value that is neither: %v", err)
	}
	compiled, err := llbtest.Compile(t.Context(), llbtest.Request{Dockerfile: []byte("FROM alpine\nRUN true\n")})
	if err != nil {
		t.Fatal(err)
	}
	compiled.Plan.Target().Steps[0].Progress = ""
	for value, wrong := range map[string]bool{"1": true, "0": false} {
		r := &request{options: map[string]string{optionCheck: value}}
		if err := r.checkPlan(compiled.Plan); (err != nil) != wrong || wrong && !strings.Contains(err.Error(), "RUN true): no progress name") {
			t.Errorf("%s: %v", value, err)
		}
	}
}
