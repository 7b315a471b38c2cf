package gateway

import "testing"

// A stage of another file has a name that every client takes for a context,
// unless its path has what no image's name has.
func TestContextReference(t *testing.T) {
	for label, want := range map[string]string{
		"svc/Dockerfile#build":      "svc/dockerfile:build",
		"Dockerfile.svc#build":      "dockerfile.svc:build",
		"svc/Dockerfile#latest":     "svc/dockerfile",
		"lib/v1.2/Dockerfile#a_b.c": "lib/v1.2/dockerfile:a_b.c",
		"my svc/Dockerfile#build":   "",
		"+svc/Dockerfile#build":     "",
		"svc/Dockerfile#":           "",
	} {
		if got, _ := contextReference(label); got != want {
			t.Errorf("%s: %q, want %q", label, got, want)
		}
	}
}
