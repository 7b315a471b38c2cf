package frontend

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stagecraft/stagecraft/llb/llbtest"
)

// settings are what clients ask of a frontend besides the compilation.
var settings = []struct {
	name  string
	opts  map[string]string
	files map[string]map[string]string
}{
	{name: "plain"},
	{name: "platforms", opts: map[string]string{"platform": "linux/amd64,linux/arm64"}},
	{name: "one of several platforms", opts: map[string]string{"platform": "linux/arm64/v8", "multi-platform": "true"}},
	{name: "windows", opts: map[string]string{"platform": "windows/amd64"}},
	{name: "malformed platform", opts: map[string]string{"platform": "a/b/c/d"}},
	{name: "settings", opts: map[string]string{
		"label:a": "1", "build-arg:HTTP_PROXY": "http://proxy", "build-arg:SOURCE_DATE_EPOCH": "1700000000",
		"hostname": "h", "add-hosts": "db=10.0.0.1", "ulimit": "nofile=1:2", "shm-size": "65536", "memory": "1073741824",
		"cgroup-parent": "g", "force-network-mode": "host", "image-resolve-mode": "pull", "no-cache": "",
		"cache-imports": `[{"Type":"registry","Attrs":{"ref":"example.com/cache"}}]`,
	}},
	{name: "malformed settings", opts: map[string]string{"shm-size": "big"}},
	{name: "check as errors", opts: map[string]string{"build-arg:BUILDKIT_DOCKERFILE_CHECK": "error=true"}},
	{name: "context from Git", opts: map[string]string{"context": "https://github.com/o/r.git#main:dir", "build-arg:SOURCE_DATE_EPOCH": "context"},
		files: gitContext("https://github.com/o/r.git")},
	{name: "context from Git in another folder", opts: map[string]string{"context": "https://github.com/o/r.git", "contextsubdir": "sub"},
		files: gitContext("https://github.com/o/r.git")},
	{name: "context of an archive", opts: map[string]string{"context": "https://example.com/x.tar", "build-arg:SOURCE_DATE_EPOCH": "context"},
		files: map[string]map[string]string{"https://example.com/x.tar": {"context": "\x1f\x8b\x08", "Dockerfile": "FROM alpine\nCOPY a b\n"}}},
	{name: "a Dockerfile over HTTP", opts: map[string]string{"context": "https://example.com/Dockerfile"},
		files: map[string]map[string]string{"https://example.com/Dockerfile": {"context": "FROM alpine\nRUN x\n"}}},
	{name: "other names for the local sources", opts: map[string]string{"contextkey": "here", "dockerfilekey": "there", "filename": "Other"},
		files: map[string]map[string]string{"there": {"Other": "FROM alpine\nCOPY a b\n", "Other.dockerignore": "*.md\n"}}},
	{name: "a Dockerfile in lower case", opts: map[string]string{"dockerfilekey": "there"},
		files: map[string]map[string]string{"there": {"dockerfile": "FROM alpine\n"}}},
	{name: "no Dockerfile", opts: map[string]string{"filename": "Missing"}},
	{name: "named contexts", opts: map[string]string{
		"context:alpine": "docker-image://example.com/withdir", "context:build": "local:other",
		"context:busybox": "https://example.com/x.tgz", "context:golang:1.22": "https://github.com/o/r.git#v1",
	}, files: map[string]map[string]string{"other": {".dockerignore": "*.md\n"}}},
	{name: "SBOM", opts: map[string]string{"attest:sbom": "generator=example.com/scanner,a=b", "build-arg:BUILDKIT_SBOM_SCAN_STAGE": "true"}},
	{name: "target", opts: map[string]string{"target": "build"}},
	{name: "another frontend", opts: map[string]string{"build-arg:BUILDKIT_SYNTAX": "example.com/other:1 with args"}},
	{name: "forwarded to us", opts: map[string]string{"build-arg:BUILDKIT_SYNTAX": "example.com/other:1", "cmdline": "example.com/other:1"}},
	{name: "needs a capability", opts: map[string]string{"frontend.caps": "moby.buildkit.frontend.odd"}},
	{name: "needs capabilities that are there", opts: map[string]string{"frontend.caps": "moby.buildkit.frontend.inputs,moby.buildkit.frontend.subrequests,moby.buildkit.frontend.contexts"}},
	{name: "outline", opts: map[string]string{"requestid": "frontend.outline", "frontend.caps": "moby.buildkit.frontend.subrequests"}},
	{name: "targets", opts: map[string]string{"requestid": "frontend.targets"}},
	{name: "lint", opts: map[string]string{"requestid": "frontend.lint"}},
	{name: "lint of a target", opts: map[string]string{"requestid": "frontend.lint", "target": "build"}},
	{name: "convertllb", opts: map[string]string{"requestid": "frontend.convertllb"}},
	{name: "unknown request", opts: map[string]string{"requestid": "frontend.odd"}},
}

func gitContext(id string) map[string]map[string]string {
	files := map[string]string{"Dockerfile": "FROM alpine\nCOPY a b\nRUN x\n", ".dockerignore": "*.md\n"}
	// Git sources have identifiers of their own.
	git := "git://" + strings.TrimPrefix(id, "https://")
	return map[string]map[string]string{id: files, git: files, git + "#main:dir": files}
}

// TestParity serves requests with docker/dockerfile's frontend and with ours:
// results, errors, warnings and all that they ask of the daemon are the same.
func TestParity(t *testing.T) {
	var asked, differ atomic.Int64
	t.Run("corpus", func(t *testing.T) {
		for _, f := range corpus(t) {
			t.Run(f.Name, func(t *testing.T) {
				t.Parallel()
				asks := settings
				if testing.Short() {
					asks = llbtest.Turn(f, settings)
				}
				for _, s := range asks {
					r := f.With(s.opts)
					r.Files = maps.Clone(s.files)
					asked.Add(1)
					if diff := compare(t, r); diff != "" {
						differ.Add(1)
						t.Errorf("%s\n%s", s.name, diff)
					}
				}
			})
		}
	})
	if llbtest.Oracle { // else nothing was compared
		fmt.Printf("parity: %d requests to the frontend, %d differ\n", asked.Load(), differ.Load())
	}
}

// corpus is that of the compiler's parity test.
func corpus(t *testing.T) []llbtest.File {
	dir := os.Getenv("STAGECRAFT_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "llb", "testdata", "corpus")
	}
	files, err := llbtest.Corpus(dir)
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus in %s: %v", dir, err)
	}
	for i := range files {
		// A syntax directive would have every file forwarded.
		text := strings.Replace(string(files[i].Dockerfile), "syntax=", "no-syntax=", 1)
		files[i].Dockerfile = []byte(text)
	}
	return files
}

// compare asks upstream again where its answer may be one of several.
func compare(t *testing.T, r llbtest.Request) string {
	ours := llbtest.Serve(t.Context(), r, Build)
	if r.Opts["requestid"] == "frontend.outline" && llbtest.Endless(t.Context(), r) {
		if ours.Err != nil || ours.Panic != "" {
			return fmt.Sprintf("no outline: %v%s", ours.Err, ours.Panic)
		}
		return "" // there is nothing to compare with
	}
	alone := llbtest.Upstream(t.Context(), r)
	if llbtest.Addition(r, alone.Err) != "" {
		return "" // ours builds what upstream does not know
	}
	if alone.Panic != "" {
		// In a goroutine of its frontend that would end this test, too.
		answers := r.Opts["requestid"] != "" || r.Opts["build-arg:BUILDKIT_SYNTAX"] != ""
		if ours.Panic != "" || ours.Err == nil && !answers {
			return fmt.Sprintf("upstream panics (%s), ours: %v%s", alone.Panic, ours.Err, ours.Panic)
		}
		return ""
	}
	diff := ""
	for range 60 {
		upstream := llbtest.ServeUpstream(t.Context(), r)
		if diff = llbtest.DiffTranscripts(r, upstream, ours); diff == "" {
			return ""
		}
	}
	return diff
}
