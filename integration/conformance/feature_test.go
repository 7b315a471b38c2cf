package conformance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/integration/sandbox"
)

// What known-failures.txt lists as features: each Dockerfile below is that of a test which asserts that
// it is refused, or the same with what the feature asks for.

// featureBuild builds a Dockerfile with our image by its syntax line, into a folder, and returns that
// folder, what the client printed and whether the build succeeded.
func featureBuild(t *testing.T, s *sandbox.Sandbox, dockerfile string, args ...string) (out, printed string, ok bool) {
	t.Helper()
	ref, err := s.FrontendRef(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	source, out := t.TempDir(), t.TempDir()
	text := "# syntax=" + ref + "\n" + dockerfile
	if err := os.WriteFile(filepath.Join(source, "Dockerfile"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	args = append([]string{"build", "--progress=plain", "--output=type=local,dest=" + out}, append(args, source)...)
	output, err := s.Buildx(args...).CombinedOutput()
	return out, string(output), err == nil
}

func mustHold(t *testing.T, file, want string) {
	t.Helper()
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s holds %q", filepath.Base(file), got)
	}
}

func TestFeatures(t *testing.T) {
	s := sandbox.New(t, sandbox.WithImages("busybox:latest", "alpine:latest"))

	// TestOutOfOrderStage
	t.Run("LaterStage", func(t *testing.T) {
		out, printed, ok := featureBuild(t, s, `FROM busybox AS target
COPY --from=build /d2 /out

FROM alpine AS build
RUN echo later >/d2

FROM target
`)
		if !ok {
			t.Fatal(printed)
		}
		mustHold(t, filepath.Join(out, "out"), "later\n")
	})

	// TestDockerfileCopyFromArgs
	t.Run("CopyFromVariable", func(t *testing.T) {
		const dockerfile = `ARG FOO
FROM busybox AS one
RUN echo one >/out
FROM busybox AS two
RUN echo two >/out
FROM scratch
COPY --from=$FOO /out /out
`
		out, printed, ok := featureBuild(t, s, dockerfile, "--build-arg=FOO=two")
		if !ok {
			t.Fatal(printed)
		}
		mustHold(t, filepath.Join(out, "out"), "two\n")

		// Unset, as in upstream's test.
		_, printed, ok = featureBuild(t, s, "FROM scratch\nCOPY --from=$FOO . .\n")
		if ok || !strings.Contains(printed, "--from=$FOO: FOO is not set") {
			t.Errorf("FOO is not set, and the client printed:\n%s", printed)
		}
	})

	// TestMountFromError
	t.Run("MountFromVariable", func(t *testing.T) {
		const dockerfile = `FROM busybox AS test
RUN touch /tmp/test

FROM busybox
KIND ttt=test
RUN --mount=from=$ttt,source=/tmp,target=/mnt ls /mnt >/out
`
		out, printed, ok := featureBuild(t, s, strings.Replace(dockerfile, "KIND", "ARG", 1))
		if !ok {
			t.Fatal(printed)
		}
		if listed, err := os.ReadFile(filepath.Join(out, "out")); err != nil || !strings.Contains(string(listed), "test\n") {
			t.Errorf("the mounted folder held %q, %v", listed, err)
		}

		// By ENV, as in upstream's test.
		out, printed, ok = featureBuild(t, s, strings.Replace(dockerfile, "KIND", "ENV", 1))
		if !ok {
			t.Fatal(printed)
		}
		if listed, err := os.ReadFile(filepath.Join(out, "out")); err != nil || !strings.Contains(string(listed), "test\n") {
			t.Errorf("with ENV the mounted folder held %q, %v", listed, err)
		}
	})
}
