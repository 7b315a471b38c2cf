package review_test

import (
	"testing"

	"github.com/stagecraft/stagecraft/frontend/review"
)

// cases are Dockerfiles that a rule must find something in, or must not.
var cases = []struct {
	rule  string
	found int
	text  string
}{
	// A number is a stage only in COPY --from; in a mount it is an image.
	{"NumericFrom", 0, lines("FROM alpine:3.19 AS a", "FROM scratch", "RUN --mount=from=0,target=/m true")},
	{"NumericFrom", 2, lines("FROM alpine:3.19 AS a", "FROM scratch", "COPY --from=0 /a /", "COPY --from=0 /b /")},
	// The name means another stage there: a person has to decide.
	{"NumericFrom", 1, lines("FROM alpine:3.19 AS a", "FROM alpine:3.19 AS a", "FROM scratch", "COPY --from=0 /a /")},

	{"MisspeltStage", 0, lines("FROM alpine:3.19 AS nodes", "FROM scratch", "COPY --from=node /a /")},
	{"MisspeltStage", 0, lines("FROM alpine:3.19 AS build", "FROM scratch", "COPY --from=templates /a /")},
	{"MisspeltStage", 1, lines("FROM alpine:3.19 AS build", "FROM biuld")},

	{"LaterStage", 0, lines("FROM alpine AS base", "FROM base AS alpine")},

	{"UnreachableStage", 0, lines("FROM alpine:3.19", "FROM scratch", "COPY --from=0 /a /")},
	{"UnreachableStage", 0, lines("FROM alpine:3.19 AS tool", "FROM scratch")},
	{"UnreachableStage", 0, lines("FROM alpine:3.19", "FROM scratch AS tool", "COPY --from=0 /a /", "FROM scratch")},

	{"UnpinnedBase", 0, lines("FROM golang:1.22", "FROM debian:bookworm-slim",
		"FROM alpine@sha256:0123456789012345678901234567890123456789012345678901234567890123")},
	{"UnpinnedBase", 1, lines("FROM ubuntu:rolling-amd64")},
	{"UnpinnedBase", 0, lines("FROM scratch", "RUN --mount=type=cache,target=/c,from=busybox true")},
	{"UnpinnedBase", 1, lines("FROM scratch", "RUN --mount=target=/c,from=busybox true")},

	{"ComposedBase", 0, lines("ARG A=1", "ARG B=2", "FROM alpine:$A AS x-1", "FROM x-$A", "FROM debian:${B}-slim")},
	{"ComposedBase", 0, lines("ARG A=3.19", "FROM alpine:$A-$A")},

	{"LooseSyntax", 0, lines("# syntax=docker/dockerfile:1", "FROM scratch")},
	{"LooseSyntax", 0, lines("# syntax=docker/dockerfile-upstream:master", "FROM scratch")},
	{"LooseSyntax", 1, lines("# syntax=docker/dockerfile:latest", "FROM scratch")},

	{"UndeclaredArg", 0, lines("ARG X=1", "FROM alpine:3.19", "RUN X=2; echo $X")},
	{"UndeclaredArg", 0, lines("ARG X=1", "FROM alpine:3.19", "RUN for X in a b; do echo $X; done")},
	{"UndeclaredArg", 0, lines("ARG X=1", "FROM alpine:3.19", "RUN echo '$X'")},
	{"UndeclaredArg", 0, lines("ARG X=1", "FROM alpine:3.19 AS a", "ARG X", "FROM a", "RUN echo $X")},
	{"UndeclaredArg", 0, lines("ARG X=1", "FROM alpine:3.19", "ENV X=3", "RUN echo $X")},
	{"UndeclaredArg", 1, lines("ARG X=1", "FROM alpine:3.19", "RUN echo $X", "ARG X", "RUN echo $X")},
	{"UndeclaredArg", 0, lines("ARG X=1", "FROM alpine:3.19", `SHELL ["powershell"]`, "RUN echo $X")},
	{"UndeclaredArg", 1, lines("ARG X=1", "FROM alpine:3.19", "RUN <<EOF", "echo ${X:-y}", "EOF")},

	{"UngatedTest", 0, lines("FROM golang:1.22 AS build", "FROM build AS test", "RUN go test ./... || true", "FROM scratch", "CMD x")},
	{"UngatedTest", 0, lines("FROM golang:1.22 AS build", "FROM build AS test", "RUN go test | tee /log", "FROM scratch", "COPY --from=test /log /")},
	{"UngatedTest", 0, lines("FROM golang:1.22 AS build", "FROM --after=test scratch", "CMD x", "FROM build AS test", "RUN go test",
		"FROM scratch AS test-results", "COPY --from=test /x /")},
	{"UngatedTest", 1, lines("FROM golang:1.22 AS build", "FROM build AS unit", "RUN make test", "FROM scratch", "CMD x")},
	{"UngatedTest", 0, lines("FROM golang:1.22 AS build", "FROM build AS bench", "RUN go test -bench . -run=^$", "FROM scratch", "CMD x")},

	{"BuildInFinal", 0, lines("FROM php:8.3-fpm", "RUN apk add --virtual .deps gcc && make && apk del .deps", "CMD x")},
	{"BuildInFinal", 0, lines("FROM golang:1.22", "RUN go build -o /x", `CMD ["bash"]`)},
	{"BuildInFinal", 0, lines("FROM golang:1.22 AS dev", "RUN go build -o /x", `CMD ["/x"]`)},
	{"BuildInFinal", 1, lines("FROM rust:1.76 AS build", "RUN cargo build --release", "FROM build", `CMD ["/x"]`)},

	{"ToolchainInFinal", 0, lines("FROM eclipse-temurin:21-jre", "CMD java")},
	{"ToolchainInFinal", 1, lines("FROM eclipse-temurin:21", "CMD java")},
	{"ToolchainInFinal", 0, lines("FROM node:20-slim", "CMD node")},
	{"ToolchainInFinal", 1, lines("FROM node:20", "CMD node")},
	{"ToolchainInFinal", 0, lines("FROM example.com/golang:1", "CMD x")},

	{"CompilerInFinal", 0, lines("FROM debian:12", "RUN apt-get update && apt-get install -y gcc && pip install x && apt-get purge -y gcc", "CMD x")},

	{"PackageCacheInFinal", 0, lines("FROM alpine:3.19", "RUN apk add --no-cache curl", "CMD x")},
	{"PackageCacheInFinal", 0, lines("FROM alpine:3.19", "RUN apk update && apk add curl && rm -rf /var/cache/apk/*", "CMD x")},
	{"PackageCacheInFinal", 0, lines("FROM debian:12", "RUN --mount=type=cache,target=/var/lib/apt apt-get update && apt-get install -y curl", "CMD x")},
	{"PackageCacheInFinal", 0, lines("FROM python:3.12-slim", "ENV PIP_NO_CACHE_DIR=1", "RUN pip install x", "CMD x")},
	{"PackageCacheInFinal", 0, lines("FROM python:3.12-slim AS build", "RUN pip install x", "FROM python:3.12-slim", "CMD x")},
	{"PackageCacheInFinal", 1, lines("FROM fedora:40", "RUN dnf install -y curl", "CMD x")},
	{"PackageCacheInFinal", 0, lines("FROM fedora:40", "RUN dnf install -y curl && dnf clean all", "CMD x")},

	{"RootUser", 0, lines("FROM alpine:3.19", "RUN apk add --no-cache su-exec", `ENTRYPOINT ["/entry"]`)},
	{"RootUser", 0, lines("FROM postgres:16", "EXPOSE 5432")},
	{"RootUser", 0, lines("FROM example.com/somebody:1", "CMD x")},
	{"RootUser", 0, lines("FROM scratch", "COPY x /x")},
	{"RootUser", 1, lines("FROM scratch", "COPY x /x", `ENTRYPOINT ["/x"]`)},
	{"RootUser", 1, lines("FROM nginx:1.25", "COPY x /x")},
	{"RootUser", 1, lines("FROM alpine:3.19", "USER nobody", "RUN x", "USER root", "CMD x")},
	{"RootUser", 0, lines("FROM alpine:3.19", "ARG UID=1000", "USER $UID", "CMD x")},

	{"BroadCopy", 0, lines("FROM golang:1.22 AS build", "WORKDIR /src", "COPY . .", "RUN go build -o /out/x",
		"FROM scratch", "COPY --from=build /out /")},
	{"BroadCopy", 0, lines("FROM node:20 AS build", "WORKDIR /app", "COPY . .", "RUN npm run build",
		"FROM node:20-slim", "COPY --from=build /app /app")},
	{"BroadCopy", 1, lines("FROM node:20 AS build", "WORKDIR /app", "COPY . .", "RUN npm run build",
		"FROM nginx:1.25", "COPY --from=build /app /usr/share/nginx/html")},
	{"BroadCopy", 1, lines("FROM debian:12 AS build", "RUN make", "FROM debian:12", "COPY --from=build / /")},
	{"BroadCopy", 0, lines("FROM debian:12 AS build", "RUN make", "FROM scratch", "COPY --from=build / /")},

	{"ChainedStages", 0, lines("FROM node:20 AS a", "WORKDIR /a", "COPY . .", "RUN npm ci",
		"FROM a AS b", "WORKDIR /b", "COPY . .", "RUN cp -r /a/x . && npm ci")},
	{"ChainedStages", 0, lines("FROM node:20 AS a", "WORKDIR /a", "COPY . .", "RUN npm ci", "FROM a AS b", "RUN npm test")},
	{"ChainedStages", 0, lines("FROM node:20 AS a", "WORKDIR /a", "RUN npm install -g pnpm", "FROM a AS b", "WORKDIR /b", "COPY . .", "RUN pnpm i")},

	// --link would write to where a symbolic link leads elsewhere, or over the mode of /tmp.
	{"LinkCopy", 0, lines("FROM alpine:3.19 AS a", "FROM alpine:3.19 AS b",
		"FROM debian:12", "COPY --from=a /x /bin/x", "COPY --from=b /y /usr/bin/y", "COPY --from=b /z /tmp/z")},
	{"LinkCopy", 0, lines("FROM alpine:3.19 AS a", "FROM alpine:3.19 AS b",
		"FROM debian:12", "COPY --from=a /x /opt/x", "COPY --from=b /y /opt/y", "RUN x", "COPY --from=b /z /opt/z")},
	{"LinkCopy", 0, lines("FROM alpine:3.19 AS a", "FROM alpine:3.19 AS b",
		"FROM debian:12", "COPY --from=a /x /opt", "COPY --from=b /y /opt", "COPY --from=b /z /opt")},

	{"RewrittenLayer", 0, lines("FROM alpine:3.19", "WORKDIR /app", "RUN chown -R app /app", "COPY . .")},
	{"RewrittenLayer", 0, lines("FROM alpine:3.19", "COPY x.tgz /tmp/x.tgz", "RUN rm -rf /var/cache/x")},
	{"RewrittenLayer", 1, lines("FROM alpine:3.19", "COPY x.tgz /tmp/", "RUN tar xf /tmp/x.tgz && rm /tmp/x.tgz")},
	{"RewrittenLayer", 0, lines("FROM alpine:3.19 AS build", "COPY . /app", "RUN chown -R app /app", "FROM scratch", "COPY --from=build /app /app")},
	{"RewrittenLayer", 0, lines("FROM alpine:3.19", "COPY . /app", "RUN chown app /app")},

	{"OnbuildAddition", 0, lines("FROM alpine:3.19", "ONBUILD RUN make --no-cache")},
	{"OnbuildAddition", 1, lines("FROM alpine:3.19", "ONBUILD RUN --mount=target=. --no-cache make")},

	{"UnusedCacheMount", 0, lines("FROM alpine:3.19", "RUN --no-cache --mount=type=cache,target=/c make")},
	{"UnusedCacheMount", 1, lines("FROM --no-cache alpine:3.19", "RUN --mount=type=cache,target=/c make")},
	{"UnusedCacheMount", 1, lines("FROM debian:12", "RUN --mount=type=cache,target=/var/cache/apt apt-get update && apt-get install -y gcc")},
	{"UnusedCacheMount", 0, lines("FROM debian:12", "RUN rm /etc/apt/apt.conf.d/docker-clean",
		"RUN --mount=type=cache,target=/var/cache/apt apt-get install -y gcc")},

	{"SecretInImage", 0, lines("FROM alpine:3.19", "RUN --mount=type=secret,id=t curl -H @/run/secrets/t https://example.com > /x")},
	{"SecretInImage", 1, lines("FROM alpine:3.19", "RUN --mount=type=secret,id=t cp /run/secrets/t /root/.netrc")},
	{"SecretInImage", 0, lines("FROM alpine:3.19", "RUN --mount=type=secret,id=t cp /run/secrets/t /root/.netrc && curl -n x && rm /root/.netrc")},
	{"SecretInImage", 0, lines("FROM alpine:3.19 AS build", "COPY .npmrc .", "FROM scratch", "COPY --from=build /x /x")},
	{"SecretInImage", 0, lines("FROM alpine:3.19", "COPY id_rsa.pub .env.example /")},

	{"LostFailure", 0, lines("FROM alpine:3.19", "RUN <<EOF", "set -eux", "a", "b", "EOF")},
	{"LostFailure", 0, lines("FROM alpine:3.19", "RUN <<EOF", "export A=1", "b", "EOF")},
	{"LostFailure", 0, lines("FROM alpine:3.19", "RUN <<EOF", "a &&", "b", "EOF")},
	{"LostFailure", 0, lines("FROM alpine:3.19", "RUN <<EOF", "a || exit 1", "b", "EOF")},
	{"LostFailure", 0, lines("FROM alpine:3.19", "RUN python3 <<EOF", "a()", "b()", "EOF")},
	{"LostFailure", 0, lines("FROM alpine:3.19", "RUN <<EOF", "#!/usr/bin/env python3", "import a", "import b", "EOF")},
	{"LostFailure", 0, lines("FROM alpine:3.19", "RUN bash -e <<EOF", "a", "b", "EOF")},
	{"LostFailure", 0, lines("FROM alpine:3.19", `SHELL ["/bin/sh", "-ec"]`, "RUN <<EOF", "a", "b", "EOF")},
	{"LostFailure", 1, lines("FROM alpine:3.19", "RUN bash <<EOF", "a", "b", "EOF")},
	{"LostFailure", 1, lines("FROM alpine:3.19", "RUN <<EOF", "#!/bin/bash", "a", "b", "EOF")},
	{"LostFailure", 0, lines("FROM alpine:3.19", "RUN cat <<EOF >/x", "a", "b", "EOF")},
}

func TestCases(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range cases {
		seen[c.rule] = true
		if found := of(build{dockerfile: c.text}.must(t), c.rule); len(found) != c.found {
			t.Errorf("%s finds %d things, want %d: %+v\n%s", c.rule, len(found), c.found, found, c.text)
		}
	}
	known := map[string]bool{}
	for _, r := range review.Rules() {
		known[r.ID] = true
	}
	for rule := range seen {
		if !known[rule] {
			t.Errorf("there is no rule %s", rule)
		}
	}
}
