RUN x
FROM alpine
