from alpine as One
run a
FROM alpine AS two
RUN b
FROM one AS one
COPY --from=two /x /x
FROM one AS context
RUN c
FROM alpine:two AS scratch
RUN d
FROM one
COPY --from=context /c /c
COPY --from=3 /a /a
COPY --from=one /x /y
COPY --from=alpine:imagine /z /z
