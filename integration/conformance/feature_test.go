package conformance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/integration/sandbox"
)

// TestLaterStage holds what replaces the error that upstream's TestOutOfOrderStage asserts: the
// Dockerfile of that test builds, and its first stage has what it copies from the stage after it.
func TestLaterStage(t *testing.T) {
	ctx := testContext(t)
	s := sandbox.New(t, sandbox.WithImages("busybox:latest", "alpine:latest"))
	ref, err := s.FrontendRef(ctx)
	if err != nil {
		t.Fatal(err)
	}
	const dockerfile = `# syntax=FRONTEND
FROM busybox AS target
COPY --from=build /d2 /out

FROM alpine AS build
COPY /Dockerfile /d2

FROM target
`
	written := strings.ReplaceAll(dockerfile, "FRONTEND", ref)
	source, out := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(source, "Dockerfile"), []byte(written), 0o644); err != nil {
		t.Fatal(err)
	}
	if printed, err := s.Buildx("build", "--progress=plain", "--output=type=local,dest="+out, source).CombinedOutput(); err != nil {
		t.Fatalf("buildx build: %v\n%s", err, printed)
	}
	copied, err := os.ReadFile(filepath.Join(out, "out"))
	if err != nil {
		t.Fatal(err)
	}
	if string(copied) != written {
		t.Errorf("/out holds %q", copied)
	}
}
