package llb_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stagecraft/stagecraft/llb/llbtest"
)

// wrongUse is something that is wrong in the use of an addition.
type wrongUse struct {
	dockerfile string
	beside     map[string]string
	want       string // the place and the whole text of the error
}

// What is wrong with an addition is said with its place, in the words of the
// file, and with what to do next.
func TestAdditionErrors(t *testing.T) {
	for _, c := range []wrongUse{
		// Variables in references.
		{"FROM alpine AS build\nFROM alpine\nCOPY --from=$BASE / /\n", nil,
			"line 3: --from=$BASE: BASE is not set: no ARG before the first FROM has the name, nor an ARG or ENV above in this stage; declare it: ARG BASE=…; stages that it could mean: build"},
		{"FROM alpine AS build\nFROM alpine\nARG TARGETVERSION=1\nCOPY --from=$TARGETVERSON / /\n", nil,
			"line 4: --from=$TARGETVERSON: TARGETVERSON is not set: no ARG before the first FROM has the name, nor an ARG or ENV above in this stage; declare it: ARG TARGETVERSON=…; " +
				"known variables are TARGETVERSION; stages that it could mean: build (did you mean TARGETVERSION?)"},
		{"ARG BASE\nFROM alpine AS build\nFROM alpine\nCOPY --from=$BASE / /\n", nil,
			"line 4: --from=$BASE: BASE is not set: ARG BASE on line 1 has no default and no build argument; " +
				"give one with --build-arg BASE=…, or a default in ARG BASE on line 1; stages that it could mean: build"},
		{"FROM alpine AS build\nFROM alpine\nARG BASE\nRUN --mount=from=${BASE},target=/x true\n", nil,
			"line 4: --mount=from=${BASE}: BASE is not set: ARG BASE on line 3 has no default and no build argument; " +
				"give one with --build-arg BASE=…, or a default in ARG BASE on line 3; stages that it could mean: build"},
		{"FROM alpine AS ext-a\nFROM alpine AS ext-b\nFROM alpine AS other\n\nFROM alpine\nARG EDITION\nCOPY --from=ext-$EDITION / /\n", nil,
			"line 7: --from=ext-$EDITION: EDITION is not set: ARG EDITION on line 6 has no default and no build argument; " +
				"give one with --build-arg EDITION=…, or a default in ARG EDITION on line 6; stages that it could mean: ext-a, ext-b"},
		{"FROM alpine AS build\nFROM alpine\nARG BASE=\nCOPY --from=$BASE / /\n", nil,
			"line 4: --from=$BASE: the value is empty, where BASE is empty, from ARG BASE on line 3; stages that it could mean: build"},
		{"FROM alpine\nCOPY --from=${TARGETVARIANT} / /\n", nil,
			"line 2: --from=${TARGETVARIANT}: the value is empty, where TARGETVARIANT is empty, from the target platform"},
		{"FROM alpine\nCOPY --from=${A:-} / /\n", nil,
			"line 2: --from=${A:-}: the value is empty, where A is not set"},
		{"FROM alpine AS build\nFROM alpine\nENV A=$HOME\nARG B=$A\nARG C=x$B\nRUN --mount=target=/x,from=$C true\n", nil,
			"line 6: --mount=from=$C: C is not known before the build runs: the default of ARG C on line 5 uses B: the default of ARG B on line 4 uses A: " +
				"ENV A on line 3 uses HOME, which only the base image alpine could set; write ARG HOME=… above it"},
		{"ARG TAG=3.19\nFROM alpine\nENV TAG=$TAG\nCOPY --from=alpine:$TAG / /\n", nil,
			"line 4: --from=alpine:$TAG: TAG is not known before the build runs: ENV TAG on line 3 uses TAG, which this stage does not declare; write ARG TAG above it"},
		{"FROM alpine AS build\nFROM alpine\nARG BASE=$HOME\nCOPY --from=$BASE / /\n", nil,
			"line 4: --from=$BASE: BASE is not known before the build runs: the default of ARG BASE on line 3 uses HOME, which only the base image alpine could set; write ARG HOME=… above it"},
		{"FROM alpine\nCOPY --from=${A / /\n", nil,
			`line 2: --from=${A: failed to process "${A": unsupported modifier (�) in substitution; a flag ends at the first space: where the value has one, put it in quotes, such as --from="${NAME:?it is required}"`},
		{"FROM alpine AS build\nFROM alpine\nARG X\nCOPY --from=${X:?say which} / /\n", nil,
			`line 4: --from=${X:?say: failed to process "${X:?say": syntax error: missing '}'; a flag ends at the first space: where the value has one, put it in quotes, such as --from="${NAME:?it is required}"`},
		{"FROM alpine AS build\nFROM alpine\nARG X\nCOPY --from=\"${X:?say which}\" / /\n", nil,
			`line 4: --from=${X:?say which}: `},
		{"FROM alpine AS build\nFROM alpine\nINCLUDE ./env\nCOPY --from=$BASE / /\n", map[string]string{"env": "ENV BASE=$NONE\n"},
			"line 4: --from=$BASE: BASE is not known before the build runs: ENV BASE on env:1 uses NONE, which only the base image alpine could set; write ARG NONE=… above it"},
		{"ARG X=build\nFROM alpine AS build\nFROM alpine\nENV X=y\nUNSET ENV X\nCOPY --from=$X / /\n", nil,
			"line 6: --from=$X: X is not set: UNSET ENV on line 5 removes it; set it again after that, with ARG X=… or ENV X=…; stages that it could mean: build"},
		{"FROM alpine AS base\nONBUILD ENV X=$HOME\nFROM base\nCOPY --from=$X / /\n", nil,
			"line 4: --from=$X: X is not known before the build runs: ENV X on line 3 (a trigger of the base) uses HOME, which only the base image alpine could set; write ARG HOME=… above it"},

		// What the base image sets, against what the file says.
		{"FROM alpine AS build-amd64\nFROM example.com/withenv\nCOPY --from=build-$TARGETARCH / /\n", nil,
			"line 3: --from=build-$TARGETARCH means build-amd64, but RUN has TARGETARCH=fromimage there, because of the base image example.com/withenv, its triggers or an ENV --from; " +
				"to set it in this stage, write ARG TARGETARCH above the line"},
		{"FROM alpine AS build\nFROM example.com/withenv AS base\nFROM base\nRUN --mount=from=${VERSION:-build},target=/x true\n", nil,
			"line 4: --mount=from=${VERSION:-build} means build, but RUN has VERSION=9.9 there, because of the base image example.com/withenv, its triggers or an ENV --from; " +
				"to set it in this stage, write ARG VERSION=… above the line"},
		{"FROM alpine AS build\nFROM example.com/withenv AS base\nFROM base\nARG VERSION=build\nUNSET ENV VERSION\nCOPY --from=$VERSION / /\n", nil,
			"line 6: --from=$VERSION means build, but RUN has no VERSION there, because of the base image example.com/withenv, its triggers or an ENV --from; " +
				"to set it in this stage, write ARG VERSION=… above the line"},
		{"FROM alpine AS build\nFROM example.com/onbuild\nCOPY --from=${NODE_ENV:-build} / /\n", nil,
			"line 3: --from=${NODE_ENV:-build} means build, but RUN has NODE_ENV=production there, because of the base image example.com/onbuild, its triggers or an ENV --from; " +
				"to set it in this stage, write ARG NODE_ENV=… above the line"},

		// Names that lead nowhere.
		{"FROM alpine AS tool-arm64\nFROM alpine AS tool-386\nFROM alpine AS other\nFROM alpine\nCOPY --from=tool-${TARGETARCH}-missing / /\n", nil,
			"line 5: no stage is called tool-amd64-missing (tool-${TARGETARCH}-missing, where TARGETARCH is amd64, from the target platform); " +
				"stages that begin alike are tool-arm64, tool-386; as an image: tool-amd64-missing: docker.io/library/tool-amd64-missing:latest: not found"},
		{"FROM alpine AS build-x\nFROM alpine\nRUN --mount=from=build-missing,target=/m true\n", nil,
			"line 3: no stage is called build-missing; stages that begin alike are build-x; as an image: build-missing: docker.io/library/build-missing:latest: not found"},
		{"FROM alpine AS build\nFROM alpine\nCOPY --from=missing / /\n", nil,
			"line 3: no stage is called missing; as an image: missing: docker.io/library/missing:latest: not found"},
		{"FROM alpine AS build\nFROM alpine\nCOPY --from=missing:1 / /\n", nil,
			"line 3: missing:1: docker.io/library/missing:1: not found"},
		{"FROM missing AS app\nFROM alpine AS missing\nFROM app\n", nil,
			"line 1: stage missing stands further down, on line 2, and FROM means stages above it only; as an image: missing: docker.io/library/missing:latest: not found"},
		{"FROM alpine\nCOPY --from=lib/Dockerfile / /\n", nil,
			`line 2: failed to parse stage name "lib/Dockerfile": invalid reference format: repository name (lib/Dockerfile) must be lowercase; a stage of another file is written ./lib/Dockerfile#stage`},
		{"FROM alpine\nCOPY --from=missing/dockerfile / /\n", nil,
			`line 2: missing/dockerfile: docker.io/missing/dockerfile:latest: not found; a stage of another file is written ./missing/dockerfile#stage`},
		{"FROM lib\\Dockerfile#build\n", nil,
			"line 1: failed to parse stage name \"libDockerfile#build\": invalid reference format: repository name (library/libDockerfile#build) must be lowercase; a stage of another file is written ./lib/Dockerfile#build"},
		{"ARG DIR=svc\nFROM ./$DIR/Dockerfile#build\n", nil,
			"line 2: cannot take a stage from ./svc/Dockerfile#build: svc/Dockerfile: no such file; in ./$DIR/Dockerfile#build, DIR is svc, from ARG DIR on line 1"},
		{"FROM alpine\nARG STAGE=biuld\nCOPY --from=./svc#$STAGE / /\n", map[string]string{"svc": "FROM alpine AS build\n"},
			`line 3: ./svc#biuld: there is no stage "biuld" in svc; it has build (did you mean build?); in ./svc#$STAGE, STAGE is biuld, from ARG STAGE on line 2`},
		{"ARG DIR=svc\nFROM ./$DIR\n", map[string]string{"svc": "FROM alpine\nRUNN x\n"},
			"file 1 line 2: dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)"},

		// References that no image can have.
		{"FROM ./svc AS svc\nFROM Bad:1\nCOPY --from=svc / /\n", map[string]string{"svc": "FROM alpine AS a\nCOPY --from=Bad:2 / /\nFROM alpine\nCOPY --from=a / /\nCOPY --from=Bad:3 / /\n"},
			`line 2: failed to parse stage name "Bad:1": invalid reference format: repository name (library/Bad) must be lowercase; ` +
				`on svc:2: failed to parse stage name "Bad:2": invalid reference format: repository name (library/Bad) must be lowercase; ` +
				`on svc:5: failed to parse stage name "Bad:3": invalid reference format: repository name (library/Bad) must be lowercase`},

		// Circles.
		{"FROM alpine AS a\nCOPY --from=b / /\nFROM alpine AS b\nINCLUDE ./steps\nFROM a AS c\n", map[string]string{"steps": "ENV X=1\nRUN --mount=from=c,target=/c true\n"},
			"line 2: circular dependency detected on stage: a: a -(copy, line 2)-> b -(mount, steps:2)-> c -(base, line 5)-> a; break the cycle by moving what these stages need from each other into a stage of its own"},

		// Other files.
		{"FROM ./svc#\n", nil,
			"line 1: ./svc#: write ./path/Dockerfile#stage, with one # and the name of a stage behind it"},
		{"FROM ./s\x01vc#build\n", nil,
			`line 1: cannot take a stage from another file: "./s\x01vc" has a control character (U+0001), and a file with one in its path cannot be asked for; remove the character, or rename the file`},
		{"FROM alpine\nCOPY --from=/s\x1bvc / /\n", nil,
			`line 2: cannot take a stage from another file: "/s\x1bvc" has a control character (U+001B), and a file with one in its path cannot be asked for; remove the character, or rename the file`},
		{"FROM --context=./s\x01vc ./svc\n", map[string]string{"svc": "FROM alpine\n"},
			`line 1: --context: "./s\x01vc" has a control character (U+0001), and a file with one in its path cannot be asked for; remove the character, or rename the file`},
		{"FROM ./svc#biuld\n", map[string]string{"svc": "FROM a AS lint\nFROM b AS build\n"},
			`line 1: ./svc#biuld: there is no stage "biuld" in svc; it has lint, build (did you mean build?)`},
		{"FROM alpine\nRUN --mount=from=./svc#x,target=/x true\n", map[string]string{"svc": "FROM a\n"},
			`line 2: ./svc#x: there is no stage "x" in svc; it has no stage with a name`},
		{"FROM ./svc\n", map[string]string{"svc": "FROM alpine\nRUNN x\n"},
			"file 1 line 2: dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)"},
		{"FROM alpine\n\nFROM ./svc\n", map[string]string{"svc": "ARG A=1\n"},
			"file 1 line 1: dockerfile contains no stages to build"},

		{"FROM ./strict\n", map[string]string{"strict": "# check=error=true\nFROM alpine\nCMD x\n"},
			"file 1 line 1: lint violation found for rules: JSONArgsRecommended"},

		// FROM --after, --context, --no-cache.
		{"FROM alpine AS test\nFROM --after=tset alpine\n", nil,
			"line 2: --after=tset: there is no stage of this name; known stages are test (did you mean test?)"},
		{"FROM --after=test alpine\n", nil,
			"line 1: --after=test: there is no stage of this name; no stage of this file has a name"},
		{"FROM alpine AS test\nFROM --after=0 alpine\n", nil,
			"line 2: --after=0: an index means a stage in COPY --from only; write the stage's name, and give it one with AS where it has none"},
		{"ARG GATE=test\nFROM alpine AS test\nFROM --after=$GATE alpine\n", nil,
			"line 3: --after=$GATE: variables are not expanded here; known stages are test"},
		{"FROM alpine AS test\nFROM --after=test, alpine\n", nil,
			"line 2: dockerfile parse error on line 2: --after needs the name of a stage, or several with commas between them"},
		{"FROM --context=./svc alpine\n", nil,
			"line 1: --context only applies to a stage of another file, and alpine is not a path; write FROM --context=./svc ./path/Dockerfile#stage"},
		{"FROM --context= ./svc\n", nil,
			"line 1: dockerfile parse error on line 1: --context needs a folder of the build context (./DIR) or the name of a named context"},
		{"FROM --context=../svc ./svc\n", map[string]string{"svc": "FROM alpine\n"},
			"line 1: --context=../svc is outside the build context"},
		{"ARG DIR=./svc\nFROM --context=$DIR ./svc\n", map[string]string{"svc": "FROM alpine\n"},
			"line 2: --context=$DIR: variables are not expanded here; write the folder, or a named context that the client chooses"},
		{"FROM --no-cache=maybe alpine\n", nil,
			"line 1: dockerfile parse error on line 1: expecting boolean value for flag --no-cache, not: maybe"},
		{"FROM --afer=x alpine\n", nil,
			"line 1: dockerfile parse error on line 1: unknown flag: --afer (did you mean after?)"},

		// FROM --arg, --target-platform.
		{"FROM alpine AS a\nFROM --arg=GO a\n", nil,
			"line 2: dockerfile parse error on line 2: --arg=GO: write --arg=NAME=VALUE, with the name of an ARG"},
		{"FROM alpine AS a\nFROM --arg=A=1 --arg=A=2 a\n", nil,
			"line 2: dockerfile parse error on line 2: --arg=A=2: A is set twice"},
		{"FROM alpine AS a\nFROM --arg=SOURCE_DATE_EPOCH=0 a\n", nil,
			"line 2: dockerfile parse error on line 2: --arg=SOURCE_DATE_EPOCH=0: SOURCE_DATE_EPOCH is an option of the whole build; give it with --build-arg"},
		{"FROM alpine AS a\nFROM --arg=http_proxy=x a\n", nil,
			"line 2: dockerfile parse error on line 2: --arg=http_proxy=x: http_proxy reaches the programs of the whole build; give it with --build-arg"},
		{"FROM alpine AS a\nFROM --arg=TARGETARCH=arm64 a\n", nil,
			"line 2: dockerfile parse error on line 2: --arg=TARGETARCH=arm64: TARGETARCH follows from the platform; choose that with --target-platform"},
		{"FROM --arg=GO=1 alpine\n", nil,
			"line 1: --arg only applies to a stage, and alpine is none; write the name of an earlier stage, or ./path/Dockerfile#stage"},
		{"FROM --arg=GO=1 later AS x\nFROM alpine AS later\nFROM x\n", nil,
			"line 1: --arg only applies to a stage, and later is none; the stage of this name stands further down, where FROM does not look: write it above"},
		{"FROM alpine AS a\nFROM --arg=GO=${A:?no} a\n", nil,
			"line 2: --arg=GO=${A:?no}: failed to process \"${A:?no}\": A: no"},
		{"FROM --target-platform=linux/arm64 scratch\n", nil,
			"line 1: --target-platform has no effect on scratch, which is the same on every platform; remove it"},
		{"FROM alpine AS a\nFROM --target-platform=$ARM a\n", nil,
			"line 2: --target-platform=$ARM: the value is empty; write a platform, such as linux/arm64 or $BUILDPLATFORM"},
		{"FROM alpine AS a\nFROM --target-platform=a/b/c/d a\n", nil,
			`line 2: --target-platform=a/b/c/d: failed to parse platform a/b/c/d: "a/b/c/d": cannot parse platform specifier: invalid argument`},
		{"FROM --platform=linux/arm64 --target-platform=linux/arm64 alpine\n", nil,
			"line 1: --platform and --target-platform are given both; keep --target-platform"},
		{"FROM alpine\nCOPY --target-platform=linux/arm64 a /\n", nil,
			"line 2: dockerfile parse error on line 2: --target-platform is the platform of a stage or an image: write it with --from"},
		{"FROM alpine\nCOPY --from=busybox --target-platform= a /\n", nil,
			"line 2: dockerfile parse error on line 2: --target-platform needs a platform, such as linux/arm64 or $BUILDPLATFORM"},
		{"FROM alpine AS a\nFROM --target-plattform=linux/arm64 a\n", nil,
			"line 2: dockerfile parse error on line 2: unknown flag: --target-plattform (did you mean target-platform?)"},
		{"FROM alpine AS a\nCOPY --from=a --target-platform=$TARGETPLATFORM / /\n", nil,
			"line 2: circular dependency detected on stage: a: a[linux/amd64] -(copy, line 2)-> a[linux/amd64]; a stage cannot copy from itself"},
		{"ARG X\nFROM alpine AS a\nCOPY --from=b / /\nFROM --arg=X=x$X a AS b\n", nil,
			"line 4: settings lead to further settings more than 64 levels deep, at a(X=xxxxxxxxxxxxxxxxxxxx…9537c5fdf120); does a stage need itself with ever new ones?"},

		// COPY --if-exists, RUN --no-cache.
		{"FROM alpine\nCOPY --if-exist a b\n", nil,
			"line 2: dockerfile parse error on line 2: unknown flag: --if-exist (did you mean if-exists?)"},
		{"FROM alpine\nCOPY --if-exists b\\\\in/file /x/\n", nil,
			`line 2: --if-exists cannot be used with /b\in/file: a folder of the path has a backslash in its name; rename it, or do without the flag`},
		{"FROM alpine\nRUN --no-cach true\n", nil,
			"line 2: dockerfile parse error on line 2: unknown flag: --no-cach (did you mean no-cache?)"},
		{"FROM alpine\nRUN --no-cache --no-cache true\n", nil,
			"line 2: dockerfile parse error on line 2: duplicate flag specified: --no-cache"},

		// ENV --file, LABEL --file.
		{"FROM alpine\nENV --file=app.env\n", nil,
			"line 2: dockerfile parse error on line 2: ENV --file=app.env: the path must start with ./ or ../, relative to this file, or with /, the root of the build context"},
		{"FROM alpine\nLABEL --file=./app.env a=b\n", nil,
			"line 2: dockerfile parse error on line 2: LABEL --file=./app.env takes no further arguments; write another LABEL for them"},
		{"FROM alpine\nENV --file=./$X.env\n", nil,
			"line 2: dockerfile parse error on line 2: ENV --file=./$X.env: variables are not expanded in the path; write the plain path"},
		{"FROM alpine\nENV --file=./a --file=./b\n", nil,
			"line 2: dockerfile parse error on line 2: duplicate flag specified: --file"},
		{"FROM alpine\nENV --fiel=./a\n", nil,
			"line 2: dockerfile parse error on line 2: unknown flag: --fiel (did you mean file?)"},
		{"FROM alpine\nENV --file=./app.env\n", nil,
			"line 2: ENV --file=./app.env: app.env: no such file"},
		{"FROM alpine AS unneeded\nENV --file=./app.env\nFROM scratch\n", nil, ""},
		{"FROM alpine\nENV --file=./app.env\n", map[string]string{"app.env": "A=1\nB='2\n"},
			"file 1 line 2: the value has no ' at its end"},
		{"FROM alpine\nENV --file=./app.env\n", map[string]string{"app.env": "A=1\nB=${C:?not given}\n"},
			`file 1 line 2: failed to process "${C:?not given}": C: not given`},
		{"FROM alpine AS base\nONBUILD ENV --file=./app.env\nFROM base\n", nil,
			"line 3: ENV --file=./app.env: app.env: no such file"},
		{"FROM alpine AS build\nFROM alpine\nENV --file=./app.env\nCOPY --from=$STAGE / /\n", map[string]string{"app.env": "\nSTAGE=$USER\n"},
			"line 4: --from=$STAGE: STAGE is not known before the build runs: STAGE on app.env:2 uses USER, which only the base image alpine could set; write ARG USER=… above it"},

		{"FROM --squash alpine\n", nil,
			"line 1: dockerfile parse error on line 1: missing a value on flag: --squash"},
		{"FROM --squash=layers alpine\n", nil,
			"line 1: dockerfile parse error on line 1: --squash=all makes one layer of the whole filesystem; there is no other form"},
		{"FROM --squash=all scratch\n", nil,
			"line 1: --squash=all requires a stage or an image with files; scratch has none"},
		{"FROM alpine\nCOPY --keep-root --parents a b\n", nil,
			"line 2: --keep-root does not go with --parents, which keeps the folders on the way anyway"},
		{"FROM alpine\nCOPY --keep-root --if-exists a b\n", nil,
			"line 2: --keep-root does not go with --if-exists: the folder must be there"},
		{"FROM alpine\nCOPY --keep-root a b c/\n", nil,
			"line 2: --keep-root requires exactly one folder to copy, without wildcards; write a COPY for each"},
		{"FROM alpine\nCOPY --keep-root a* c/\n", nil,
			"line 2: --keep-root requires exactly one folder to copy, without wildcards; write a COPY for each"},
		{"FROM alpine\nCOPY --keep-root a .\n", nil,
			"line 2: --keep-root cannot change the root of a filesystem; copy to a folder in it, or do without the flag"},
		{"FROM alpine\nCOPY --keep-roots a b\n", nil,
			"line 2: dockerfile parse error on line 2: unknown flag: --keep-roots (did you mean keep-root?)"},
		{"FROM alpine\nWORKDIR --chmod=u+x /w\n", nil,
			"line 2: WORKDIR --chmod=u+x: the mode of a folder that is made is an octal number up to 777; for other bits write RUN chmod after it"},
		{"FROM alpine\nWORKDIR --chmod=1777 /w\n", nil,
			"line 2: WORKDIR --chmod=1777: the mode of a folder that is made is an octal number up to 777; for other bits write RUN chmod after it"},
		{"FROM alpine\nWORKDIR --chownn=1 /w\n", nil,
			"line 2: dockerfile parse error on line 2: unknown flag: --chownn (did you mean chown?)"},

		// ENV --from, LABEL --from.
		{"FROM alpine AS build\nENV VERSION=1\nFROM alpine\nENV --from=build VERSOIN\n", nil,
			"line 4: ENV --from=build: the image config of build has no variable VERSOIN; it has PATH, VERSION (did you mean VERSION?)"},
		{"FROM scratch AS build\nFROM alpine\nLABEL --from=build version\n", nil,
			"line 3: LABEL --from=build: the image config of build has no label version; it has none"},
		{"FROM alpine\nENV --from=build\n", nil,
			"line 2: dockerfile parse error on line 2: ENV --from=build requires at least one name; * takes all"},
		{"FROM alpine\nENV --from=build A=1\n", nil,
			"line 2: dockerfile parse error on line 2: ENV --from=build takes names without values, not A=1; write another ENV for values"},
		{"FROM alpine\nENV --from= A\n", nil,
			"line 2: dockerfile parse error on line 2: ENV --from needs the name of a stage or an image"},
		{"FROM alpine\nENV A\n", nil,
			"line 2: ENV must have two arguments"},
		{"FROM alpine\nRUN <<E\nENV --from=x A\nE\nENV \\\n  --from=missing A\n", nil,
			"line 5: ENV must have two arguments"},
		{"FROM alpine\nENV --from=missing A\n", nil,
			"line 2: no stage is called missing; as an image: missing: docker.io/library/missing:latest: not found"},
		{"FROM alpine AS a\nENV --from=b A\nFROM alpine AS b\nENV --from=a A\n", nil,
			"line 2: circular dependency detected on stage: a: a -(config, line 2)-> b -(config, line 4)-> a; break the cycle by moving what these stages need from each other into a stage of its own"},
		{"FROM alpine AS a\nENV --from=a A\n", nil,
			"line 2: circular dependency detected on stage: a: a -(config, line 2)-> a; a stage cannot take over its own config"},
		{"FROM alpine AS build\nENV STAGE=build\nFROM alpine\nENV --from=build STAGE\nCOPY --from=$STAGE / /\n", nil,
			"line 5: --from=$STAGE: STAGE is not known before the build runs: ENV on line 4 takes it over from build, whose config is read when the build is known; write ARG STAGE=… after it"},
		{"FROM alpine AS x\nFROM alpine AS tool\nENV X=y\nFROM alpine\nENV --from=tool *\nCOPY --from=${X:-x} / /\n", nil,
			"line 6: --from=${X:-x} means x, but RUN has X=y there, because of the base image alpine, its triggers or an ENV --from; to set it in this stage, write ARG X=… above the line"},

		// UNSET.
		{"FROM alpine\nUNSET\n", nil,
			"line 2: dockerfile parse error on line 2: UNSET requires an argument, for example UNSET ENV NAME"},
		{"FROM alpine\nUNSET LABLE a\n", nil,
			"line 2: dockerfile parse error on line 2: UNSET does not know LABLE; it removes ENV, LABEL, EXPOSE, VOLUME, ENTRYPOINT, CMD, HEALTHCHECK, USER, WORKDIR, STOPSIGNAL, SHELL, ONBUILD (did you mean LABEL?)"},
		{"FROM alpine\nUNSET PATH\n", nil,
			"line 2: dockerfile parse error on line 2: UNSET does not know PATH; to remove a variable write UNSET ENV PATH"},
		{"FROM alpine\nUNSET HTTP_PROXY  NO_PROXY\n", nil,
			"line 2: dockerfile parse error on line 2: UNSET does not know HTTP_PROXY; to remove a variable write UNSET ENV HTTP_PROXY NO_PROXY"},
		{"FROM alpine\nUNSET ENV\n", nil,
			"line 2: dockerfile parse error on line 2: UNSET ENV requires at least one argument; * removes all"},
		{"FROM alpine\nUNSET USER root\n", nil,
			"line 2: dockerfile parse error on line 2: UNSET USER takes no arguments"},
		{"FROM alpine\nUNSET --all ENV\n", nil,
			"line 2: dockerfile parse error on line 2: unknown flag: --all; UNSET has none"},
		{"FROM alpine\nUNSET VOLUME [\"/data\"]\n", nil,
			"line 2: dockerfile parse error on line 2: UNSET VOLUME takes paths with spaces between them, not JSON: UNSET VOLUME /data /logs"},
		{"FROM alpine\nARG OLD\nUNSET ENV $OLD\n", nil,
			"line 3: UNSET ENV: $OLD expands to nothing; * removes all"},
		{"FROM alpine\nUNSET EXPOSE http\n", nil,
			"line 2: invalid containerPort: http"},
		{"FROM alpine\nUNSTE ENV A\n", nil,
			"line 2: dockerfile parse error on line 2: unknown instruction: UNSTE (did you mean UNSET?)"},

		// INCLUDE.
		{"FROM alpine\nINCLUDE\n", nil,
			"line 2: INCLUDE requires exactly one argument, the path of a file"},
		{"FROM alpine\nINCLUDE ./a ./b\n", nil,
			"line 2: INCLUDE requires exactly one argument, the path of a file"},
		{"FROM alpine\nINCLUDE ./$A\n", nil,
			"line 2: INCLUDE ./$A: variables are not expanded here, because the file must be known before any variable has a value"},
		{"FROM alpine\nINCLUDE steps\n", nil,
			"line 2: INCLUDE steps: the path must start with ./ or ../, relative to this file, or with /, the root of the build context"},
		{"FROM alpine\nINCLUDE ./a\x00b\n", nil,
			`line 2: INCLUDE: "./a\x00b" has a control character (U+0000), and a file with one in its path cannot be asked for; remove the character, or rename the file`},
		{"FROM alpine\nINCLUDE /a\x7fb\n", nil,
			`line 2: INCLUDE: "/a\x7fb" has a control character (U+007F), and a file with one in its path cannot be asked for; remove the character, or rename the file`},
		{"FROM alpine\nINCLUDE \"./steps\"\n", nil,
			"line 2: INCLUDE \"./steps\": quotes have no meaning here, write the plain path"},
		{"FROM alpine\nINCLUDE --once ./steps\n", nil,
			"line 2: unknown flag: --once; INCLUDE has none"},
		{"FROM alpine\nINCLUDE ./steps\n", nil,
			"line 2: INCLUDE ./steps: steps: no such file"},
		{"FROM alpine\nINCLUDE ./steps\n", map[string]string{"steps": "# nothing\n"},
			"file 1 line 1: file with no instructions"},
		{"FROM alpine\nINCLUDE ./steps\n", map[string]string{"steps": "RUN true\nCOPY --form=x a b\n"},
			"file 1 line 2: dockerfile parse error on line 2: unknown flag: --form (did you mean from?)"},
		{"INCLUDE ./steps\nFROM alpine\n", map[string]string{"steps": "ARG A=1\nRUN true\n"},
			"file 1 line 2: no build stage in current context"},
		{"FROM alpine\nINCLUDE ./steps\n", map[string]string{"steps": "INCLUDE ./more\n", "more": "ENV A=1\nINCLUDE ./steps\n"},
			"file 2 line 2: INCLUDE ./steps: the file includes itself: Dockerfile -> steps -> more -> steps"},
		{"FROM alpine\nINCLUDE ./1\n", levels(17),
			"file 16 line 1: INCLUDE ./17: files are included more than 16 levels deep"},
		{"FROM alpine\nINCLUDE ./1\n", levels(16), ""},
		{"FROM alpine\nINCLDUE ./steps\n", nil,
			"line 2: dockerfile parse error on line 2: unknown instruction: INCLDUE (did you mean INCLUDE?)"},

		// The second time is another place.
		{"FROM alpine\nINCLUDE ./steps\nFROM scratch\nINCLUDE ./steps\n", map[string]string{"steps": "COPY --from=0 --chmod=999 a b\n"},
			"file 1 line 1: circular dependency detected on stage: stage-0: stage-0 -(copy, steps:1)-> stage-0; a stage cannot copy from itself"},
		{"FROM alpine AS a\nINCLUDE ./steps\nFROM scratch\nINCLUDE ./steps\n", map[string]string{"steps": "COPY --chmod=999 a b\n"},
			"file 2 line 1: invalid chmod parameter: '999'. it should be octal string and between 0 and 07777"},

		// Triggers. They have no place of their own: it is the FROM that fires them.
		{"FROM alpine AS base\nONBUILD INCLUDE ./hook\nFROM base\n", nil,
			"line 3: a trigger of base: INCLUDE ./hook: hook: no such file"},
		{"FROM alpine AS base\nONBUILD INCLUDE ./hook\nFROM base\n", map[string]string{"hook": "RUN true\nFROM x\n"},
			"file 1 line 2: a trigger of base: FROM isn't allowed in a file that an ONBUILD trigger includes"},
		{"FROM alpine AS base\nONBUILD COPY --from=$KIND / /\nFROM base\n", nil,
			"line 3: --from=$KIND: KIND is not set: no ARG before the first FROM has the name, nor an ARG or ENV above in this stage; declare it: ARG KIND=…; stages that it could mean: base"},
		{"FROM alpine AS base\nONBUILD UNSET USERS\nFROM base\n", nil,
			"line 3: UNSET does not know USERS; it removes ENV, LABEL, EXPOSE, VOLUME, ENTRYPOINT, CMD, HEALTHCHECK, USER, WORKDIR, STOPSIGNAL, SHELL, ONBUILD (did you mean USER?)"},
	} {
		t.Run(fmt.Sprintf("%q", c.dockerfile), func(t *testing.T) {
			r := llbtest.Request{
				Dockerfile: []byte(c.dockerfile),
				Beside:     c.beside,
				Opts:       map[string]string{"platform": "linux/amd64"},
			}
			for _, f := range llbtest.Show(t.Context(), r) {
				got := strings.TrimSuffix(string(f.Data), "\n")
				if f.Name == "error" && (got != c.want && (!strings.HasSuffix(c.want, ": ") || !strings.HasPrefix(got, c.want))) {
					t.Errorf("want %s\ngot  %s", c.want, got)
				}
				if f.Name == "plan" && c.want != "" {
					t.Error("it is accepted")
				}
			}
		})
	}
}

// levels are files of which each includes the next, this many.
func levels(n int) map[string]string {
	files := map[string]string{fmt.Sprint(n): "ENV LAST=1\n"}
	for i := 1; i < n; i++ {
		files[fmt.Sprint(i)] = fmt.Sprintf("INCLUDE ./%d\n", i+1)
	}
	return files
}
