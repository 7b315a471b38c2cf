package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stagecraft/stagecraft/integration/sandbox"
	"github.com/stagecraft/stagecraft/integration/tools"
)

// Environment variables that change what TestConformance does.
const (
	// An OCI archive of the image to test in place of ours, for example an earlier version of it.
	archiveVariable = "STAGECRAFT_FRONTEND_ARCHIVE"
	// A regular expression for the names of the tests to run, as known-failures.txt has them. The
	// verdict is then about these only.
	selectVariable = "STAGECRAFT_CONFORMANCE_RUN"
)

// testContext ends with the test, and also on the first interrupt, so that a run which is stopped by
// hand ends in order.
func testContext(t *testing.T) context.Context {
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM)
	t.Cleanup(stop)
	return ctx
}

// TestConformance runs upstream's own integration tests against our image. What upstream's own image
// passes in the same harness on the same machine, ours has to pass, but for known-failures.txt.
func TestConformance(t *testing.T) {
	start := time.Now()
	ctx := testContext(t)
	selected, err := regexp.Compile(os.Getenv(selectVariable))
	if err != nil {
		t.Fatalf("%s: %v", selectVariable, err)
	}
	text, err := os.ReadFile(knownFile)
	if err != nil {
		t.Fatal(err)
	}
	known, err := parseKnown(string(text))
	if err != nil {
		t.Fatal(err)
	}
	root, err := tools.Root()
	if err != nil {
		t.Fatal(err)
	}
	// Not fatal: the counts are worth having all the same.
	if err := checkFeatures(known, root); err != nil {
		t.Error(err)
	}

	archive := os.Getenv(archiveVariable)
	if archive == "" {
		if archive, err = sandbox.FrontendArchive(ctx); err != nil {
			t.Fatal(err)
		}
	} else if archive, err = filepath.Abs(archive); err != nil {
		t.Fatal(err)
	}
	daemon, err := ownDaemon(ctx)
	if err != nil {
		t.Fatal(err)
	}
	h, err := newHarness(ctx, t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("base images: %s", h.set.Origin())
	baseline, err := h.baseline(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, unknown := checkPinned(baseline, pinned()); unknown != nil {
		t.Error(unknown)
	}
	ours, err := h.measureLike(ctx, subject{name: "ours", archive: archive, daemon: daemon}, baseline, selected, known)
	if err != nil {
		t.Fatal(err)
	}

	v := judge(baseline, ours, known, selected)
	if v.Of == 0 {
		t.Fatalf("upstream's own frontend passes none of the tests that match %q", selected)
	}
	failed, skipped := rest(baseline)
	fmt.Printf("conformance: upstream's own image here: %d fail (%s), %d skip themselves (%s)\n",
		len(failed), strings.Join(failed, " "), len(skipped), strings.Join(skipped, " "))
	for _, s := range v.Shortfalls {
		reason := "NOT LISTED"
		if s.Known != nil {
			reason = "known: " + s.Known.Reason
		}
		fmt.Printf("conformance: falls short: %s: %s\n", s.Name, reason)
	}
	if dir, err := keepOutputs(v); err != nil {
		t.Error(err)
	} else if len(v.Shortfalls) > 0 {
		fmt.Printf("conformance: what they printed is in %s\n", dir)
	}
	for _, complaint := range v.Complaints {
		t.Error(complaint)
	}
	fmt.Printf("conformance: %d passed of %d that upstream's own gateway frontend passes"+
		" (%d of them ask the daemon for dockerfile.v0, which was ours as well; for all others it was off; %.0f s)\n",
		v.Passed, v.Of, v.WithBuiltin, time.Since(start).Seconds())
}

// keepOutputs writes what the tests printed that fall short, one file each, into a folder of the cache
// that holds only those of the last run, and returns the folder.
func keepOutputs(v Verdict) (string, error) {
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "last")
	if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o755)); err != nil {
		return "", err
	}
	for _, s := range v.Shortfalls {
		file := regexp.MustCompile(`[^\w.=#-]+`).ReplaceAllString(s.Name, "_") + ".log"
		if err := os.WriteFile(filepath.Join(dir, file), []byte(s.Output), 0o644); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// TestOwnCompiler proves that what passes is ours: our frontend's program contains no part of
// upstream's compiler, so all that it could do is ask the daemon, whose own frontend is off.
func TestOwnCompiler(t *testing.T) {
	root, err := tools.Root()
	if err != nil {
		t.Fatal(err)
	}
	// With the build tags of the image: they decide which files count.
	dockerfile, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	tags := regexp.MustCompile(`-tags=[\w,]+`).Find(dockerfile)
	if tags == nil {
		t.Fatal("the Dockerfile of our image names no build tags")
	}
	deps := func(dir, pkg string) []string {
		cmd := exec.CommandContext(testContext(t), "go", "list", "-mod=readonly", "-deps", string(tags), pkg)
		cmd.Dir = dir
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list -deps %s: %v", pkg, err)
		}
		return strings.Fields(string(out))
	}
	foreign := []string{
		"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb",
		"github.com/moby/buildkit/frontend/dockerfile/builder",
	}
	// Upstream's own command has both: the check would see them.
	theirs := deps("suite", "github.com/moby/buildkit/frontend/dockerfile/cmd/dockerfile-frontend")
	ours := deps(root, "./frontend/cmd/stagecraft-frontend")
	for _, pkg := range foreign {
		if !slices.Contains(theirs, pkg) {
			t.Errorf("upstream's builder does not depend on %s: has it moved?", pkg)
		}
		if slices.Contains(ours, pkg) {
			t.Errorf("frontend/cmd/stagecraft-frontend depends on %s", pkg)
		}
	}
}

// TestBuiltin proves what the daemons of our image's run have for dockerfile.v0: nothing where it is
// off, and our frontend, with none of upstream's compiler, where it is on.
func TestBuiltin(t *testing.T) {
	ctx := testContext(t)
	daemon, err := ownDaemon(ctx)
	if err != nil {
		t.Fatal(err)
	}
	h, err := newHarness(ctx, t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	// A program keeps the names of its functions, for tracebacks, even when it is stripped.
	const compiler, ours = "github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb.", "github.com/stagecraft/stagecraft/frontend.Build"
	for program, want := range map[string]struct{ compiler, ours bool }{
		daemon: {ours: true}, h.engines["buildkitd"]: {compiler: true},
	} {
		text, err := os.ReadFile(program)
		if err != nil {
			t.Fatal(err)
		}
		if got := bytes.Contains(text, []byte(compiler)); got != want.compiler {
			t.Errorf("%s contains upstream's compiler: %v", program, got)
		}
		if got := bytes.Contains(text, []byte(ours)); got != want.ours {
			t.Errorf("%s contains our frontend: %v", program, got)
		}
	}

	const name = "TestIntegration/TestEmptyDestDir/worker=oci/frontend=builtin"
	for _, on := range []bool{true, false} {
		p := pass{pattern: only([]string{name}), builtin: on, direct: true, atOnce: 1}
		results, err := h.run(ctx, subject{name: "dockerfile.v0", daemon: daemon}, p, nil)
		if err != nil {
			t.Fatal(err)
		}
		result := results[name]
		if result == nil {
			t.Fatalf("%s did not run", name)
		}
		switch {
		case on && result.Outcome != Passed:
			t.Errorf("with dockerfile.v0 on: %s\n%s", result.Outcome, result.Output)
		case !on && (result.Outcome != Failed || !strings.Contains(result.Output, needsBuiltin)):
			t.Errorf("with dockerfile.v0 off: %s\n%s", result.Outcome, result.Output)
		}
	}
}

// TestInterrupted stops a run in its middle and looks for what it leaves.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(testContext(t))
	h, err := newHarness(ctx, t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(t.TempDir(), "upstream.tar")
	if err := packFrontend(filepath.Join(h.suite, "dockerfile-frontend"), archive, upstreamLabels); err != nil {
		t.Fatal(err)
	}
	// The run's folder is below this one, so that what is left can be told from that of others.
	base, err := os.MkdirTemp("", "sc")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(base)
	t.Setenv("TMPDIR", base)

	stopped := errors.New("stopped by the test")
	started := time.AfterFunc(time.Minute, func() { cancel(errors.New("no daemon within a minute")) })
	go func() {
		// A run is in its middle once a daemon of its own has containers or snapshots.
		for ctx.Err() == nil {
			if found := processesNaming(base, "buildkitd.sock"); len(found) > 0 {
				started.Stop()
				time.Sleep(500 * time.Millisecond)
				cancel(stopped)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
	_, err = h.run(ctx, subject{name: "interrupted", archive: archive}, pass{pattern: everything, atOnce: 2}, nil)
	if !errors.Is(err, stopped) {
		t.Fatalf("the run ended with %v", err)
	}
	if left := processesNaming(base, ""); len(left) > 0 {
		t.Errorf("processes are left: %q", left)
	}
	if left, _ := os.ReadDir(base); len(left) > 0 {
		t.Errorf("folders are left: %v", left)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(mounts, []byte(base)) {
		t.Errorf("mounts are left:\n%s", mounts)
	}
}

// processesNaming lists the command lines of processes that contain both texts.
func processesNaming(one, other string) []string {
	var found []string
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		line, err := os.ReadFile(file)
		if text := strings.ReplaceAll(string(line), "\x00", " "); err == nil && strings.Contains(text, one) && strings.Contains(text, other) {
			found = append(found, text)
		}
	}
	return found
}
