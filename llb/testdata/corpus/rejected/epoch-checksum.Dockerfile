ARG SOURCE_DATE_EPOCH=src
FROM scratch AS src
ADD --checksum=$NOPE https://example.com/a.tar /
FROM alpine
RUN x
