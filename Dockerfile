# The frontend's own image. Any BuildKit builds it; docker-bake.hcl names its targets.
ARG GO_VERSION=1.26

# Compilation runs on the machine's own platform and crosses to the target's, so that no image for
# another platform needs emulation.
FROM --platform=$BUILDPLATFORM golang:${GO_VERSION}-alpine AS base
WORKDIR /src
# The same flags for all that follows, so that the stages share what they compile. grpcnotrace lets the
# linker drop golang.org/x/net/trace and the templates it pulls in, a third of the program.
ENV CGO_ENABLED=0 GOFLAGS="-buildvcs=false -trimpath -tags=netgo,osusergo,static_build,grpcnotrace"
# Where modules come from, for machines that reach the public module proxy only through a mirror.
ARG GOPROXY

FROM base AS build
ARG TARGETOS TARGETARCH
ARG VERSION=dev
RUN --mount=target=. \
    --mount=type=cache,target=/root/.cache \
    --mount=type=cache,target=/go/pkg/mod \
    GOOS=$TARGETOS GOARCH=$TARGETARCH go build \
      -ldflags "-s -w -X github.com/stagecraft/stagecraft/frontend.Version=$VERSION" \
      -o /out/stagecraft-frontend ./frontend/cmd/stagecraft-frontend

FROM base AS lint
RUN --mount=target=. \
    --mount=type=cache,target=/root/.cache \
    --mount=type=cache,target=/go/pkg/mod <<EOT
  set -eu
  unformatted=$(gofmt -l frontend llb integration)
  if [ -n "$unformatted" ]; then
    echo "not formatted by gofmt:" $unformatted >&2
    exit 1
  fi
  go vet ./...
  go -C integration/tools/staticcheck build -o /usr/local/bin/staticcheck honnef.co/go/tools/cmd/staticcheck
  staticcheck ./...
EOT

# Without the tests of the review that judge real Dockerfiles, which lie outside of the checkout.
FROM base AS test
RUN --mount=target=. \
    --mount=type=cache,target=/root/.cache \
    --mount=type=cache,target=/go/pkg/mod \
    go test -short -skip 'TestVerdicts|TestMendedLines|TestPlanted|TestSchemaOnRealFiles' ./llb/... ./frontend/...

# BuildKit reads from these labels that the frontend runs without a network, and what may be asked of it.
FROM scratch AS image
LABEL moby.buildkit.frontend.network.none="true"
LABEL moby.buildkit.frontend.caps="moby.buildkit.frontend.inputs,moby.buildkit.frontend.subrequests,moby.buildkit.frontend.contexts,moby.buildkit.frontend.gitquerystring,moby.buildkit.frontend.contexts.zstd"
COPY --from=build /out/stagecraft-frontend /bin/stagecraft-frontend
ENTRYPOINT ["/bin/stagecraft-frontend"]
