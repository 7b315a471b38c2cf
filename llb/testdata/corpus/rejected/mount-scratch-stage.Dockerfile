FROM alpine AS scratch
RUN --mount=target=/m d
