package frontend

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stagecraft/stagecraft/llb/llbtest"
)

// clientDockerfile has something for each option of a client to act on.
const clientDockerfile = `ARG VERSION=3
ARG SOURCE_DATE_EPOCH
FROM alpine:$VERSION AS base
ARG SOURCE_DATE_EPOCH
WORKDIR /src
FROM golang:1.22 AS build
COPY . .
RUN --mount=type=cache,target=/c --mount=type=secret,id=s --mount=type=ssh make
RUN --network=none --security=insecure --device=vendor.com/class=d,required true
FROM scratch AS remote
ADD https://example.com/undated.tar.gz /
FROM scratch AS repository
ADD --keep-git-dir=true https://github.com/o/r.git?keep-git-dir=true&fetch-by-commit=true&checksum=0123456789abcdef0123456789abcdef01234567#main:dir /r
FROM base
ARG HTTP_PROXY
COPY --from=build --link /out /out
COPY --from=busybox /bin/sh /sh
COPY a docs/b.md /d/
RUN --mount=target=/here --mount=from=tools,target=/tools --mount=type=tmpfs,target=/t,size=1m true
`

// wish is one thing that clients ask for.
type wish struct {
	name   string
	opts   map[string]string
	files  map[string]map[string]string
	inputs map[string]string
}

func opts(pairs ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

func wishes() []wish {
	return slices.Concat(runClients, malformedClients, contextClients, mainContextClients, epochClients, frontendClients)
}

// runClients change what programs run in, and the result.
var runClients = []wish{
	{name: "nothing"},
	{name: "labels", opts: opts("label:a", "1", "label:b.c", "x y")},
	{name: "no-cache", opts: opts("no-cache", "")},
	{name: "no-cache-filter", opts: opts("no-cache", "BUILD,nowhere")},
	{name: "no-cache-filter with an empty name", opts: opts("no-cache", "base,")},
	{name: "add-host", opts: opts("add-hosts", "Db=10.0.0.1,v6=::1")},
	{name: "ulimit", opts: opts("ulimit", "nofile=1:2,nproc=3")},
	{name: "shm-size", opts: opts("shm-size", "65536")},
	{name: "cgroup-parent", opts: opts("cgroup-parent", "builds")},
	{name: "resources", opts: opts("memory", "1073741824", "memswap", "-1", "cpushares", "512", "cpuperiod", "100000", "cpuquota", "50000", "cpusetcpus", "0-1", "cpusetmems", "0")},
	{name: "memory alone", opts: opts("memory", "1048576")},
	{name: "network of the host", opts: opts("force-network-mode", "host")},
	{name: "no network", opts: opts("force-network-mode", "none")},
	{name: "network of the sandbox", opts: opts("force-network-mode", "sandbox")},
	{name: "hostname", opts: opts("hostname", "h")},
	{name: "hostname argument", opts: opts("hostname", "h", "build-arg:BUILDKIT_SANDBOX_HOSTNAME", "wins")},
	{name: "pull", opts: opts("image-resolve-mode", "pull")},
	{name: "prefer local", opts: opts("image-resolve-mode", "local")},
	{name: "default resolve mode", opts: opts("image-resolve-mode", "default")},
	{name: "proxies", opts: opts("build-arg:HTTP_PROXY", "http://p", "build-arg:https_proxy", "http://q", "build-arg:Ftp_Proxy", "f", "build-arg:NO_PROXY", "n", "build-arg:all_proxy", "a")},
	{name: "target", opts: opts("target", "build")},
	{name: "target in upper case", opts: opts("target", "BASE")},
	{name: "build argument", opts: opts("build-arg:VERSION", "4", "build-arg:UNKNOWN", "x")},
	{name: "cache mount namespace", opts: opts("build-arg:BUILDKIT_CACHE_MOUNT_NS", "ns")},
	{name: "multi-platform argument", opts: opts("platform", "linux/arm64", "build-arg:BUILDKIT_MULTI_PLATFORM", "1")},
	{name: "platforms", opts: opts("platform", "linux/amd64,linux/arm64,linux/arm/v7")},
	{name: "build platform overridden", opts: opts("platform", "linux/arm64", "build-arg:BUILDPLATFORM", "linux/s390x", "build-arg:TARGETARCH", "odd")},
	{name: "Windows", opts: opts("platform", "windows/amd64")},
	{name: "checks skipped", opts: opts("build-arg:BUILDKIT_DOCKERFILE_CHECK", "skip=all")},
	{name: "checks as errors", opts: opts("build-arg:BUILDKIT_DOCKERFILE_CHECK", "experimental=all;error=true")},
	{name: "cache imports", opts: opts("cache-imports", `[{"Type":"registry","Attrs":{"ref":"example.com/c"}},{"Type":"local","Attrs":{"src":"x"}}]`)},
	{name: "cache-from", opts: opts("cache-from", "example.com/a,example.com/b")},
	{name: "SBOM", opts: opts("attest:sbom", "", "build-arg:BUILDKIT_SBOM_SCAN_STAGE", "build", "build-arg:BUILDKIT_SBOM_SCAN_CONTEXT", "true")},
	{name: "SBOM for platforms", opts: opts("attest:sbom", "generator=example.com/scanner,key=value", "platform", "linux/amd64,linux/arm64", "no-cache", "")},
	{name: "SBOM by a missing scanner", opts: opts("attest:sbom", "generator=example.com/missing")},
	{name: "SBOM argument", opts: opts("build-arg:BUILDKIT_ATTEST_SBOM", "generator=example.com/scanner")},
	{name: "provenance", opts: opts("attest:provenance", "mode=max,version=v1")},
	{name: "inline cache", opts: opts("build-arg:BUILDKIT_INLINE_CACHE", "1")},
}

// malformedClients are mistakes in options.
var malformedClients = []wish{
	{name: "odd network", opts: opts("force-network-mode", "odd")},
	{name: "odd resolve mode", opts: opts("image-resolve-mode", "odd")},
	{name: "odd shm-size", opts: opts("shm-size", "1g")},
	{name: "odd ulimit", opts: opts("ulimit", "nofile")},
	{name: "odd host", opts: opts("add-hosts", "db")},
	{name: "odd address", opts: opts("add-hosts", "db=x")},
	{name: "odd memory", opts: opts("memory", "0")},
	{name: "odd swap", opts: opts("memswap", "-2")},
	{name: "odd cpus", opts: opts("cpusetcpus", "x")},
	{name: "odd platform", opts: opts("platform", "linux/amd64,a/b/c/d")},
	{name: "odd multi-platform", opts: opts("multi-platform", "perhaps")},
	{name: "several platforms in one", opts: opts("platform", "linux/amd64,linux/arm64", "multi-platform", "false")},
	{name: "odd cache imports", opts: opts("cache-imports", "{")},
	{name: "odd checks", opts: opts("build-arg:BUILDKIT_DOCKERFILE_CHECK", "odd")},
	{name: "odd Git advice", opts: opts("build-arg:BUILDKIT_GIT_ADVICE", "odd")},
	{name: "odd attestation", opts: opts("attest:odd", "")},
	{name: "SBOM without a generator", opts: opts("attest:sbom", "generator=")},
	{name: "unknown target", opts: opts("target", "biuld")},
	{name: "old option", opts: opts("override-copy-image", "x")},
	{name: "old argument", opts: opts("build-arg:BUILDKIT_DISABLE_FILEOP", "true")},
	{name: "required capability", opts: opts("frontend.caps", "moby.buildkit.frontend.inputs,odd.cap")},
	{name: "capability that another frontend may have", opts: opts("frontend.caps", "odd.cap+forward")},
	{name: "unknown subrequest", opts: opts("requestid", "frontend.odd")},
}

var ignored = map[string]string{".dockerignore": "docs\n*.tmp\n"}

const given = "docker.io/library/given:latest"

// contextClients give named contexts.
var contextClients = []wish{
	{name: "image", opts: opts("context:golang:1.22", "docker-image://example.com/withenv-withdir", "context:tools", "docker-image://scratch")},
	{name: "image for a platform", opts: opts("context:golang:1.22::linux/arm64", "docker-image://example.com/withuser", "platform", "linux/amd64,linux/arm64")},
	{name: "image in place of a stage", opts: opts("context:build", "docker-image://example.com/onbuild", "context:base", "docker-image://example.com/ports-entry")},
	{name: "image in place of a stage for a platform", opts: opts("context:base::linux/arm64", "docker-image://example.com/labelled", "platform", "linux/arm64,linux/amd64", "image-resolve-mode", "pull")},
	{name: "Windows image in place of a stage", opts: opts("context:base", "docker-image://example.com/windows")},
	{name: "missing image", opts: opts("context:base", "docker-image://example.com/missing")},
	{name: "broken image", opts: opts("context:base", "docker-image://example.com/broken")},
	{name: "malformed image", opts: opts("context:base", "docker-image://Bad:Ref")},
	{name: "image that a policy redirects", opts: opts("context:base", "docker-image://example.com/redirected")},
	{name: "folder", opts: opts("context:build", "local:other", "context:busybox", "local:more"), files: map[string]map[string]string{"other": ignored}},
	{name: "folder of another session", opts: opts("context:build", "local:other", "local-sessionid:other", "s2", "sharedkey:localdir:build", "k", "local-sessionid:context", "s3", "local-sessionid:dockerfile", "s4")},
	{name: "folder in place of the target", opts: opts("context:build", "local:other", "target", "build")},
	{name: "folder with a malformed ignore file", opts: opts("context:build", "local:other"), files: map[string]map[string]string{"other": {".dockerignore": "[\n"}}},
	{name: "Git", opts: opts("context:base", "https://github.com/o/r.git#main:dir", "context:tools", "git@github.com:o/r.git", "build-arg:BUILDKIT_GIT_ADVICE", "true")},
	{name: "Git with a query", opts: opts("context:base", "https://github.com/o/r.git?ref=v1&subdir=s&submodules=false&mtime=commit")},
	{name: "malformed Git", opts: opts("context:base", "https://github.com/o/r.git?odd=1")},
	{name: "ssh", opts: opts("context:build", "ssh://git@github.com/o/r.git")},
	{name: "HTTP", opts: opts("context:build", "https://example.com/x.tgz", "context:base", "http://example.com/y")},
	{name: "OCI layout", opts: opts("context:build", "oci-layout://store@sha256:"+strings.Repeat("a", 64), "context:busybox", "oci-layout://other:tag@sha256:"+strings.Repeat("b", 64), "platform", "linux/arm64")},
	{name: "OCI layout without a digest", opts: opts("context:build", "oci-layout://store")},
	{name: "malformed OCI layout", opts: opts("context:build", "oci-layout://Store@x")},
	{name: "target of another build", opts: opts("context:base", "input:base::linux/amd64", "platform", "linux/amd64"), inputs: map[string]string{"base::linux/amd64": given}},
	{name: "target of another build with its config", opts: opts("context:base", "input:b", "input-metadata:b", `{"containerimage.config":"eyJhcmNoaXRlY3R1cmUiOiJhcm02NCIsIm9zIjoibGludXgiLCJjb25maWciOnsiRW52IjpbIkE9MSJdLCJVc2VyIjoibWUiLCJXb3JraW5nRGlyIjoiL3ciLCJPbkJ1aWxkIjpbIlJVTiB4Il19fQ=="}`), inputs: map[string]string{"b": given}},
	{name: "target of another build with a broken config", opts: opts("context:base", "input:b", "input-metadata:b", "{"), inputs: map[string]string{"b": given}},
	{name: "unknown target of another build", opts: opts("context:base", "input:nowhere")},
	{name: "no specifier", opts: opts("context:base", "odd")},
	{name: "unsupported specifier", opts: opts("context:base", "odd:x")},
	{name: "context that is not used", opts: opts("context:nowhere", "odd")},
	{name: "reserved names", opts: opts("context:scratch", "docker-image://busybox", "context:context", "docker-image://busybox")},
	{name: "stages with reserved names", opts: opts("filename", "Reserved", "context:scratch", "docker-image://busybox", "context:context", "docker-image://busybox"),
		files: map[string]map[string]string{"dockerfile": {"Reserved": "FROM alpine AS context\nFROM alpine AS scratch\nRUN x\nFROM context\nCOPY --from=scratch / /\n"}}},
	{name: "all contexts at once", opts: opts("context:base", "docker-image://alpine", "context:build", "local:other", "context:remote", "https://example.com/x", "context:busybox", "input:b", "context:tools", "https://github.com/o/r.git", "build-arg:SOURCE_DATE_EPOCH", "tools"), inputs: map[string]string{"b": given}},
}

var repository = map[string]string{"Dockerfile": clientDockerfile, ".dockerignore": "docs\n", "sub/Dockerfile": "FROM alpine\nCOPY . .\n"}

// mainContextClients say where the Dockerfile and the build context are.
var mainContextClients = []wish{
	{name: "Git context", opts: opts("context", "https://github.com/o/r.git#main:dir"), files: gitFiles("#main:dir")},
	{name: "Git context, another Dockerfile", opts: opts("context", "https://github.com/o/r.git", "filename", "sub/Dockerfile"), files: gitFiles("")},
	{name: "Git context, its folder kept", opts: opts("context", "https://github.com/o/r.git", "build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR", "1", "build-arg:BUILDKIT_GIT_ADVICE", "1"), files: gitFiles("")},
	{name: "Git context with a query", opts: opts("context", "https://github.com/o/r.git?branch=main&subdir=dir&submodules=0"), files: gitFiles("#refs/heads/main:dir")},
	{name: "malformed Git context", opts: opts("context", "https://github.com/o/r.git?odd=1")},
	{name: "Git context, local Dockerfile", opts: opts("context", "https://github.com/o/r.git", "dockerfilekey", "there"), files: withFiles(gitFiles(""), "there", repository)},
	{name: "Git context, part of it", opts: opts("context", "https://github.com/o/r.git", "contextsubdir", "sub"), files: gitFiles("")},
	{name: "archive", opts: opts("context", "https://example.com/x.tar.gz"), files: archiveFiles("https://example.com/x.tar.gz")},
	{name: "part of an archive", opts: opts("context", "https://example.com/x.tar.gz", "contextsubdir", "sub", "filename", "sub/Dockerfile"), files: archiveFiles("https://example.com/x.tar.gz")},
	{name: "archive that is not there", opts: opts("context", "https://example.com/x.tar.gz")},
	{name: "Dockerfile over HTTP", opts: opts("context", "http://example.com/Dockerfile"), files: map[string]map[string]string{"http://example.com/Dockerfile": {"context": "FROM alpine\nRUN x\n"}}},
	{name: "another name for the context", opts: opts("contextkey", "here", "context", "https://example.com/unused", "here", "https://github.com/o/r.git"), files: gitFiles("")},
	{name: "Dockerfile outside the context", opts: opts("dockerfilekey", "there", "filename", "x/Other"), files: map[string]map[string]string{"there": {"x/Other": clientDockerfile}}},
	{name: "its own ignore file", opts: opts("filename", "x/Other"), files: map[string]map[string]string{"dockerfile": {"x/Other": clientDockerfile, "x/Other.dockerignore": "a\n"}, "context": ignored}},
	{name: "ignore file of the context", files: map[string]map[string]string{"context": ignored}},
	{name: "malformed ignore file", files: map[string]map[string]string{"context": {".dockerignore": "[\n"}}},
	{name: "everything is ignored", files: map[string]map[string]string{"context": {".dockerignore": "**\n"}}},
	{name: "Dockerfile in lower case", opts: opts("dockerfilekey", "there"), files: map[string]map[string]string{"there": {"dockerfile": clientDockerfile}}},
	{name: "no Dockerfile", opts: opts("filename", "x/Missing")},
	{name: "empty Dockerfile", opts: opts("filename", "Empty"), files: map[string]map[string]string{"dockerfile": {"Empty": ""}}},
	{name: "standard input", opts: opts("dockerfilekey", "stdin"), files: map[string]map[string]string{"stdin": {"Dockerfile": clientDockerfile}}},
	{name: "inputs", inputs: map[string]string{"context": given, "dockerfile": "docker.io/library/file:latest"}, files: map[string]map[string]string{"input:dockerfile": repository}},
	{name: "context as an input", inputs: map[string]string{"context": given}},
	{name: "part of an input", inputs: map[string]string{"context": given}, opts: opts("contextsubdir", "sub")},
	{name: "Dockerfile as an input", inputs: map[string]string{"dockerfile": "docker.io/library/file:latest"}, opts: opts("filename", "sub/Dockerfile"), files: map[string]map[string]string{"input:dockerfile": repository}},
}

// epochClients set SOURCE_DATE_EPOCH.
var epochClients = []wish{
	{name: "seconds", opts: opts("build-arg:SOURCE_DATE_EPOCH", "1700000000", "platform", "linux/amd64,linux/arm64")},
	{name: "seconds before 1970", opts: opts("build-arg:SOURCE_DATE_EPOCH", "-1")},
	{name: "empty", opts: opts("build-arg:SOURCE_DATE_EPOCH", "")},
	{name: "garbage", opts: opts("build-arg:SOURCE_DATE_EPOCH", "yesterday")},
	{name: "garbage that is no name", opts: opts("build-arg:SOURCE_DATE_EPOCH", "Yesterday!")},
	{name: "local context", opts: opts("build-arg:SOURCE_DATE_EPOCH", "context")},
	{name: "Git context", opts: opts("build-arg:SOURCE_DATE_EPOCH", "context", "context", "https://github.com/o/r.git"), files: gitFiles("")},
	{name: "Git context, part of it", opts: opts("build-arg:SOURCE_DATE_EPOCH", "context", "context", "https://github.com/o/r.git", "contextsubdir", "sub"), files: gitFiles("")},
	{name: "dated archive", opts: opts("build-arg:SOURCE_DATE_EPOCH", "context", "context", "https://example.com/x.tar"), files: archiveFiles("https://example.com/x.tar")},
	{name: "undated archive", opts: opts("build-arg:SOURCE_DATE_EPOCH", "context", "context", "https://example.com/undated.tar"), files: archiveFiles("https://example.com/undated.tar")},
	{name: "unreachable archive", opts: opts("build-arg:SOURCE_DATE_EPOCH", "context", "context", "https://example.com/unreachable.tar"), files: archiveFiles("https://example.com/unreachable.tar")},
	{name: "input", opts: opts("build-arg:SOURCE_DATE_EPOCH", "context"), inputs: map[string]string{"context": given}},
	{name: "named folder", opts: opts("build-arg:SOURCE_DATE_EPOCH", "tools", "context:tools", "local:other")},
	{name: "named image", opts: opts("build-arg:SOURCE_DATE_EPOCH", "tools", "context:tools", "docker-image://alpine")},
	{name: "named Git", opts: opts("build-arg:SOURCE_DATE_EPOCH", "tools", "context:tools", "https://github.com/o/r.git")},
	{name: "named archive", opts: opts("build-arg:SOURCE_DATE_EPOCH", "tools", "context:tools", "https://example.com/undated.tar"), files: archiveFiles("https://example.com/undated.tar")},
	{name: "named context that cannot be", opts: opts("build-arg:SOURCE_DATE_EPOCH", "tools", "context:tools", "odd")},
	{name: "name for another platform", opts: opts("build-arg:SOURCE_DATE_EPOCH", "tools", "context:tools::linux/arm64", "local:other")},
	{name: "a name that is reserved", opts: opts("build-arg:SOURCE_DATE_EPOCH", "scratch", "context:scratch", "https://github.com/o/r.git")},
	{name: "nearly the context", opts: opts("build-arg:SOURCE_DATE_EPOCH", "Context")},
	{name: "remote stage", opts: opts("build-arg:SOURCE_DATE_EPOCH", "remote"), files: archiveFiles("https://example.com/undated.tar.gz")},
	{name: "repository stage", opts: opts("build-arg:SOURCE_DATE_EPOCH", "repository", "build-arg:BUILDKIT_GIT_ADVICE", "1")},
	{name: "stage that is no source", opts: opts("build-arg:SOURCE_DATE_EPOCH", "build")},
}

// frontendClients are about frontends, and subrequests.
var frontendClients = []wish{
	{name: "another frontend", opts: opts("build-arg:BUILDKIT_SYNTAX", " example.com/other:1 with args "), inputs: map[string]string{"context": given, "x": given}},
	{name: "forwarded", opts: opts("build-arg:BUILDKIT_SYNTAX", "example.com/other:1", "cmdline", "example.com/other:1")},
	{name: "syntax line", opts: opts("filename", "S", "frontend.caps", "odd.cap+forward", "multi-platform", "1"), files: syntaxFiles("# syntax=example.com/other:1 args\n" + clientDockerfile)},
	{name: "syntax line of another kind", opts: opts("filename", "S"), files: syntaxFiles("// syntax=example.com/other:1\n")},
	{name: "syntax in JSON", opts: opts("filename", "S"), files: syntaxFiles(`{"syntax": "example.com/other:1"}`)},
	{name: "syntax behind a shebang", opts: opts("filename", "S"), files: syntaxFiles("#!/x\n#syntax=example.com/other:1\n" + clientDockerfile)},
	{name: "outline", opts: opts("requestid", "frontend.outline")},
	{name: "outline of a replaced stage", opts: opts("requestid", "frontend.outline", "target", "base", "context:base", "docker-image://alpine", "build-arg:VERSION", "7")},
	{name: "outline of an unknown target", opts: opts("requestid", "frontend.outline", "target", "odd")},
	{name: "targets", opts: opts("requestid", "frontend.targets")},
	{name: "checks", opts: opts("requestid", "frontend.lint", "build-arg:BUILDKIT_DOCKERFILE_CHECK", "error=true")},
	{name: "checks with contexts", opts: opts("requestid", "frontend.lint", "context:base", "docker-image://example.com/onbuild", "context:build", "local:other")},
	{name: "checks of a target", opts: opts("requestid", "frontend.lint", "target", "base", "platform", "linux/arm64")},
	{name: "LLB", opts: opts("requestid", "frontend.convertllb", "platform", "linux/amd64,linux/arm64", "target", "build")},
	{name: "LLB with contexts", opts: opts("requestid", "frontend.convertllb", "context:base", "docker-image://example.com/withdir", "context:build", "https://example.com/x")},
}

func gitFiles(fragment string) map[string]map[string]string {
	return map[string]map[string]string{"git://github.com/o/r.git" + fragment: repository}
}

func withFiles(files map[string]map[string]string, name string, more map[string]string) map[string]map[string]string {
	files[name] = more
	return files
}

func syntaxFiles(text string) map[string]map[string]string {
	return map[string]map[string]string{"dockerfile": {"S": text}}
}

// archiveFiles are an archive over HTTP: the archive itself for what looks at
// its bytes, and what is in it.
func archiveFiles(url string) map[string]map[string]string {
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	w := tar.NewWriter(zip)
	for i, name := range []string{"Dockerfile", "newest", "a"} {
		when := time.Unix(1650000000+int64(1000*(i%2)), 0)
		_ = w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, ModTime: when})
	}
	_ = w.WriteHeader(&tar.Header{Name: "folder", Typeflag: tar.TypeDir, ModTime: time.Unix(1690000000, 0)})
	_ = w.Close()
	_ = zip.Close()
	files := maps.Clone(repository)
	files["context"] = b.String()
	files["undated.tar.gz"] = b.String()
	return map[string]map[string]string{url: files}
}

// TestParityClient asks docker/dockerfile's frontend and ours for everything
// that a client can ask for: results, errors and what they ask of the daemon
// are the same.
func TestParityClient(t *testing.T) {
	asked, differ := 0, 0
	for _, c := range wishes() {
		r := llbtest.Request{
			Dockerfile: []byte(clientDockerfile),
			Opts:       c.opts,
			Files:      maps.Clone(c.files),
			Inputs:     c.inputs,
		}
		asked++
		if diff := compare(t, r); diff != "" {
			differ++
			t.Errorf("%s\n%s", c.name, diff)
		}
	}
	if llbtest.Oracle { // else nothing was compared
		fmt.Printf("parity: %d requests of clients, %d differ\n", asked, differ)
	}
}
