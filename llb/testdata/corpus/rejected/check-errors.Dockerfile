# check=error=true
FROM alpine as Upper
MAINTAINER me
ENV key value
ENTRYPOINT a
WORKDIR b
