# escape=`
ARG BASE=alpine
ARG TAG=3.19 UNUSED
FROM ${BASE}:${TAG} AS base
MAINTAINER Some Body <some@body>
LABEL one=1 "two words"="a b" three="multi`
line"
LABEL legacy value with spaces
ENV A=1 B="two words" C=c` d
ENV LEGACY form of it
ENV A=$A:${B} UNSET=$NOPE DEFAULT=${NOPE:-default} ALT=${A:+alt} NONE=${NOPE:+alt} DASH=${NOPE-x} PLUS=${A+y}
ENV CUT=${A#1} CUTLONG=${A##*:} TAIL=${A%:*} SUB=${A/1/2} SUBALL=${A//1/2}
ARG TAG
ARG NOVALUE LATER=$A/${TAG}
USER ${NOVALUE:-nobody}:nogroup
WORKDIR sub
WORKDIR ../up/$TAG
WORKDIR /abs//path/
EXPOSE 80 443/tcp 53/udp 8000-8002 9000/SCTP
EXPOSE $TAG_PORT 8080:80 127.0.0.1:99:99
VOLUME /data /with/colon:ro
VOLUME ["/json", "$A"]
STOPSIGNAL SIGTERM
STOPSIGNAL 9
SHELL ["/bin/sh", "-xc"]
HEALTHCHECK --interval=5s --timeout=3s --start-period=1m --start-interval=2s --retries=3 CMD curl -f http://localhost/ || exit 1
HEALTHCHECK CMD ["true"]
HEALTHCHECK NONE
ONBUILD RUN echo triggered
ONBUILD COPY --from=base /a /b
CMD echo shell
CMD ["exec", "form"]
ENTRYPOINT exec top -b
ENTRYPOINT ["top", "-b"]

FROM base
CMD ["again"]
ENTRYPOINT ["last"]
ENV A=3

FROM base AS third
ENTRYPOINT replaced

