FROM alpine AS a
RUN --mount=from=c,target=/c x
FROM example.com/missing AS nobody
RUN y
FROM alpine AS c
WORKDIR /c
FROM c AS d
COPY --from=a /a /a
FROM scratch AS empty
FROM alpine
COPY --from=c / /c
