package stage

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/containerd/platforms"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// UnitKey tells units apart. Keys compare with ==, and print.
type UnitKey struct {
	File     string // its name
	Context  string // empty for the main build context
	Args     string // NAME=VALUE,NAME=VALUE; empty for the client's alone
	Platform string // empty for the build's
}

func (k UnitKey) String() string {
	s := k.File
	if k.Context != "" {
		s += "{" + k.Context + "}"
	}
	return s + suffix(k.Args, k.Platform)
}

// suffix shows arguments and a platform after the name of a stage.
func suffix(args, platform string) string {
	s := ""
	if args != "" {
		s += "(" + args + ")"
	}
	if platform != "" {
		s += "[" + platform + "]"
	}
	return s
}

// Settings are what a reference sets for the stage that it names, and for all
// that this is made from. The zero value sets nothing.
type Settings struct {
	Args     []Var              // sorted by name
	Platform *ocispecs.Platform // nil for the build's
}

// Empty reports whether nothing is set.
func (s Settings) Empty() bool { return len(s.Args) == 0 && s.Platform == nil }

// with returns s with what more sets in addition, or instead.
func (s Settings) with(more Settings) Settings {
	merged := Settings{Args: s.Args, Platform: cmp.Or(more.Platform, s.Platform)}
	if len(more.Args) == 0 {
		return merged
	}
	values := map[string]string{}
	for _, v := range slices.Concat(s.Args, more.Args) {
		values[v.Key] = v.Value
	}
	merged.Args = nil
	for _, key := range slices.Sorted(maps.Keys(values)) {
		merged.Args = append(merged.Args, Var{key, values[key]})
	}
	return merged
}

// args prints the arguments such that other arguments print otherwise.
func (s Settings) args() string {
	list := make([]string, len(s.Args))
	for i, v := range s.Args {
		list[i] = v.Key + "=" + printable(v.Value)
	}
	return strings.Join(list, ",")
}

func (s Settings) platform() string {
	if s.Platform == nil {
		return ""
	}
	return platforms.FormatAll(platforms.Normalize(*s.Platform))
}

// label returns how names of stages show the settings.
func (s Settings) label() string { return suffix(s.args(), s.platform()) }

// maxShown is how long a value can be in a name: a longer one is cut, and a
// checksum tells it from others that begin alike.
const maxShown = 40

// printable returns a value that can stand in a name: in quotes where it has
// characters that mean something there.
func printable(value string) string {
	if len(value) > maxShown {
		sum := sha256.Sum256([]byte(value))
		value = strings.ToValidUTF8(value[:maxShown/2], "") + "…" + hex.EncodeToString(sum[:6])
	}
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-+/:@~…", r)
	}
	if strings.ContainsFunc(value, func(r rune) bool { return !plain(r) }) {
		return strconv.Quote(value)
	}
	return value
}

// buildArgs returns the client's build arguments with those that are set.
func (s Settings) buildArgs(client map[string]string) map[string]string {
	if len(s.Args) == 0 {
		return client
	}
	merged := make(map[string]string, len(client)+len(s.Args))
	maps.Copy(merged, client)
	for _, v := range s.Args {
		merged[v.Key] = v.Value
	}
	return merged
}

// platforms returns those of the build with the target that is set.
func (s Settings) platforms(build Platforms) Platforms {
	if s.Platform == nil {
		return build
	}
	return Platforms{Build: build.Build, Target: *s.Platform}
}
