FROM alpine
ADD --chmod=9 --checksum=abc x /
