FROM alpine AS scratch
RUN first
FROM alpine AS user
RUN --mount=type=tmpfs,target=/t --mount=target=/m x
FROM alpine AS scratch
FROM user
RUN --mount=type=cache,target=/c x
