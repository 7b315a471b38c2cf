package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/frontend/gateway/client"
)

// isLabel reports whether a name is that of a stage of another file, or has
// settings: svc/Dockerfile#build, build(GO=1.25), build[linux/arm64]. No image
// has such a name.
func isLabel(name string) bool { return strings.ContainsAny(name, "#({[") }

// aliasContexts is c with further names for the named contexts that stand in
// for stages that are called so: dockerui accepts only names that could be
// images.
func aliasContexts(c client.Client) client.Client {
	opts := maps.Clone(c.BuildOpts().Opts)
	found := false
	for key, value := range c.BuildOpts().Opts {
		name, ok := strings.CutPrefix(key, "context:")
		if !ok || !isLabel(name) {
			continue
		}
		stage, platform, hasPlatform := strings.Cut(name, "::")
		alias := "context:" + contextAlias(stage)
		if hasPlatform {
			alias += "::" + platform
		}
		opts[alias] = value
		found = true
	}
	if !found {
		return c
	}
	return WithOpts(c, opts)
}

// contextReference is a stage of another file as an image could be called, for
// clients that take no other names: svc/dockerfile:build for
// svc/Dockerfile#build. Not every path can be written so.
func contextReference(stage string) (string, bool) {
	file, name, ok := strings.Cut(strings.ToLower(stage), "#")
	if !ok {
		return "", false
	}
	named, err := reference.ParseNormalizedNamed(file + ":" + name)
	if err != nil {
		return "", false
	}
	return strings.TrimSuffix(reference.FamiliarString(named), ":latest"), true
}

// contextAlias is a name that dockerui accepts in place of a stage's.
func contextAlias(stage string) string {
	stage = strings.ToLower(strings.TrimPrefix(strings.TrimPrefix(stage, "."), "/"))
	sum := sha256.Sum256([]byte(stage))
	return "stage-of-file-" + hex.EncodeToString(sum[:6])
}
