FROM example.com/onbuild AS first
RUN after the triggers
FROM example.com/obcopy AS second
FROM first AS build
ONBUILD ARG X=1
ONBUILD ENV Y=$X
ONBUILD RUN echo $Y
ONBUILD COPY --from=second /b /b
FROM build AS child
RUN in child
FROM example.com/obstage
COPY --from=child /c /c
COPY --from=example.com/onbuild:source /d /d
