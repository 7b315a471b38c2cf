package conformance

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stagecraft/stagecraft/integration/images"
	"github.com/stagecraft/stagecraft/integration/sandbox/enclosure"
	"github.com/stagecraft/stagecraft/integration/tools"
)

var (
	//go:embed room.sh
	roomScript string
	//go:embed daemon.sh
	daemonScript string
	// The network that upstream's CI gives to containers, less the rewriting of addresses on the way
	// out: from an enclosure there is none.
	//go:embed cni.json
	cniConfig string
)

// atOnce is how many tests run at a time, each with a daemon of its own. They compute as much as they
// wait: on 2 cores that did nothing else, all tests took 87 s with 4 and 81 s with 6 at once, and more
// daemons make it likelier that a test runs into a time limit.
const atOnce = 4

// A harness is everything that all runs share.
type harness struct {
	suite   string            // folder of the compiled test binary and upstream's frontend
	cni     string            // folder of the CNI plugins
	engines map[string]string // the path of each engine, by its name
	source  string            // folder of the tests' source, where go test would run them
	set     *images.Set       // the base images that the tests name
	images  map[string]string // their digests, by name
	log     func(format string, args ...any)
}

// newHarness compiles and collects what runs need, all of it in the cache.
func newHarness(ctx context.Context, log func(string, ...any)) (h *harness, err error) {
	h = &harness{engines: map[string]string{}, images: map[string]string{}, log: log}
	for _, tool := range []string{"buildkitd", "buildctl", "buildkit-runc", "runc", "registry", "containerd", "containerd-shim-runc-v2"} {
		if h.engines[tool], err = tools.Bin(ctx, tool); err != nil {
			return nil, err
		}
	}
	// The tests make git repositories and start an SSH agent; the room is furnished with the others.
	if err := tools.Debian(ctx, "git", "openssh-client", "util-linux", "mount"); err != nil {
		return nil, err
	}
	if h.suite, err = suiteModule.compiled(ctx); err != nil {
		return nil, err
	}
	if h.cni, err = cniModule.compiled(ctx); err != nil {
		return nil, err
	}
	if h.source, err = suiteModule.list(ctx, "{{.Dir}}", "github.com/moby/buildkit/frontend/dockerfile"); err != nil {
		return nil, err
	}
	if err := h.seed(ctx); err != nil {
		return nil, fmt.Errorf("base images: %w", err)
	}
	return h, nil
}

// A subject is a frontend image under test.
type subject struct {
	name    string // for messages
	archive string // OCI archive of the image
	daemon  string // a buildkitd whose dockerfile.v0 is the same frontend
}

// A pass is one start of upstream's test binary.
type pass struct {
	// Selects the tests, as -test.run does.
	pattern string
	// Whether the daemon's own dockerfile.v0 is on, in the daemon that the subject brings. Some tests ask
	// for it by that name; all others run without, so that what passes is the image's work.
	builtin bool
	// Run the tests as upstream does where no image is under test.
	direct bool
	atOnce int
}

// run makes one pass with one image and returns what each test did. That tests fail is no error; that
// the test binary did not get to its end is. The function ended, unless nil, is called after each test.
func (h *harness) run(ctx context.Context, s subject, p pass, ended func(string, *Result)) (_ Results, err error) {
	room, err := enclosure.New(ctx, enclosure.PrivateNetwork())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, room.Close()) }()
	at := func(name string) string { return filepath.Join(room.Dir, name) }
	err = errors.Join(os.Mkdir(at("t"), 0o755), os.Mkdir(at("bin"), 0o755), h.writeMirror(ctx, at("mirror")),
		os.WriteFile(at("room.sh"), []byte(roomScript), 0o755),
		os.WriteFile(at("bin/buildkitd"), []byte(daemonScript), 0o755),
		os.WriteFile(at("cni.json"), []byte(strings.ReplaceAll(cniConfig, "ADDRESSES", at("addresses"))), 0o644))
	if err != nil {
		return nil, err
	}
	tools.Scatter(at("t")) // each test has a folder in it
	program, err := room.Start(h.program(room.Dir, s, p))
	if err != nil {
		return nil, err
	}
	return observe(ctx, program, ended)
}

// program is the start of upstream's test binary in the enclosure at dir.
func (h *harness) program(dir string, s subject, p pass) enclosure.Program {
	at := func(name string) string { return filepath.Join(dir, name) }
	// A short name: sockets below it must not exceed 107 bytes.
	inside := at("t")
	daemon := h.engines["buildkitd"]
	if p.builtin {
		daemon = s.daemon
	}
	path := []string{at("bin")}
	for _, name := range sortedKeys(h.engines) {
		if engines := filepath.Dir(h.engines[name]); name != "buildkitd" && !slices.Contains(path, engines) {
			path = append(path, engines)
		}
	}
	path = append(path, "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
	env := []string{
		"PATH=" + strings.Join(path, ":"),
		"HOME=" + filepath.Join(inside, "home"),
		"TMPDIR=" + inside,
		"GIT_CONFIG_NOSYSTEM=1",
		"GOGC=" + os.Getenv("GOGC"),
		// Upstream lets as many daemons run at once as this says, whatever -test.parallel is.
		fmt.Sprint("GOMAXPROCS=", p.atOnce),
		// The cgroup root that it would arrange is the room's.
		"BUILDKIT_SETUP_CGROUPV2_ROOT=1",
		"BUILDKIT_RUN_NETWORK_INTEGRATION_TESTS=1",
		"BUILDKIT_CNI_INIT_LOCK_PATH=" + at("cni.lock"),
		"BUILDKIT_REGISTRY_MIRROR_DIR=" + filepath.Join(inside, "mirror"),
		"CONFORMANCE_MIRROR=" + at("mirror"),
		"CONFORMANCE_BUILDKITD=" + daemon,
		"CONFORMANCE_BUILTIN=" + fmt.Sprint(p.builtin),
		"CONFORMANCE_CNI_CONFIG=" + at("cni.json"),
		"CONFORMANCE_CNI_BIN=" + h.cni,
	}
	if !p.direct {
		env = append(env, "FRONTEND_GATEWAY_ONLY=local:"+s.archive)
	}
	return enclosure.Program{
		Name: "tests",
		Path: "/bin/sh",
		Args: []string{at("room.sh"), "enter", filepath.Base(dir), inside,
			filepath.Join(h.suite, "dockerfile.test"), "-test.v=test2json", "-test.timeout=20m",
			fmt.Sprint("-test.parallel=", p.atOnce), "-test.run=" + p.pattern},
		Env: env,
		Dir: h.source,
	}
}

// observe reads the output of a test binary through test2json until it ends.
func observe(ctx context.Context, program *enclosure.Process, ended func(string, *Result)) (Results, error) {
	log, err := os.Open(program.Log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	said := &follower{file: log, ctx: ctx, done: program.Done()}
	// It is not killed when ctx ends: its input ends then, and it tidies up after itself.
	events := exec.Command("go", "tool", "test2json", "-t")
	events.Stdin, events.Stderr = said, os.Stderr
	out, err := events.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := events.Start(); err != nil {
		return nil, err
	}
	results, err := parseResults(out, ended)
	// Whatever else is wrong, a test2json that is not read to its end would not end.
	_, _ = io.Copy(io.Discard, out)
	err = errors.Join(err, events.Wait())
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, err
	}
	status, err := program.Wait(ctx)
	if err != nil {
		return nil, err
	}
	// 1 is a test binary's status where tests fail; anything else is a crash, or the room's own error.
	if status != 0 && status != 1 || len(results) == 0 {
		return nil, fmt.Errorf("upstream's test binary ended with status %d after %d tests:\n%s", status, len(results), said.tail)
	}
	return results, nil
}

// runTwice makes a pass, and then another in which those tests run once more, one after the other,
// that unmet names: only what fails both times counts as failed.
func (h *harness) runTwice(ctx context.Context, s subject, p pass, unmet func(Results) []string) (Results, error) {
	start, count := time.Now(), 0
	results, err := h.run(ctx, s, p, func(name string, _ *Result) {
		if name != unit(name) {
			return
		}
		if count++; count%100 == 0 {
			h.log("%s: %d tests in %.0f s", s.name, count, time.Since(start).Seconds())
		}
	})
	if err != nil {
		return nil, err
	}
	h.log("%s: %d tests in %.0f s", s.name, count, time.Since(start).Seconds())
	names := unmet(results)
	if len(names) == 0 {
		return results, nil
	}
	var shorts []string
	for _, name := range names {
		shorts = append(shorts, short(name))
	}
	h.log("%s: %d failed and run once more, one at a time: %s", s.name, len(names), strings.Join(shorts, " "))
	again, err := h.run(ctx, s, pass{pattern: only(names), builtin: p.builtin, direct: p.direct, atOnce: 1}, nil)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if again[name] == nil {
			return nil, fmt.Errorf("%s did not run again: the pattern %s does not select it", short(name), only(names))
		}
	}
	for name, second := range again {
		if unit(name) != "" {
			second.Retried = true
			results[name] = second
		}
	}
	var rest []string
	for _, name := range unmet(results) {
		rest = append(rest, short(name))
	}
	h.log("%s: %d of them failed again: %s", s.name, len(rest), strings.Join(rest, " "))
	return results, nil
}

// follower reads a log that is still being written, until the program that writes it has ended.
type follower struct {
	file *os.File
	ctx  context.Context //nolint:containedctx // io.Reader has no other way to be cancelled
	done <-chan struct{}
	tail string // the end of what was read, for messages
}

func (f *follower) Read(p []byte) (int, error) {
	for ended := false; ; {
		n, err := f.file.Read(p)
		if n > 0 {
			f.tail += string(p[:n])
			f.tail = f.tail[max(0, len(f.tail)-4096):]
			return n, nil
		}
		if err != nil && err != io.EOF {
			return 0, err
		}
		if ended {
			return 0, io.EOF
		}
		select {
		case <-f.ctx.Done():
			return 0, context.Cause(f.ctx)
		case <-f.done:
			ended = true // once more: it may have written since
		case <-time.After(100 * time.Millisecond):
		}
	}
}
