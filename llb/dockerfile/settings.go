package dockerfile

import (
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/pkg/errors"
)

// SetArg is a build argument that FROM --arg gives the stage that it names.
type SetArg struct {
	Name string
	// Value is as it is written: variables are not expanded.
	Value string
}

var argName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// setArgs reads the values of --arg, each NAME=VALUE.
func setArgs(values []string) ([]SetArg, error) {
	var args []SetArg
	for _, v := range values {
		name, value, ok := strings.Cut(v, "=")
		switch {
		case !ok || !argName.MatchString(name):
			return nil, errors.Errorf("--arg=%s: write --arg=NAME=VALUE, with the name of an ARG", v)
		case slices.ContainsFunc(args, func(a SetArg) bool { return a.Name == name }):
			return nil, errors.Errorf("--arg=%s: %s is set twice", v, name)
		}
		if err := checkSetArg(name); err != nil {
			return nil, errors.WithMessagef(err, "--arg=%s", v)
		}
		args = append(args, SetArg{name, value})
	}
	return args, nil
}

// checkSetArg refuses what only a whole build can have.
func checkSetArg(name string) error {
	switch upper := strings.ToUpper(name); {
	case upper == "SOURCE_DATE_EPOCH", strings.HasPrefix(upper, "STAGECRAFT_"),
		strings.HasPrefix(upper, "BUILDKIT_") && !strings.HasPrefix(upper, "BUILDKIT_SBOM_SCAN_"):
		return errors.Errorf("%s is an option of the whole build; give it with --build-arg", name)
	case strings.HasSuffix(upper, "_PROXY"):
		return errors.Errorf("%s reaches the programs of the whole build; give it with --build-arg", name)
	case slices.Contains(platformArgs, name):
		return errors.Errorf("%s follows from the platform; choose that with --target-platform", name)
	}
	return nil
}

var platformArgs = []string{
	"BUILDPLATFORM", "BUILDOS", "BUILDOSVERSION", "BUILDARCH", "BUILDVARIANT",
	"TARGETPLATFORM", "TARGETOS", "TARGETOSVERSION", "TARGETARCH", "TARGETVARIANT", "TARGETSTAGE",
}

// targetPlatform returns the value of --target-platform, empty without the flag.
func targetPlatform(flag *instructions.Flag) (string, error) {
	if flag.IsUsed() && flag.Value == "" {
		return "", errors.New("--target-platform needs a platform, such as linux/arm64 or $BUILDPLATFORM")
	}
	return flag.Value, nil
}

// HasSettings reports whether a FROM or a COPY of the file sets something for
// the stage that it names.
func (f *File) HasSettings() bool {
	for _, s := range f.Stages {
		if len(s.Flags.Args) > 0 || s.Flags.TargetPlatform != "" {
			return true
		}
		if slices.ContainsFunc(s.Instrs, func(in Instruction) bool { return in.Flags.TargetPlatform != "" }) {
			return true
		}
	}
	return false
}
