FROM alpine
COPY --from=Not:A:Reference / /
