package frontend

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	"github.com/stagecraft/stagecraft/llb/llbtest"
)

// A capability is what a daemon may be too old for. For each one that BuildKit
// has, the tables below say what becomes of a build on a daemon with all
// capabilities but that one.
type decision struct {
	comesOf outcome
	// The build that needs it.
	dockerfile string
	opts       map[string]string
	files      map[string]map[string]string
	inputs     map[string]string
	// says is in our error, and line is where it points, 0 for nowhere.
	says string
	line int
	// fails says that a young daemon has an error of its own for it.
	fails bool
}

type outcome int

const (
	// notNeeded: no Dockerfile and no option makes a frontend need it.
	notNeeded outcome = iota
	// fallsBack: it is built in another way, with the bytes of docker/dockerfile.
	fallsBack
	// sameBytes: the daemon or BuildKit's library has another way, or the
	// result is the same without; both frontends ask for the same.
	sameBytes
	// refused: docker/dockerfile's build fails, too, with less to go by.
	refused
	// refusedHereAlone: docker/dockerfile would build something other than the
	// file says, or what is needed is an addition of ours.
	refusedHereAlone
)

// instruction is a build of one instruction in line 2, behind an image.
func instruction(comesOf outcome, line, says string) []decision {
	return []decision{{comesOf: comesOf, dockerfile: "FROM alpine\n" + line + "\n", says: says, line: 2}}
}

// everything is a build of all kinds of instructions with some options.
func everything(comesOf outcome, says string, options ...string) []decision {
	return []decision{{comesOf: comesOf, dockerfile: clientDockerfile, opts: opts(options...), says: says}}
}

func repositoryContext(comesOf outcome, query, fragment, says string) []decision {
	return []decision{{comesOf: comesOf, dockerfile: clientDockerfile, says: says,
		opts: opts("context", "https://github.com/o/r.git"+query), files: gitFiles(fragment)}}
}

const (
	commitSum = "0123456789abcdef0123456789abcdef01234567"
	fileSum   = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	git       = "https://github.com/o/r.git"
)

// unneeded are decisions for what no frontend asks of a daemon.
var unneeded = []decision{{comesOf: notNeeded, dockerfile: clientDockerfile}}

// llbCapabilities are those of operations.
var llbCapabilities = map[apicaps.CapID][]decision{
	pb.CapSourceImage: {
		{comesOf: refused, dockerfile: "FROM alpine\nRUN x\n", says: "FROM alpine requires", line: 1},
		{comesOf: refused, dockerfile: "FROM scratch\nCOPY --from=alpine / /\n", says: "the image docker.io/library/alpine:latest@sha256:"},
	},
	pb.CapSourceImageResolveMode: {{comesOf: refused, dockerfile: "FROM alpine\n", opts: opts("image-resolve-mode", "pull"), says: "--pull requires", line: 1}},
	pb.CapSourceImageLayerLimit:  unneeded,
	pb.CapSourceImageChecksum:    unneeded,

	pb.CapSourceLocal:                everything(refused, "a local folder as build context requires"),
	pb.CapSourceLocalUnique:          unneeded, // only without a session
	pb.CapSourceLocalSessionID:       everything(refused, "a local folder of another client's session requires", "local-sessionid:context", "s3"),
	pb.CapSourceLocalIncludePatterns: unneeded,
	pb.CapSourceLocalFollowPaths:     everything(refused, "a local folder as build context requires"),
	pb.CapSourceLocalExcludePatterns: {{comesOf: refused, dockerfile: "FROM alpine\nCOPY . /\n", files: map[string]map[string]string{"context": ignored}, says: "an ignore file requires"}},
	pb.CapSourceLocalSharedKeyHint:   everything(refused, "a local folder as build context requires"),
	pb.CapSourceLocalDiffer:          everything(sameBytes, ""),
	pb.CapSourceMetadataTransfer:     unneeded,

	pb.CapSourceGit:                slices.Concat(instruction(refused, "ADD "+git+" /", "ADD "+git+" requires"), repositoryContext(refused, "", "", "a Git repository as build context requires")),
	pb.CapSourceGitFullURL:         instruction(refused, "ADD "+git+" /", "ADD "+git+" requires"),
	pb.CapSourceGitKeepDir:         slices.Concat(instruction(refused, "ADD --keep-git-dir "+git+" /", "--keep-git-dir requires"), repositoryContext(refused, "?keep-git-dir=1", "", "keep-git-dir of a Git repository as build context requires")),
	pb.CapSourceGitHTTPAuth:        unneeded, // only for secrets with names of their own
	pb.CapSourceGitKnownSSHHosts:   instruction(refused, "ADD git@127.0.0.1:o/r.git /", "ADD git@127.0.0.1:o/r.git requires"),
	pb.CapSourceGitMountSSHSock:    instruction(refused, "ADD git@127.0.0.1:o/r.git /", "ADD git@127.0.0.1:o/r.git requires"),
	pb.CapSourceGitSubdir:          instruction(refusedHereAlone, "ADD "+git+"#main:dir /", "the folder dir of a Git repository requires BuildKit 0.9"),
	pb.CapSourceGitChecksum:        slices.Concat(instruction(refused, "ADD --checksum="+commitSum+" "+git+" /", "--checksum or ?commit= of a Git repository requires BuildKit 0.22"), repositoryContext(refused, "?checksum="+commitSum, "", "checksum= of a Git repository as build context requires")),
	pb.CapSourceGitSkipSubmodules:  slices.Concat(instruction(refused, "ADD "+git+"?submodules=false /", "?submodules=false requires BuildKit 0.24"), repositoryContext(refused, "?submodules=false", "", "submodules=false of a Git repository as build context requires")),
	pb.CapSourceGitSignatureVerify: unneeded,
	pb.CapSourceGitMTime:           repositoryContext(refused, "?mtime=commit", "", "mtime= of a Git repository as build context requires"),
	pb.CapSourceGitFetchByCommit:   slices.Concat(instruction(refused, "ADD "+git+"?fetch-by-commit=true&checksum="+commitSum+"#main /", "?fetch-by-commit=true requires BuildKit 0.30"), repositoryContext(refused, "?fetch-by-commit=true&checksum="+commitSum+"#main", "#main", "fetch-by-commit= of a Git repository as build context requires")),
	pb.CapSourceGitBundle:          unneeded,
	pb.CapSourceGitCheckoutBundle:  unneeded,

	pb.CapSourceHTTP:                instruction(refused, "ADD https://example.com/x /", "ADD https://example.com/x requires"),
	pb.CapSourceHTTPAuth:            unneeded,
	pb.CapSourceHTTPChecksum:        instruction(refused, "ADD --checksum="+fileSum+" https://example.com/x /", "--checksum requires"),
	pb.CapSourceHTTPPerm:            unneeded,
	pb.CapSourceHTTPUIDGID:          unneeded,
	pb.CapSourceHTTPHeader:          unneeded,
	pb.CapSourceHTTPSignatureVerify: unneeded,

	pb.CapSourceImageBlob: unneeded,
	pb.CapSourceOCILayout: everything(refused, "an OCI layout as build context requires", "context:build", "oci-layout://store@sha256:"+strings.Repeat("a", 64)),

	pb.CapBuildOpLLBFileName: unneeded,

	pb.CapExecMetaBase:                      instruction(refused, "RUN x", "RUN requires"),
	pb.CapExecMetaCgroupParent:              everything(fallsBack, "", "cgroup-parent", "g"),
	pb.CapExecMetaNetwork:                   slices.Concat(instruction(refused, "RUN --network=none x", "--network=none requires"), clientNetwork("host")),
	pb.CapExecMetaNetworkProxy:              unneeded,
	pb.CapExecMetaProxy:                     {{comesOf: refused, dockerfile: "FROM alpine\nRUN x\n", opts: opts("build-arg:HTTP_PROXY", "http://p"), says: "a proxy as build argument requires", line: 2}},
	pb.CapExecMetaSecurity:                  instruction(refused, "RUN --security=insecure x", "--security=insecure requires"),
	pb.CapExecMetaSecurityDeviceWhitelistV1: unneeded,
	pb.CapExecMetaSetsDefaultPath:           everything(fallsBack, ""),
	pb.CapExecMetaUlimit:                    everything(fallsBack, "", "ulimit", "nofile=1:2"),
	pb.CapExecMetaCDI: slices.Concat(
		instruction(fallsBack, "RUN --device=vendor.com/class=d x", ""), // an optional device may be missing
		instruction(refusedHereAlone, "RUN --device=name=vendor.com/class=d,required x", "--device=vendor.com/class=d,required requires BuildKit 0.20")),
	pb.CapExecMetaRemoveMountStubsRecursive: unneeded,
	pb.CapExecMetaLinuxResources:            everything(fallsBack, "", "memory", "1048576"),
	pb.CapExecMountBind:                     instruction(refused, "RUN --mount=from=busybox,target=/b x", "--mount=type=bind requires"),
	pb.CapExecMountBindReadWriteNoOutput:    instruction(fallsBack, "RUN --mount=from=busybox,target=/b,rw x", ""),
	pb.CapExecMountCache:                    instruction(refused, "RUN --mount=type=cache,target=/c x", "--mount=type=cache requires"),
	pb.CapExecMountCacheSharing:             instruction(refused, "RUN --mount=type=cache,target=/c x", "--mount=type=cache requires"),
	pb.CapExecMountSelector: slices.Concat(
		instruction(refused, "RUN --mount=from=busybox,source=bin,target=/b x", "--mount=type=bind,source=/bin requires"),
		instruction(refused, "RUN --mount=type=cache,target=/c,uid=7 x", "--mount=type=cache with an owner or a mode requires"),
		instruction(refused, "RUN <<EOF\n#!/bin/sh\nx\nEOF", "a here-document that begins with #! requires")),
	pb.CapExecMountTmpfs: instruction(refused, "RUN --mount=type=tmpfs,target=/t x", "--mount=type=tmpfs requires"),
	pb.CapExecMountTmpfsSize: slices.Concat(
		everything(refused, "--mount=type=tmpfs,size= requires BuildKit 0.10"),
		[]decision{{comesOf: fallsBack, dockerfile: "FROM alpine\nRUN x\n", opts: opts("shm-size", "65536")}}),
	pb.CapExecMountSecret:       instruction(refused, "RUN --mount=type=secret,id=s x", "--mount=type=secret requires"),
	pb.CapExecMountSSH:          instruction(refused, "RUN --mount=type=ssh x", "--mount=type=ssh requires"),
	pb.CapExecMountContentCache: unneeded,
	pb.CapExecCgroupsMounted:    unneeded,
	pb.CapExecSecretEnv:         instruction(refused, "RUN --mount=type=secret,id=s,env=S x", "--mount=type=secret,env= requires BuildKit 0.10"),
	pb.CapExecValidExitCode:     instruction(refusedHereAlone, "COPY --chmod=u+x a /", "--chmod=u+x requires BuildKit 0.17"), // see lower's signs

	pb.CapFileBase:       everything(refused, "needs BuildKit 0.5 or later"),
	pb.CapFileRmWildcard: unneeded,
	pb.CapFileCopyIncludeExcludePatterns: slices.Concat(
		instruction(refusedHereAlone, "COPY --exclude=*.md a /", "--exclude requires BuildKit 0.9"),
		instruction(refusedHereAlone, "ADD --exclude=*.md a /", "--exclude requires BuildKit 0.9"),
		instruction(refusedHereAlone, "COPY --parents a/*/b /", "--parents requires BuildKit 0.9")),
	// Without it, a path of --parents that is not there is no error.
	pb.CapFileCopyRequiredPaths:                  instruction(sameBytes, "COPY --parents a/b /", ""),
	pb.CapFileRmNoFollowSymlink:                  unneeded,
	pb.CapFileCopyAlwaysReplaceExistingDestPaths: unneeded,
	// No daemon has it; see CapExecValidExitCode.
	pb.CapFileCopyModeStringFormat: instruction(sameBytes, "COPY --chmod=u+x a /", ""),
	pb.CapFileSymlinkCreate:        unneeded,

	pb.CapConstraints: everything(refused, "constraints"), // older than frontends
	pb.CapPlatform:    everything(refused, "platform"),

	pb.CapMetaIgnoreCache: slices.Concat(
		[]decision{{comesOf: refused, dockerfile: "FROM alpine\nRUN x\n", opts: opts("no-cache", ""), says: "--no-cache requires", line: 2}},
		[]decision{{comesOf: refusedHereAlone, dockerfile: "FROM --no-cache alpine\nRUN x\n", says: "--no-cache requires", line: 2}}),
	pb.CapMetaDescription: everything(refused, "meta.description"),
	pb.CapMetaExportCache: unneeded,

	pb.CapRemoteCacheGHA:    unneeded, // the client's and the daemon's
	pb.CapRemoteCacheS3:     unneeded,
	pb.CapRemoteCacheAzBlob: unneeded,

	pb.CapMergeOp: slices.Concat(
		instruction(fallsBack, "COPY --link a /", ""),
		instruction(fallsBack, "ADD --link https://example.com/x /", "")),
	pb.CapDiffOp:        unneeded,
	pb.CapPassthroughOp: unneeded,

	pb.CapAnnotations:     unneeded, // the client's, as are all exporters
	pb.CapAttestations:    everything(sameBytes, "", "attest:sbom", ""),
	pb.CapSourceDateEpoch: everything(sameBytes, "", "build-arg:SOURCE_DATE_EPOCH", "1700000000"),

	pb.CapMultipleExporters: unneeded,
	pb.CapSessionExporter:   unneeded,

	pb.CapSourcePolicy:        unneeded, // the client's and the daemon's
	pb.CapSourcePolicySession: unneeded,

	pb.CapGCFreeSpaceFilter: unneeded,
	pb.CapHistoryFilters:    unneeded,
}

func clientNetwork(mode string) []decision {
	return []decision{{comesOf: refused, dockerfile: "FROM alpine\nRUN x\n", opts: opts("force-network-mode", mode), says: "--network=" + mode + " of the build requires", line: 2}}
}

// besideFiles are files next to the Dockerfile.
func besideFiles(dockerfile string) map[string]map[string]string {
	return map[string]map[string]string{"dockerfile": {"Dockerfile": dockerfile, "part": "RUN x\n", "svc/Dockerfile": "FROM alpine AS made\n"}}
}

// gatewayCapabilities are those of the daemon's answers to a frontend.
var gatewayCapabilities = map[apicaps.CapID][]decision{
	gwpb.CapSolveBase:               unneeded, // every daemon has these
	gwpb.CapSolveInlineReturn:       unneeded,
	gwpb.CapResolveImage:            unneeded,
	gwpb.CapResolveImageResolveMode: unneeded,
	gwpb.CapReadFile:                unneeded,
	gwpb.CapReturnResult:            unneeded,
	gwpb.CapReturnMap:               everything(refused, "a build for several platforms requires", "platform", "linux/amd64,linux/arm64"),
	gwpb.CapReadDir: slices.Concat(
		everything(sameBytes, ""),
		[]decision{{comesOf: refusedHereAlone, dockerfile: "FROM alpine\nINCLUDE ./missing\n", files: besideFiles("FROM alpine\nINCLUDE ./missing\n"), says: "a file that the Dockerfile refers to requires", line: 2, fails: true}}),
	gwpb.CapStatFile: slices.Concat(
		everything(sameBytes, ""),
		[]decision{
			{comesOf: refusedHereAlone, dockerfile: "FROM alpine\nINCLUDE ./part\n", files: besideFiles("FROM alpine\nINCLUDE ./part\n"), says: "a file that the Dockerfile refers to", line: 2},
			{comesOf: refusedHereAlone, dockerfile: "FROM alpine\nCOPY --from=./svc/Dockerfile#made / /\n", files: besideFiles("FROM alpine\nCOPY --from=./svc/Dockerfile#made / /\n"), says: "a file that the Dockerfile refers to", line: 2},
		}),
	gwpb.CapImportCaches:    everything(sameBytes, "", "cache-from", "example.com/a"),
	gwpb.CapProtoRefArray:   unneeded, // the library's
	gwpb.CapReferenceOutput: unneeded,
	gwpb.CapFrontendInputs: {
		{comesOf: fallsBack, dockerfile: clientDockerfile, opts: opts("build-arg:BUILDKIT_SYNTAX", "example.com/other:1"), inputs: map[string]string{"context": given}},
		{comesOf: fallsBack, dockerfile: "FROM alpine\nCOPY a /\n", inputs: map[string]string{"context": given}},
		{comesOf: refused, dockerfile: clientDockerfile, opts: opts("context:base", "input:b"), inputs: map[string]string{"b": given}, says: "a build context of another build requires"},
	},
	gwpb.CapGatewaySolveMetadata:  unneeded,
	gwpb.CapGatewayExec:           unneeded, // no containers of the frontend's own
	gwpb.CapGatewayExecExtraHosts: unneeded,
	gwpb.CapGatewayExecSecretEnv:  unneeded,
	gwpb.CapGatewayExecSignals:    unneeded,
	gwpb.CapGatewayExecFilesystem: unneeded,
	gwpb.CapFrontendCaps:          everything(sameBytes, "", "requestid", "frontend.outline"),
	gwpb.CapGatewayEvaluateSolve:  unneeded, // the library asks for a file's size instead, which TestGateWithoutEvaluate shows
	gwpb.CapGatewayEvaluate:       unneeded,
	gwpb.CapGatewayWarnings:       {{comesOf: fallsBack, dockerfile: "from alpine AS Upper\nMAINTAINER me\n"}},
	gwpb.CapAttestations:          everything(sameBytes, "", "attest:sbom", ""),
	gwpb.CapSourceMetaResolver: {
		{comesOf: sameBytes, dockerfile: clientDockerfile},
		{comesOf: fallsBack, dockerfile: clientDockerfile, opts: opts("build-arg:SOURCE_DATE_EPOCH", "context", "context", "https://example.com/x.tar"), files: archiveFiles("https://example.com/x.tar")},
	},
	gwpb.CapSourceMetaResolverImageAttestations:   unneeded,
	gwpb.CapSourceMetaResolverHTTPChecksumRequest: unneeded,
}

// TestLLBCapabilities builds on daemons that lack one capability of operations
// each.
func TestLLBCapabilities(t *testing.T) {
	checkCapabilities(t, "github.com/moby/buildkit/solver/pb", llbCapabilities)
}

// TestGatewayCapabilities builds on daemons that lack one capability of the
// gateway each.
func TestGatewayCapabilities(t *testing.T) {
	checkCapabilities(t, "github.com/moby/buildkit/frontend/gateway/pb", gatewayCapabilities)
}

func checkCapabilities(t *testing.T, pkg string, decisions map[apicaps.CapID][]decision) {
	known := declaredCapabilities(t, pkg)
	for id := range decisions {
		if !slices.Contains(known, id) {
			t.Errorf("BuildKit has no capability %s any more", id)
		}
	}
	for _, id := range known {
		if len(decisions[id]) == 0 {
			t.Errorf("%s is new: decide what becomes of a build on a daemon that lacks it", id)
		}
		for i, d := range decisions[id] {
			t.Run(fmt.Sprintf("%s#%d", id, i), func(t *testing.T) { d.check(t, id) })
		}
	}
}

// declaredCapabilities are the constants in a package's caps.go, those among
// them that no daemon announces.
func declaredCapabilities(t *testing.T, pkg string) []apicaps.CapID {
	t.Helper()
	// Not go/build, which finds no Go in a test that was compiled with -trimpath.
	list := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", pkg)
	list.Stderr = os.Stderr
	dir, err := list.Output()
	if err != nil {
		t.Fatalf("go list %s: %v", pkg, err)
	}
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(dir)), "caps.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ids []apicaps.CapID
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "Cap") {
			return true
		}
		if text, ok := spec.Values[0].(*ast.BasicLit); ok {
			id, err := strconv.Unquote(text.Value)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, apicaps.CapID(id))
		}
		return true
	})
	if len(ids) < 20 {
		t.Fatalf("only %d capabilities in %s", len(ids), pkg)
	}
	return ids
}

func (d *decision) check(t *testing.T, id apicaps.CapID) {
	r := llbtest.Request{Dockerfile: []byte(d.dockerfile), Opts: d.opts, Files: maps.Clone(d.files), Inputs: d.inputs}
	young := llbtest.Serve(t.Context(), r, Build)
	if young.Err != nil && !d.fails {
		t.Fatalf("on a daemon that has it: %v", young.Err)
	}
	r.Lacks = []apicaps.CapID{id}
	ours, upstream := llbtest.Serve(t.Context(), r, Build), llbtest.ServeUpstream(t.Context(), r)
	switch d.comesOf {
	case notNeeded, fallsBack, sameBytes:
		if ours.Err != nil {
			t.Fatalf("refused: %v", ours.Err)
		}
		if same := ours.Text == young.Text; same != (d.comesOf != fallsBack) {
			t.Errorf("the same as on a daemon that has it: %v", same)
		}
		if diff := compare(t, r); diff != "" {
			t.Error(diff)
		}
	case refused, refusedHereAlone:
		d.checkRefusal(t, id, ours.Err)
		if !llbtest.Oracle {
			return
		}
		if alone := upstream.Err == nil; alone != (d.comesOf == refusedHereAlone) && llbtest.Addition(r, upstream.Err) == "" {
			t.Errorf("docker/dockerfile: %v", upstream.Err)
		}
	}
}

func (d *decision) checkRefusal(t *testing.T, id apicaps.CapID, err error) {
	t.Helper()
	if err == nil {
		t.Fatal("built")
	}
	if !strings.Contains(err.Error(), d.says) || !strings.Contains(err.Error(), string(named(id))) {
		t.Errorf("%v\nwant: %s … %s", err, d.says, id)
	}
	line := 0
	for _, src := range errdefs.Sources(err) {
		line = int(src.Ranges[0].Start.Line)
	}
	if d.line != 0 && line != d.line {
		t.Errorf("shown at line %d, want %d", line, d.line)
	}
}

// named is the capability that an error names; see lower's signs.
func named(id apicaps.CapID) apicaps.CapID {
	if id == pb.CapExecValidExitCode {
		return pb.CapFileCopyModeStringFormat
	}
	return id
}

// A gate is built before the result is given on a daemon that only knows how to
// build when somebody reads, too.
func TestGateWithoutEvaluate(t *testing.T) {
	r := llbtest.Request{Dockerfile: []byte("FROM alpine AS test\nRUN x\nFROM --after=test alpine\nRUN y\n"), Lacks: []apicaps.CapID{gwpb.CapGatewayEvaluateSolve}}
	if got := llbtest.Serve(t.Context(), r, Build); got.Err != nil || strings.Count(got.Text, "solve evaluate=true") != 2 {
		t.Errorf("%v\n%s", got.Err, got.Text)
	}
	r.Lacks = append(r.Lacks, gwpb.CapStatFile)
	got := llbtest.Serve(t.Context(), r, Build)
	if got.Err == nil || !strings.Contains(got.Err.Error(), "a gate, requires a newer BuildKit") {
		t.Errorf("%v", got.Err)
	}
}

// RUN --no-cache is another operation in each build. On a daemon where it cannot be, it is carried out although it
// is cached, and so is all that is made from it. Each operation is shown twice, asked for and as the result.
func TestFreshOnAnOldDaemon(t *testing.T) {
	r := llbtest.Request{Dockerfile: []byte("FROM alpine AS ask\nRUN x\nRUN --no-cache ask\nFROM alpine\nCOPY --from=ask /answer /\nRUN y\n")}
	got := llbtest.Serve(t.Context(), r, Build)
	if got.Err != nil || strings.Contains(got.Text, "no-cache\n") || strings.Count(got.Text, "validExitCodes") != 2 {
		t.Errorf("%v\n%s", got.Err, got.Text)
	}
	r.Lacks = []apicaps.CapID{pb.CapExecValidExitCode}
	got = llbtest.Serve(t.Context(), r, Build)
	if got.Err != nil || strings.Count(got.Text, "no-cache\n") != 6 || strings.Contains(got.Text, "validExitCodes") {
		t.Errorf("%v\n%s", got.Err, got.Text)
	}
}

// To ask for the LLB alone is no build: it is answered as docker/dockerfile answers, whatever the daemon lacks.
func TestLLBOfAnOldDaemon(t *testing.T) {
	r := llbtest.Request{
		Dockerfile: []byte("FROM alpine\nCOPY --exclude=*.md a /\nRUN --device=name=vendor.com/class=d,required x\n"),
		Opts:       opts("requestid", "frontend.convertllb"),
		Lacks:      []apicaps.CapID{pb.CapFileCopyIncludeExcludePatterns, pb.CapExecMetaCDI},
	}
	if got := llbtest.Serve(t.Context(), r, Build); got.Err != nil {
		t.Fatal(got.Err)
	}
	if diff := compare(t, r); diff != "" {
		t.Error(diff)
	}
}
