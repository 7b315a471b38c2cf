FROM alpine
RUN x
COPY --from=example.com/obself /x /y
