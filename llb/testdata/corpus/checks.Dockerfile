# check=skip=JSONArgsRecommended
FROM --platform=linux/amd64 alpine as Mixed
arg PASSWORD=x
env API_KEY y
Run echo \

  gap
COPY node_modules/x secret.txt /x/
CMD shell form
CMD ["twice"]
WORKDIR relative
MAINTAINER me
EXPOSE 80/TCP 8080:80
FROM --platform=$TARGETPLATFORM alpine AS scratch
FROM alpine${UNDEFINED} AS mixed
# check=skip=UndefinedVar
RUN echo ${UNKNOWN}
COPY ${PAHT} /x
LABEL key value
ENTRYPOINT sh
ENTRYPOINT sh
HEALTHCHECK NONE
HEALTHCHECK NONE
FROM ${MISSING_TAG:-alpine}
