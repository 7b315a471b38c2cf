package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/pkg/errors"
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

// contextReference returns a stage of another file as an image could be called, for
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

// checkContextNames refuses a named context whose name has an equals sign:
// between BuildKit and a frontend that ends the name of an option.
func checkContextNames(opts map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(opts)) {
		name, ok := strings.CutPrefix(key, "context:")
		open := strings.IndexByte(name, '(')
		if !ok || open < 0 || strings.Contains(name[open:], ")") {
			continue
		}
		return errors.Errorf("the name of the named context %s=… has an equals sign, where BuildKit cuts it; write it with colons, as in %s(NAME:VALUE)", name, name[:open])
	}
	return nil
}

// contextAlias returns a name that dockerui accepts in place of a stage's. Settings
// can be written with colons for their equals signs.
func contextAlias(stage string) string {
	stage = strings.ReplaceAll(stage, "=", ":")
	stage = strings.ToLower(strings.TrimPrefix(strings.TrimPrefix(stage, "."), "/"))
	sum := sha256.Sum256([]byte(stage))
	return "stage-of-file-" + hex.EncodeToString(sum[:6])
}
