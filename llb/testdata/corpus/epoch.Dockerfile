ARG SOURCE_DATE_EPOCH=sources
FROM scratch AS sources
ARG REPO=https://github.com/moby/buildkit.git
ADD ${REPO}#v0.34.2 /
FROM alpine
ARG SOURCE_DATE_EPOCH
WORKDIR /w
RUN echo $SOURCE_DATE_EPOCH
COPY --from=sources / .
