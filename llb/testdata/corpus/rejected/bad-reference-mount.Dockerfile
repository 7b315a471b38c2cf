FROM alpine
RUN --mount=from=Not:A:Reference,target=/x true
