package integration

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stagecraft/stagecraft/integration/sandbox"
)

// killsVariable is how often TestKilledDaemon kills the daemon.
const killsVariable = "STAGECRAFT_KILLS"

// TestKilledDaemon kills the daemon at a random moment of a build with gates, a stage of another file and a build
// context, starts it again on what it left, and builds: that succeeds, and the image is the same each time.
func TestKilledDaemon(t *testing.T) {
	t.Parallel()
	kills := 3
	if text := os.Getenv(killsVariable); text != "" {
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s: %v", killsVariable, err)
		}
	}
	s := sandbox.New(t, sandbox.WithImages("busybox:latest"))
	if _, err := s.FrontendRef(t.Context()); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(round int) {
		t.Helper()
		for file, text := range map[string]string{
			"Dockerfile": `# syntax=stagecraft/stagecraft:1
FROM busybox AS build
COPY round /round
RUN sleep 0.3; echo built > /program
FROM build AS test
RUN sleep 0.5; grep built /program
FROM busybox AS lint
COPY round /round
RUN sleep 0.4
FROM --after=test,lint scratch
COPY --from=build /program /
COPY --from=./notice/Dockerfile /notice /
`,
			"notice/Dockerfile": "FROM busybox\nCOPY round /round\nRUN sleep 0.2; echo notice > /notice\n",
			"round":             fmt.Sprint(round), // so that each round has something to do
		} {
			path := filepath.Join(dir, file)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	args := func(tag string) []string {
		return []string{"build", "--progress=plain", "--provenance=false", "--build-arg=SOURCE_DATE_EPOCH=0",
			"--output=type=image,push=true,rewrite-timestamp=true,name=" + s.Registry + "/faults:" + tag, dir}
	}
	digests := map[string]bool{}
	for round := range kills {
		write(round)
		var interrupted bytes.Buffer
		cmd := s.Buildx(args("interrupted")...)
		cmd.Stdout, cmd.Stderr = &interrupted, &interrupted
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		after := time.Duration(rand.IntN(2500)) * time.Millisecond
		time.Sleep(after)
		if err := s.KillBuildkitd(t.Context()); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it may have been done already
		if err := s.StartBuildkitd(t.Context()); err != nil {
			t.Fatalf("killed after %v, the daemon does not start again: %v", after, err)
		}
		if out, err := s.Buildx(args("again")...).CombinedOutput(); err != nil {
			t.Fatalf("killed after %v, the next build gives %v\n%s\nthe killed one wrote\n%s", after, err, out, interrupted.String())
		}
		digests[(nodes{first: s}).manifest(t, "faults:again")] = true
	}
	if len(digests) != 1 {
		var all []string
		for d := range digests {
			all = append(all, d)
		}
		t.Errorf("%d builds made %d images: %s", kills, len(digests), strings.Join(all, " "))
	}
}
