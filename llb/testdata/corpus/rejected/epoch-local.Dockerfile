ARG SOURCE_DATE_EPOCH=src
FROM scratch AS src
ADD --checksum=${x!} a /
FROM alpine
RUN x
