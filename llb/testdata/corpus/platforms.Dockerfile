FROM --platform=$BUILDPLATFORM golang:1.22-alpine AS build
ARG TARGETOS TARGETARCH TARGETVARIANT TARGETPLATFORM
ARG BUILDPLATFORM BUILDOS BUILDARCH BUILDVARIANT TARGETSTAGE
WORKDIR /src
RUN GOOS=$TARGETOS GOARCH=$TARGETARCH go build -o /out ./... # $TARGETVARIANT

FROM --platform=linux/arm/v7 debian AS arm
RUN uname -m

FROM --platform=$TARGETPLATFORM debian AS redundant
COPY --from=build /out /out
COPY --from=arm /bin/true /true

FROM scratch AS release-linux
COPY --link --from=build /out /out
COPY --from=arm --link /bin/true /
ENTRYPOINT ["/out"]

FROM release-$TARGETOS
LABEL arch=$TARGETARCH
