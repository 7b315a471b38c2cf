package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/integration/sandbox"
)

// subrequestFiles are Dockerfiles about which the subrequests have something to say. Those of the
// compiler's corpus that need no image besides these join them. Of what stands on one line docker/dockerfile
// lists args, secrets and agents by chance.
var subrequestFiles = map[string]string{
	"everything": `# check=experimental=all
# VERSION of busybox
ARG VERSION=latest
ARG TOKEN
ARG FULL=busybox:${VERSION}
# base is where all begins
FROM ${FULL} AS base
# MODE of the build
ARG MODE=fast
ARG OTHER
ENV KEY value
WORKDIR work
FROM base AS Build
ARG VERSION
RUN --mount=type=secret,id=npm,required --mount=type=ssh echo $MODE $UNDEFINED
RUN --mount=type=secret,id=b,env=B true
RUN --mount=type=ssh,id=deploy,required=true <<END
echo here
END
from scratch as other
ADD https://example.com/x.tar /x
FROM --platform=linux/amd64 alpine:3.19
ARG TARGETARCH
COPY --from=build --chmod=644 /etc/passwd /p
COPY --link --from=other /x /y
CMD echo last
CMD ["echo", "$TARGETARCH"]
`,
	"one stage": "# check=skip=MaintainerDeprecated\nFROM busybox\nRUN true\nEXPOSE 80/TCP\nMAINTAINER me\nENV a b\nENTRYPOINT x \\\n\n y\n",
	"failing":   "# check=error=true\nFROM busybox as x\nCMD y\n",
	"triggers":  "FROM busybox AS parent\nONBUILD ARG DIR=/d\nONBUILD RUN mkdir -p $DIR\nFROM parent\nRUN ls\n",
	"malformed": "FROM busybox\nRUNN true\n",
}

// sameAnswers is a corpus for subrequests: the files above, and others of the same kind.
func sameAnswers(t *testing.T) map[string]string {
	files := map[string]string{}
	for name, text := range subrequestFiles {
		files[name] = text
	}
	for _, name := range []string{"config", "sbom"} {
		text, err := os.ReadFile(filepath.Join("..", "llb", "testdata", "corpus", name+".Dockerfile"))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = strings.NewReplacer("alpine AS", "alpine:3.19 AS", "FROM alpine\n", "FROM alpine:3.19\n").Replace(string(text))
	}
	return files
}

// TestSubrequestsAreUpstreams: through buildx, on a real daemon, the subrequests of docker/dockerfile have
// its answers, as text and as JSON, with its exit status. On the daemon that asks us there is no other
// frontend: its own is switched off, and the progress shows that nobody fell back to docker/dockerfile.
func TestSubrequestsAreUpstreams(t *testing.T) {
	upstream := exampleSandbox(t, []string{"busybox:latest", "alpine:3.19"})
	ours := sandbox.Shared(t, "no builtin frontend", sandbox.WithoutBuiltinFrontend(), sandbox.WithImages("busybox:latest", "alpine:3.19"))
	if _, err := ours.FrontendRef(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, text := range sameAnswers(t) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			for _, call := range []string{
				"outline", "outline,format=json", "targets", "targets,format=json", "check", "check,format=json",
				"convertllb,format=json", // buildx has no text for it
			} {
				var want reply
				asked := make(chan struct{})
				go func() {
					defer close(asked)
					want = askBuildx(upstream, dir, call)
				}()
				got := askBuildx(ours, dir, call, "--build-arg=BUILDKIT_SYNTAX=stagecraft/stagecraft:1")
				<-asked
				if !got.byStagecraft() {
					t.Errorf("--call=%s: not we answered:\n%s", call, got.stderr)
				}
				diff := diffReplies(t, call, want, got)
				// docker/dockerfile lists the args of one line in an order that changes from call to call.
				for again := 0; diff != "" && again < 10; again++ {
					diff = diffReplies(t, call, askBuildx(upstream, dir, call), got)
				}
				if diff != "" {
					t.Errorf("--call=%s: %s", call, diff)
				}
			}
		})
	}
}

// TestTargetsBesideChecks: a check directive in front of an instruction makes docker/dockerfile's answer to
// --call=targets panic, and the daemon with it. So it is not asked.
func TestTargetsBesideChecks(t *testing.T) {
	s := exampleSandbox(t, []string{"busybox:latest"})
	got := mustCall(t, s, syntaxLine+"FROM busybox AS one\n# check=skip=all\nENV a b\n", "--call=targets")
	if !strings.Contains(got, "one (default)") {
		t.Errorf("the targets are\n%s", got)
	}
}

// reply is what buildx made of a subrequest.
type reply struct {
	stdout, stderr string
	failed         bool
}

func askBuildx(s *sandbox.Sandbox, dir, call string, args ...string) reply {
	cmd := s.Buildx(append(append([]string{"build", "--progress=plain", "--call=" + call}, args...), dir)...)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	err := cmd.Run()
	return reply{stdout: out.String(), stderr: log.String(), failed: err != nil}
}

// byStagecraft says that our image ran, and no other frontend's.
func (r reply) byStagecraft() bool {
	return strings.Contains(r.stderr, "docker.io/stagecraft/stagecraft:1") && !strings.Contains(r.stderr, "docker/dockerfile")
}

func diffReplies(t *testing.T, call string, want, got reply) string {
	if want.failed != got.failed {
		return fmt.Sprintf("failed: %v, not %v:\n%s\n%s", got.failed, want.failed, want.stderr, got.stderr)
	}
	a, b := want.stdout, got.stdout
	if strings.HasSuffix(call, "format=json") && a != "" && b != "" {
		a, b = withoutChance(t, a), withoutChance(t, b)
	}
	if a != b {
		return fmt.Sprintf("the answer is\n%s\nand should be\n%s", b, a)
	}
	return ""
}

// withoutChance is an answer in JSON without what is drawn at random: the ids of progress groups, and that
// of the client's session, from which the Dockerfile came.
func withoutChance(t *testing.T, text string) string {
	var answer any
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatalf("no JSON: %v\n%s", err, text)
	}
	var settle func(any)
	settle = func(value any) {
		switch value := value.(type) {
		case []any:
			for _, v := range value {
				settle(v)
			}
		case map[string]any:
			if group, ok := value["progress_group"].(map[string]any); ok {
				group["id"] = "random"
			}
			if _, isFile := value["filename"]; isFile {
				delete(value, "definition")
			}
			for _, v := range value {
				settle(v)
			}
		}
	}
	settle(answer)
	plain, err := json.MarshalIndent(answer, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}
