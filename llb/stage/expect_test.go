package stage

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// What the target is known to need of other files is announced at once; what it does not need, what a variable
// names and what a named context replaces is not.
func TestNeededFilesAreAnnounced(t *testing.T) {
	var announced []string
	files := dockerfile.NewFiles("Dockerfile", []byte(strings.Join([]string{
		"FROM ./base#x AS build", "COPY --from=./copied#x / /", "RUN --mount=from=/mounted,target=/m true",
		"FROM ./unneeded#x AS other",
		"FROM scratch AS late", "COPY --from=./late#x / /",
		"ARG F=./variable", "FROM --after=./gate build", "COPY --from=build / /", "COPY --from=late / /", "COPY --from=./replaced#x / /",
		"ARG F=./variable#x", "COPY --from=$F / /",
	}, "\n")), func(root dockerfile.Root, p string) ([]byte, error) {
		return []byte("FROM scratch AS x\n"), nil
	})
	files.Announce(func(root dockerfile.Root, paths []string) {
		announced = append(announced, fmt.Sprint(int(root), ":", strings.Join(paths, " ")))
	})
	f, err := dockerfile.Parse(files, 0, dockerfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	platforms := NewPlatforms(&ocispecs.Platform{OS: "linux", Architecture: "amd64"}, []ocispecs.Platform{{OS: "linux", Architecture: "amd64"}})
	globals, err := EvaluateGlobals(f, platforms, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Build(f, globals, Options{Platforms: platforms, Replaces: func(name string, _ *ocispecs.Platform) (bool, error) {
		return name == "replaced#x", nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"0:gate base copied late", "1:mounted"}
	slices.Sort(want)
	got := slices.Sorted(slices.Values(announced))
	if len(got) != 2 || strings.Join(sorted(got[0]), " ") != strings.Join(sorted(want[0]), " ") || got[1] != want[1] {
		t.Errorf("announced are %q, want %q", got, want)
	}
}

func sorted(line string) []string { return slices.Sorted(strings.FieldsSeq(line)) }
