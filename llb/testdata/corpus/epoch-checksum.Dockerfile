ARG SOURCE_DATE_EPOCH=src
FROM scratch AS src
ADD --checksum=$NOPE https://github.com/o/r.git?checksum=0123456789abcdef0123456789abcdef01234567#main /
FROM alpine
RUN x
