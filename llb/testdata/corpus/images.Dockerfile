FROM example.com/withenv-withdir-withuser AS a
ARG TARGETARCH VERSION
RUN echo $LANG $JAVA_HOME $VERSION
COPY x rel
FROM example.com/nolayers AS b
COPY x /
FROM example.com/nopath-nodigest AS c
RUN x
FROM example.com/mutated:tag AS d
RUN x
FROM example.com/schema1-foreign AS e
RUN x
FROM example.com/labelled-entry-ports-bash-healthy AS f
RUN x
CMD y
FROM example.com/reldir-noplatform AS g
WORKDIR sub
FROM example.com/entry
ENTRYPOINT ["/new"]
COPY --from=a / /a
COPY --from=b / /b
COPY --from=c / /c
COPY --from=d / /d
COPY --from=e / /e
COPY --from=f / /f
COPY --from=g / /g
