package integration

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/stagecraft/stagecraft/integration/sandbox"
)

// nodes are two BuildKit daemons that share a registry, the first one's, and a buildx builder over both: the first
// builds for linux/amd64, the second for linux/arm64.
type nodes struct {
	first, second *sandbox.Sandbox
}

// registryAccess lets the daemon talk to another sandbox's registry.
func registryAccess(host string) sandbox.Option {
	return sandbox.WithBuildkitdTOML(fmt.Sprintf("[registry.%q]\nhttp = true", host))
}

func startNodes(t *testing.T) nodes {
	t.Helper()
	n := nodes{first: sandbox.Shared(t, "scenarios", sandbox.WithImages(scenarioBases...))}
	n.second = sandbox.New(t, sandbox.WithImages("busybox:latest"), registryAccess(n.first.Registry))
	for _, s := range []*sandbox.Sandbox{n.first, n.second} {
		if _, err := s.FrontendRef(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// buildx is a call of buildx with a configuration of its own, whose builder is made of both nodes.
func (n nodes) buildx(t *testing.T) func(args ...string) *exec.Cmd {
	t.Helper()
	config := t.TempDir()
	call := func(args ...string) *exec.Cmd {
		cmd := n.first.Buildx(args...)
		cmd.Env = append(cmd.Env[:len(cmd.Env):len(cmd.Env)], "BUILDX_CONFIG="+config, "BUILDKIT_HOST=")
		return cmd
	}
	for _, args := range [][]string{
		{"create", "--name", "nodes", "--driver", "remote", "--platform", "linux/amd64", "--use", n.first.BuildkitAddr},
		{"create", "--name", "nodes", "--driver", "remote", "--platform", "linux/arm64", "--append", n.second.BuildkitAddr},
	} {
		if out, err := call(args...).CombinedOutput(); err != nil {
			t.Fatalf("buildx %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	return call
}

// A program for each platform, compiled on the node's own, with a gate and a stage of another file. What is said in
// it is different in each run of this test.
func nodesApplication(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	says := fmt.Sprintf("nodes %d", time.Now().UnixNano())
	for file, text := range map[string]string{
		"Dockerfile": `# syntax=stagecraft/stagecraft:1
FROM --platform=$BUILDPLATFORM busybox AS build
ARG TARGETARCH
RUN echo "` + says + ` for $TARGETARCH" > /program
FROM build AS test
RUN grep nodes /program
FROM --after=test scratch AS release
COPY --from=build /program /
COPY --from=./notice/Dockerfile /notice /
`,
		"notice/Dockerfile": "FROM --platform=$BUILDPLATFORM busybox\nRUN echo '" + says + "' > /notice\n",
		"docker-bake.hcl":   "target \"default\" {\n  platforms = [\"linux/amd64\", \"linux/arm64\"]\n  args = { SOURCE_DATE_EPOCH = \"0\" }\n}\n",
	} {
		path := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// pushedDigests returns the digests of the images for each platform that the first node's registry has under a tag.
func (n nodes) pushedDigests(t *testing.T, repository string) map[string]string {
	t.Helper()
	ref, err := name.ParseReference(n.first.Registry+"/"+repository, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	index, err := remote.Index(ref)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	digests := map[string]string{}
	for _, d := range manifest.Manifests {
		if d.Platform.OS != "unknown" { // an attestation
			digests[d.Platform.String()] = d.Digest.String()
		}
	}
	return digests
}

// TestNodes builds the same Bake file on two nodes, each for its platform, and on one for both: the images are the
// same to the byte.
func TestNodes(t *testing.T) {
	t.Parallel()
	n := startNodes(t)
	dir := nodesApplication(t)
	two := n.buildx(t)
	bake := func(call func(...string) *exec.Cmd, repository string) solveLog {
		cmd := call("bake", "--progress=rawjson", "--set=default.output=type=image,push=true,rewrite-timestamp=true,name="+n.first.Registry+"/"+repository)
		cmd.Dir = dir
		return runBuild(t, cmd)
	}
	log := bake(two, "nodes/two")
	for _, want := range []string{"linux/amd64", "linux/arm64"} {
		if !strings.Contains(strings.Join(log.names(), "\n"), "["+want) {
			t.Errorf("no step is for %s: %q", want, log.names())
		}
	}
	bake(n.first.Buildx, "nodes/one")
	onTwo, onOne := n.pushedDigests(t, "nodes/two"), n.pushedDigests(t, "nodes/one")
	if len(onTwo) != 2 || fmt.Sprint(onTwo) != fmt.Sprint(onOne) {
		t.Errorf("two nodes make %v, one makes %v", onTwo, onOne)
	}
}

// TestNodesCache has a node that starts empty take everything from the registry cache that another has filled. A
// gate is not in that cache (docs/scale.md), so the target here has none.
func TestNodesCache(t *testing.T) {
	t.Parallel()
	n := startNodes(t)
	for _, mode := range []string{"min", "max"} {
		t.Run(mode, func(t *testing.T) {
			dir := nodesApplication(t)
			text, err := os.ReadFile(filepath.Join(dir, "Dockerfile"))
			if err != nil {
				t.Fatal(err)
			}
			plain := strings.ReplaceAll(string(text), "--after=test ", "")
			if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(plain), 0o644); err != nil {
				t.Fatal(err)
			}
			cache := n.first.Registry + "/nodes/cache:" + mode
			build(t, n.first, dir, "--platform=linux/amd64", "--cache-to=type=registry,ref="+cache+",mode="+mode)
			log := build(t, n.second, dir, "--platform=linux/amd64", "--cache-from=type=registry,ref="+cache, "--output=type=cacheonly")
			ran := 0
			for _, s := range log.steps() {
				if strings.Contains(s.text, "] RUN ") && !s.Cached {
					ran++
				}
			}
			if ran > 0 || len(log.steps()) == 0 {
				t.Errorf("the empty node ran %d steps:%s", ran, names(log.steps()))
			}
		})
	}
}

// TestClientsAtOnce has 20 clients build the same at the same time: each RUN runs once. Steps count themselves, in a
// cache mount: what a client is told of a step that another client's build ran can look like a run.
func TestClientsAtOnce(t *testing.T) {
	t.Parallel()
	n := startNodes(t)
	dir := t.TempDir()
	id := fmt.Sprintf("clients-at-once-%d", time.Now().UnixNano())
	count := "RUN --mount=type=cache,id=" + id + ",target=/count echo ran >> /count/"
	writeFiles(t, dir, map[string]string{
		"Dockerfile": "# syntax=stagecraft/stagecraft:1\nFROM busybox AS build\n" + count + "build && echo built > /program\n" +
			"FROM build AS test\n" + count + "test && grep built /program\n" +
			"FROM --after=test scratch AS release\nCOPY --from=build /program /\n",
		"count.Dockerfile": "# syntax=stagecraft/stagecraft:1\nFROM busybox AS count\n" +
			"RUN --mount=type=cache,id=" + id + ",target=/count cd /count && wc -l * > /counted\n" +
			"FROM scratch\nCOPY --from=count /counted /\n",
	})
	const clients = 20
	errs := make([]error, clients)
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			if out, err := n.first.Buildx("build", "--progress=plain", "--output=type=cacheonly", dir).CombinedOutput(); err != nil {
				errs[i] = fmt.Errorf("client %d: %w\n%s", i, err, out)
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	build(t, n.first, dir, "--file="+filepath.Join(dir, "count.Dockerfile"), "--output="+out)
	counted, err := os.ReadFile(filepath.Join(out, "counted"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(strings.Fields(string(counted)), " "); got != "1 build 1 test 2 total" {
		t.Errorf("the steps ran so often: %s", got)
	}
}

// TestNodesGates has a node that starts empty build a release with a gate from the cache that another has exported
// with STAGECRAFT_CACHE_GATES=1: nothing runs, and the release's manifest is the same to the byte with the gate and
// without it, with the option and without.
func TestNodesGates(t *testing.T) {
	t.Parallel()
	n := startNodes(t)
	dir := nodesApplication(t)
	cache := n.first.Registry + "/nodes/cache:gates"
	push := func(tag string, args ...string) string {
		args = append(args, "--platform=linux/amd64", "--build-arg=SOURCE_DATE_EPOCH=0",
			"--output=type=image,push=true,rewrite-timestamp=true,name="+n.first.Registry+"/nodes/gates:"+tag)
		build(t, n.first, dir, args...)
		return n.manifest(t, "nodes/gates:"+tag)
	}
	withGates := push("gates", "--provenance=false", "--build-arg=STAGECRAFT_CACHE_GATES=1", "--cache-to=type=registry,ref="+cache+",mode=max")
	withoutOption := push("option", "--provenance=false")
	withProvenance := n.pushedImage(t, push("provenance", "--provenance=mode=min", "--build-arg=STAGECRAFT_CACHE_GATES=1"), "nodes/gates:provenance")
	log := build(t, n.second, dir, "--platform=linux/amd64", "--build-arg=SOURCE_DATE_EPOCH=0", "--cache-from=type=registry,ref="+cache, "--output=type=cacheonly")
	stages := strings.Join(log.stages(), " ")
	for _, s := range log.steps() {
		if strings.Contains(s.text, "] RUN ") && !s.Cached {
			t.Errorf("the empty node ran %s", s.text)
		}
	}
	if !strings.Contains(stages, "test") {
		t.Errorf("the gate is not among the stages %s", stages)
	}
	text, err := os.ReadFile(filepath.Join(dir, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(strings.ReplaceAll(string(text), "--after=test ", "")), 0o644); err != nil {
		t.Fatal(err)
	}
	withoutGates := push("plain", "--provenance=false")
	if withGates != withoutOption || withGates != withoutGates || withGates != withProvenance {
		t.Errorf("the release is %s with its gate in the cache, %s without the option, %s without the gate, %s with provenance",
			withGates, withoutOption, withoutGates, withProvenance)
	}
}

// manifest returns the digest of what the first node's registry has under a tag.
func (n nodes) manifest(t *testing.T, repository string) string {
	t.Helper()
	ref, err := name.ParseReference(n.first.Registry+"/"+repository, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	found, err := remote.Head(ref)
	if err != nil {
		t.Fatal(err)
	}
	return found.Digest.String()
}

// pushedImage returns the digest of the only image of the index that has the given digest.
func (n nodes) pushedImage(t *testing.T, index, repository string) string {
	t.Helper()
	digests := n.pushedDigests(t, repository)
	if len(digests) != 1 {
		t.Fatalf("%s has the images %v", index, digests)
	}
	return digests["linux/amd64"]
}

// TestNodesDigests asks two nodes, of which the second starts empty, for the digests of one checkout at two places and
// with two times of its files: the answers are the same to the byte.
func TestNodesDigests(t *testing.T) {
	t.Parallel()
	n := startNodes(t)
	dir := nodesApplication(t)
	other := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.CopyFS(other, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-1000 * time.Hour)
	if err := os.Chtimes(filepath.Join(other, "notice", "Dockerfile"), long, long); err != nil {
		t.Fatal(err)
	}
	var answers []string
	for _, ask := range []struct {
		node *sandbox.Sandbox
		dir  string
	}{{n.first, dir}, {n.second, other}} {
		var stderr bytes.Buffer
		cmd := ask.node.Buildx("build", "--call=digests,format=json", "--platform=linux/amd64", ask.dir)
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v\n%s", err, stderr.String())
		}
		answers = append(answers, string(out))
	}
	if answers[0] != answers[1] || !strings.Contains(answers[0], "notice/Dockerfile") {
		t.Errorf("one node answers\n%s\nthe other\n%s", answers[0], answers[1])
	}
}
