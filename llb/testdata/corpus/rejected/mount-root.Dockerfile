FROM alpine
RUN --mount=target=/ true
