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

// Settings in the name of a context have colons: an equals sign would end it.
func TestContextNamesWithSettings(t *testing.T) {
	if contextAlias("build(GO=1,X=2)[linux/arm64]") != contextAlias("build(GO:1,X:2)[linux/arm64]") {
		t.Error("colons do not stand for equals signs")
	}
	for key, ok := range map[string]bool{
		"context:build(GO:1)": true, "context:alpine": true, "target": true, "context:build[linux/arm64]": true,
		"context:build(GO": false,
	} {
		if err := checkContextNames(map[string]string{key: "local:x"}); (err == nil) != ok {
			t.Errorf("%s: %v", key, err)
		}
	}
}
