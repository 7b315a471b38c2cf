FROM alpine
RUN --mount=from=example.com/obcheck,target=/m true
