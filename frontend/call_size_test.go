package frontend

import (
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/llb/llbtest"
)

// What --call=size cannot do, or cannot read, is said before anything is built.
func TestSizeSaysNo(t *testing.T) {
	const dockerfile = "FROM alpine\n"
	for name, test := range map[string]struct {
		option, value, want string
	}{
		"a daemon that does not tell our image": {"", "", "this daemon does not tell which image that is; upgrade to Docker"},
		"a limit that is none":                  {"SIZE_MAX", "20XB", `--build-arg STAGECRAFT_SIZE_MAX: "20XB" is not a size; write a number of bytes`},
		"a missing earlier answer":              {"SIZE_BEFORE", "gone.json", "--build-arg STAGECRAFT_SIZE_BEFORE=gone.json: gone.json"},
		"an earlier answer that is none":        {"SIZE_BEFORE", "Dockerfile", "--build-arg STAGECRAFT_SIZE_BEFORE=Dockerfile: line 1: this is not an answer"},
	} {
		g := &llbtest.Gateway{
			Opts:  map[string]string{"requestid": "frontend.size"},
			Files: map[string]map[string]string{"dockerfile": {"Dockerfile": dockerfile}},
		}
		if test.option != "" {
			g.Opts[optionPrefix+test.option] = test.value
		}
		_, err := Build(t.Context(), g)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}
