package llb_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/llbtest"
)

// corpus are the Dockerfiles of the folder that STAGECRAFT_CORPUS names, or
// our own.
func corpus(t testing.TB) []llbtest.File {
	t.Helper()
	dir := os.Getenv("STAGECRAFT_CORPUS")
	if dir == "" {
		dir = filepath.Join("testdata", "corpus")
	}
	files, err := llbtest.Corpus(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("no Dockerfiles in %s", dir)
	}
	return files
}

// variant is a request of the matrix in which each file of a corpus is built.
type variant struct {
	name string
	llbtest.Request
}

// variants are all combinations of target, platform, cache and build
// arguments, and some settings of the client one at a time. The first is the
// plain build.
func variants(f llbtest.File) []variant {
	targets, args := declared(f.Dockerfile)
	var all []variant
	add := func(target, platform string, noCache bool, values argValues) {
		if values.of != nil && len(args) == 0 {
			return
		}
		opts := map[string]string{"platform": platform}
		if target != "" {
			opts["target"] = target
		}
		if noCache {
			opts["no-cache"] = ""
		}
		for _, arg := range args {
			if values.of != nil {
				opts["build-arg:"+arg] = values.of(arg)
			}
		}
		name := fmt.Sprintf("target=%q platform=%s no-cache=%v %s", target, platform, noCache, values.name)
		all = append(all, variant{name, f.With(opts)})
	}
	combine := func(target string, values ...argValues) {
		for _, platform := range []string{"linux/amd64", "linux/arm64", both} {
			for _, values := range values {
				add(target, platform, false, values)
				add(target, platform, true, values)
			}
		}
	}
	combine("", noArgs, versions, oddArgs)
	for _, target := range targets {
		combine(target, noArgs, versions)
		add(target, both, false, oddArgs)
	}
	for _, c := range clients {
		v := variant{c.name, f.With(c.opts)}
		v.OldDaemon = c.oldDaemon
		all = append(all, v)
	}
	if len(targets) > 0 {
		all = append(all, variant{"no-cache-filter", f.With(map[string]string{"no-cache": strings.Join(targets[:1+len(targets)/2], ",")})})
		all = append(all, variant{"sbom", f.With(map[string]string{
			"build-arg:BUILDKIT_SBOM_SCAN_STAGE":   strings.Join(targets[len(targets)/2:], ","),
			"build-arg:BUILDKIT_SBOM_SCAN_CONTEXT": "1",
		})})
	}
	return all
}

// turn is what a file's parity is tested with of its variants: with -short, a
// part of them.
func turn(f llbtest.File, all []variant) []variant {
	if testing.Short() {
		return llbtest.Turn(f, all)
	}
	return all
}

// declared are the names of stages and of args in a Dockerfile.
func declared(data []byte) (stages, args []string) {
	f, err := dockerfile.Parse(dockerfile.NewFiles("Dockerfile", data, nil), 0, dockerfile.Options{})
	if err != nil {
		return nil, nil // the plain build compares the errors
	}
	for _, a := range f.Args {
		args = append(args, argNames(a.ArgCommand)...)
	}
	for _, s := range f.Stages {
		if s.Name != "" {
			stages = append(stages, s.Name)
		}
		for _, in := range s.Instrs {
			args = append(args, argNames(in.Command)...)
		}
	}
	slices.Sort(args)
	return stages, slices.Compact(args)
}

func argNames(c any) []string {
	arg, ok := c.(*instructions.ArgCommand)
	if !ok {
		return nil
	}
	var names []string
	for _, kv := range arg.Args {
		names = append(names, kv.Key)
	}
	return names
}

const both = "linux/amd64,linux/arm64"

// argValues is a way to give the build arguments; none without a function.
type argValues struct {
	name string
	of   func(arg string) string
}

var (
	noArgs   = argValues{"no args", nil}
	versions = argValues{"versions", func(string) string { return "1.2.3" }}
	oddArgs  = argValues{"odd args", func(arg string) string {
		odd := []string{"", "a b", `"quoted"`, "$HOME ${X}", "/opt/x/", "alpine", "0", "x=y", "ünï", "linux/arm64"}
		n := 0
		for _, c := range arg {
			n += int(c)
		}
		return odd[n%len(odd)]
	}}
)

// clients are settings of the client that reach all operations.
var clients = []struct {
	name      string
	opts      map[string]string
	oldDaemon bool
}{
	{name: "no platform"},
	{name: "one of several platforms", opts: map[string]string{"platform": "linux/arm64/v8", "multi-platform": "true"}},
	{name: "windows", opts: map[string]string{"platform": "windows/amd64"}},
	{name: "old daemon", oldDaemon: true, opts: limits},
	{name: "limits", opts: limits},
	{name: "settings", opts: map[string]string{
		"label:a": "1", "label:org.opencontainers.image.title": "t",
		"image-resolve-mode":                "pull",
		"force-network-mode":                "host",
		"build-arg:HTTP_PROXY":              "http://proxy",
		"build-arg:no_proxy":                "localhost",
		"build-arg:SOURCE_DATE_EPOCH":       "1234567890",
		"build-arg:BUILDKIT_CACHE_MOUNT_NS": "ns",
	}},
	{name: "all checks as errors", opts: map[string]string{"build-arg:BUILDKIT_DOCKERFILE_CHECK": "experimental=all;error=true"}},
	{name: "all checks", opts: map[string]string{"build-arg:BUILDKIT_DOCKERFILE_CHECK": "experimental=all"}},
}

var limits = map[string]string{
	"add-hosts": "db=10.0.0.1,cache=10.0.0.2",
	"ulimit":    "nofile=1024:2048",
	"shm-size":  "67108864",
	"memory":    "1073741824", "cpushares": "512", "cpusetcpus": "0-1",
	"cgroup-parent": "builds",
	"hostname":      "builder",
}

// score counts the files of a run.
type score struct {
	mu                                           sync.Mutex
	files, upstream, identical, differ, addition int
}

func (s *score) add(n *int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*n++
}

func TestParity(t *testing.T) {
	var s score
	t.Run("corpus", func(t *testing.T) {
		for _, f := range corpus(t) {
			t.Run(f.Name, func(t *testing.T) {
				t.Parallel()
				s.add(&s.files)
				compareFile(t, &s, f)
			})
		}
	})
	if !llbtest.Oracle {
		fmt.Println("parity: upstream has data races of its own; with the race detector only our compiler runs")
		return
	}
	if s.addition > 0 {
		fmt.Printf("parity: %d files use what only Stagecraft knows\n", s.addition)
	}
	fmt.Printf("parity: %d files, %d accepted upstream, %d identical, %d differ\n", s.files, s.upstream, s.identical, s.differ)
}

func compareFile(t *testing.T, s *score, f llbtest.File) {
	addition := ""
	for i, v := range turn(f, variants(f)) {
		upstream := llbtest.Upstream(t.Context(), v.Request)
		if i == 0 && upstream.Err == nil {
			s.add(&s.upstream)
		}
		diff, allowed := compare(t.Context(), v.Request, upstream)
		if diff != "" {
			s.add(&s.differ)
			t.Errorf("%s\n%s", v.name, diff)
			return
		}
		if allowed != "" {
			addition = allowed
		}
	}
	if addition != "" {
		t.Logf("accepted here alone: %s", addition)
		s.add(&s.addition)
		return
	}
	s.add(&s.identical)
}

// compare runs a request through our compiler and compares. Upstream orders
// some things by chance: then it is enough to be like one of several runs. A
// file that only we accept must use an addition, which is returned.
func compare(ctx context.Context, r llbtest.Request, upstream llbtest.Outcome) (diff, addition string) {
	ours := llbtest.Ours(ctx, r)
	diff = llbtest.Diff(r, upstream, ours)
	for range 100 {
		if diff == "" {
			return "", ""
		}
		if upstream.Err != nil && ours.Err != nil && ours.Panic == "" && llbtest.Forward(r) {
			return "", "reference to a later stage"
		}
		// Ours may still reject such a file, for what upstream did not get to.
		if a := llbtest.Addition(r, upstream.Err); a != "" && ours.Panic == "" {
			return "", a
		}
		upstream = llbtest.Upstream(ctx, r)
		diff = llbtest.Diff(r, upstream, ours)
	}
	if !rejected(upstream.Err, ours.Err) || ours.Panic != "" {
		return diff, ""
	}
	// Which of several mistakes is reported is chance there, but it must be one that can be.
	for _, r := range llbtest.Orders(ctx, r) {
		upstream := llbtest.Upstream(ctx, r)
		if unlike := llbtest.Diff(r, upstream, ours); unlike == "" || otherFile(upstream.Err, ours.Err) {
			return "", ""
		}
	}
	return diff, ""
}

func rejected(upstream, ours error) bool { return upstream != nil && ours != nil }

// otherFile says that ours is about a stage of another file, which upstream
// takes for a malformed reference like the one that it reports.
func otherFile(upstream, ours error) bool {
	return rejected(upstream, ours) && strings.HasPrefix(ours.Error(), "cannot take a stage from ") &&
		strings.HasPrefix(upstream.Error(), `failed to parse stage name "`)
}
