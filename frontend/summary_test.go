package frontend

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/llb/llbtest"
)

// Where nothing can be measured, the build is what it is without a summary, and says why there is none.
func TestNoSummary(t *testing.T) {
	gateway := func(value string) *llbtest.Gateway {
		g := &llbtest.Gateway{
			Opts:  map[string]string{},
			Files: map[string]map[string]string{"dockerfile": {"Dockerfile": "FROM alpine\nRUN true\n"}},
		}
		if value != "" {
			g.Opts[optionPrefix+optionSummary] = value
		}
		return g
	}
	for value, message := range map[string]string{"": "", "0": "", "false": "", "1": "No summary: ", "true": "No summary: "} {
		plain, with := gateway(""), gateway(value)
		want, err := Build(t.Context(), plain)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Build(t.Context(), with)
		if err != nil {
			t.Fatal(err)
		}
		if text := string(got.Metadata[metaMessage]); (text == "") != (message == "") || !strings.HasPrefix(text, message) {
			t.Errorf("%q: the build says %q, want %q", value, text, message)
		}
		delete(got.Metadata, metaMessage)
		if len(got.Metadata) != len(want.Metadata) {
			t.Errorf("%q: the result has %d keys, and %d without", value, len(got.Metadata), len(want.Metadata))
		}
		for key, data := range want.Metadata {
			if !bytes.Equal(got.Metadata[key], data) {
				t.Errorf("%q: %s differs", value, key)
			}
		}
		if len(with.Solves()) != len(plain.Solves()) {
			t.Errorf("%q: another number of solves", value)
		}
	}
	if _, err := Build(t.Context(), gateway("perhaps")); err == nil || !strings.Contains(err.Error(), "STAGECRAFT_SUMMARY=perhaps: write 1") {
		t.Errorf("perhaps: %v", err)
	}
}
