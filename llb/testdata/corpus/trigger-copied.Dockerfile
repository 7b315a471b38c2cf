# The triggers of an image that is only copied from or mounted never fire, but
# their references are followed, and --check looks at them.
FROM alpine
COPY --from=example.com/obenv /a /b
RUN --mount=from=example.com/obcopy,target=/m true
