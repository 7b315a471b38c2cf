FROM alpine AS a
COPY --from=b /x /x
FROM alpine AS b
COPY --from=c /x /x
RUN --mount=from=c,target=/c x
FROM alpine AS c
COPY --from=b /1 /1
COPY --from=c /2 /2
COPY --from=b /3 /3
