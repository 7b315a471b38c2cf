FROM alpine AS a
RUN first
FROM alpine AS b
COPY --from=a / /
FROM alpine AS a
COPY --from=b / /
FROM a
COPY --from=b / /b
