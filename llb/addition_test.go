package llb_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/llb/llbtest"
)

// spelling is one way to write an addition.
type spelling struct {
	row        string // what docs/language.md calls it
	dockerfile string
	opts       map[string]string
	// refusal is part of our error, for a form that leads nowhere in a file
	// at the top of its folder.
	refusal string
}

// spellings are all forms that Stagecraft adds outside of ONBUILD.
var spellings = []spelling{
	{row: "variables", dockerfile: "ARG X\nFROM alpine AS build\nFROM alpine\nCOPY --from=$X / /\n", opts: map[string]string{"build-arg:X": "build"}},
	{row: "variables", dockerfile: "FROM alpine AS build\nFROM alpine\nARG X=build\nCOPY --from=$X / /\n"},
	{row: "variables", dockerfile: "FROM alpine AS build\nFROM alpine\nCOPY --from=${X:-build} / /\n"},
	{row: "variables", dockerfile: "FROM alpine AS build-amd64\nFROM alpine\nCOPY --from=build-$TARGETARCH / /\n"},
	{row: "variables", dockerfile: "FROM alpine AS build\nFROM alpine\nARG X=build\nRUN --mount=from=$X,target=/x true\n"},
	{row: "variables", dockerfile: "FROM alpine AS build\nFROM alpine\nRUN --mount=type=cache,from=${X:-build},target=/x true\n"},
	{row: "variables", dockerfile: "FROM alpine AS build-amd64\nFROM alpine\nRUN --mount=target=/x,from=build-${TARGETARCH} true\n"},
	{row: "later stage", dockerfile: "FROM alpine AS app\nCOPY --from=build / /\nFROM alpine AS build\nFROM app\n"},
	{row: "later stage", dockerfile: "FROM alpine AS app\nCOPY --from=1 / /\nFROM alpine\nFROM app\n"},
	{row: "later stage", dockerfile: "FROM alpine AS app\nRUN --mount=from=build,target=/x true\nFROM alpine AS build\nFROM app\n"},
	{row: "nearest stage of the name", dockerfile: "FROM alpine AS x\nFROM alpine AS app\nCOPY --from=x / /\nFROM alpine AS x\nFROM app\n"},
	{row: "other file", dockerfile: "FROM ./svc/Dockerfile#build\n"},
	{row: "other file", dockerfile: "FROM ./svc/Dockerfile\n"},
	{row: "other file", dockerfile: "FROM ../Dockerfile#build\n", refusal: "outside the folder"},
	{row: "other file", dockerfile: "FROM /svc/Dockerfile#build AS x\n"},
	{row: "other file", dockerfile: "ARG F=./svc/Dockerfile\nFROM $F#build\n"},
	{row: "other file", dockerfile: "FROM alpine\nCOPY --from=./svc/Dockerfile#build / /\n"},
	{row: "other file", dockerfile: "FROM alpine\nCOPY --from=/svc/Dockerfile / /\n"},
	{row: "other file", dockerfile: "FROM alpine\nRUN --mount=from=./svc/Dockerfile#build,target=/x true\n"},
	{row: "other file", dockerfile: "FROM alpine\nRUN --mount=from=/svc/Dockerfile#build,target=/x true\n"},
	{row: "--after", dockerfile: "FROM alpine AS test\nFROM --after=test alpine\n"},
	{row: "--after", dockerfile: "FROM --after=test,lint alpine AS release\nFROM alpine AS test\nFROM alpine AS lint\nFROM release\n"},
	{row: "--after", dockerfile: "FROM --after=./svc/Dockerfile#build alpine\n"},
	{row: "--context", dockerfile: "FROM --context=./svc ./svc/Dockerfile#build\n"},
	{row: "--context", dockerfile: "FROM --context=named ./svc/Dockerfile#build\n"},
	{row: "FROM --no-cache", dockerfile: "FROM --no-cache alpine\n"},
	{row: "FROM --no-cache", dockerfile: "FROM --no-cache=true alpine\n"},
	{row: "FROM --no-cache", dockerfile: "FROM --no-cache=false alpine\n"},
	{row: "FROM --arg", dockerfile: "FROM alpine AS build\nFROM --arg=GO=1.25 build\n"},
	{row: "FROM --arg", dockerfile: "FROM --arg=A=1 --arg=B=\"two words\" ./svc/Dockerfile#build AS x\n"},
	{row: "FROM --arg", dockerfile: "ARG V=1\nFROM alpine AS build\nFROM --arg=GO=${V}x --platform=linux/arm64 build AS y\n"},
	{row: "FROM --target-platform", dockerfile: "FROM alpine AS build\nFROM --target-platform=$BUILDPLATFORM build\n"},
	{row: "FROM --target-platform", dockerfile: "FROM --target-platform=linux/arm64 alpine\n"},
	{row: "FROM --target-platform", dockerfile: "FROM --target-platform=linux/arm64 ./svc/Dockerfile\n"},
	{row: "FROM --target-platform", dockerfile: "FROM --platform=linux/arm64 ./svc/Dockerfile\n"},
	{row: "COPY --target-platform", dockerfile: "FROM alpine AS build\nFROM alpine\nCOPY --from=build --target-platform=$BUILDPLATFORM / /\n"},
	{row: "COPY --target-platform", dockerfile: "FROM alpine\nCOPY --target-platform=linux/arm64 --from=busybox / /\n"},
	{row: "COPY --if-exists", dockerfile: "FROM alpine\nCOPY --if-exists a b /\n"},
	{row: "COPY --if-exists", dockerfile: "FROM alpine AS x\nFROM alpine\nCOPY --if-exists --from=x a /\n"},
	{row: "COPY --if-exists", dockerfile: "FROM alpine\nCOPY --if-exists=false a /\n"},
	{row: "RUN --no-cache", dockerfile: "FROM alpine\nRUN --no-cache true\n"},
	{row: "RUN --no-cache", dockerfile: "FROM alpine\nRUN --no-cache [\"true\"]\n"},
	{row: "RUN --no-cache", dockerfile: "FROM alpine\nRUN --no-cache=false --network=none true\n"},
	{row: "UNSET", dockerfile: "FROM alpine\nUNSET ENV PATH HOME\n"},
	{row: "UNSET", dockerfile: "FROM alpine\nUNSET ENV *\n"},
	{row: "UNSET", dockerfile: "FROM alpine\nUNSET LABEL a\n"},
	{row: "UNSET", dockerfile: "FROM alpine\nUNSET EXPOSE 80/tcp\n"},
	{row: "UNSET", dockerfile: "FROM alpine\nUNSET VOLUME /data\n"},
	{row: "UNSET", dockerfile: "FROM alpine\nUNSET ENTRYPOINT\n"},
	{row: "UNSET", dockerfile: "FROM alpine\nUNSET CMD\n"},
	{row: "UNSET", dockerfile: "FROM alpine\nUNSET HEALTHCHECK\n"},
	{row: "UNSET", dockerfile: "FROM alpine\nUNSET USER\n"},
	{row: "--keep-root", dockerfile: "FROM alpine AS build\nFROM alpine\nCOPY --from=build --keep-root /app /app\n"},
	{row: "--keep-root", dockerfile: "FROM alpine\nCOPY --keep-root=true app /app\n"},
	{row: "WORKDIR", dockerfile: "FROM alpine\nWORKDIR --chown=1:2 /app\n"},
	{row: "WORKDIR", dockerfile: "FROM alpine\nWORKDIR --chmod=700 /app\n"},
	{row: "--squash", dockerfile: "FROM --squash=all alpine\n"},
	{row: "--squash", dockerfile: "FROM alpine AS build\nFROM --squash=all build AS release\n"},
	{row: "UNSET", dockerfile: "FROM alpine\nUNSET WORKDIR\n"},
	{row: "UNSET", dockerfile: "FROM alpine\nUNSET STOPSIGNAL\n"},
	{row: "UNSET", dockerfile: "FROM alpine\nUNSET SHELL\n"},
	{row: "UNSET", dockerfile: "FROM alpine\nUNSET ONBUILD\n"},
	{row: "UNSET", dockerfile: "FROM alpine\nunset env A\n"},
	{row: "ENV --file", dockerfile: "FROM alpine\nENV --file=./values\n"},
	{row: "ENV --file", dockerfile: "FROM alpine\nenv --file=/values\n"},
	{row: "LABEL --file", dockerfile: "FROM alpine\nLABEL --file=./values\n"},
	{row: "ENV --from", dockerfile: "FROM alpine AS x\nENV A=1\nFROM alpine\nENV --from=x A\n"},
	{row: "ENV --from", dockerfile: "FROM alpine AS x\nENV A=1 B=2\nFROM alpine\nenv --from=x A B\n"},
	{row: "ENV --from", dockerfile: "FROM alpine\nENV --from=busybox *\n"},
	{row: "ENV --from", dockerfile: "FROM alpine\nENV --from=$X PATH\n", opts: map[string]string{"build-arg:X": "busybox"}, refusal: "X is not set"},
	{row: "LABEL --from", dockerfile: "FROM alpine AS x\nLABEL a.b=1\nFROM alpine\nLABEL --from=x a.b\n"},
	{row: "LABEL --from", dockerfile: "FROM alpine\nLABEL --from=./svc/Dockerfile#build *\n"},
	{row: "INCLUDE", dockerfile: "INCLUDE ./steps\nFROM alpine\n"},
	{row: "INCLUDE", dockerfile: "FROM alpine\nINCLUDE ./steps\n"},
	{row: "INCLUDE", dockerfile: "FROM alpine\nINCLUDE ../steps\n", refusal: "outside the folder"},
	{row: "INCLUDE", dockerfile: "FROM alpine\nINCLUDE /steps\n"},
	{row: "INCLUDE", dockerfile: "FROM alpine\ninclude ./steps\n"},
}

// beside are files for the spellings that name one.
var beside = map[string]string{
	"svc/Dockerfile": "FROM alpine AS build\nRUN make\n",
	"steps":          "ENV A=1\n",
	"values":         "A=1\n",
}

// No file that docker/dockerfile accepts changes its meaning: it rejects each
// form that Stagecraft adds, and Stagecraft accepts each. (Inside ONBUILD
// upstream accepts everything: it stores the text.)
func TestAdditionsAreNew(t *testing.T) {
	for _, s := range spellings {
		t.Run(fmt.Sprintf("%s/%q", s.row, s.dockerfile), func(t *testing.T) {
			r := llbtest.Request{
				Dockerfile: []byte(strings.ReplaceAll(s.dockerfile, "INCLUDE ./steps\nFROM", "INCLUDE ./args\nFROM")),
				Beside:     map[string]string{"args": "ARG A=1\n"},
				InContext:  beside,
				Opts:       map[string]string{"platform": "linux/amd64"},
			}
			for name, text := range beside {
				r.Beside[name] = text
			}
			r = r.With(s.opts)
			if llbtest.Oracle {
				theirs := llbtest.Upstream(t.Context(), r)
				switch {
				case theirs.Err == nil:
					t.Error("docker/dockerfile accepts it")
				case llbtest.Addition(r, theirs.Err) == "":
					t.Errorf("docker/dockerfile rejects it for another reason: %v", theirs.Err)
				}
			}
			ours := llbtest.Ours(t.Context(), r)
			if s.refusal == "" && ours.Err != nil || s.refusal != "" && !strings.Contains(fmt.Sprint(ours.Err), s.refusal) {
				t.Errorf("Stagecraft has for it: %v", ours.Err)
			}
		})
	}
}
