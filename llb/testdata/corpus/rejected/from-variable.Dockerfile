FROM alpine
COPY --from=$X / /
