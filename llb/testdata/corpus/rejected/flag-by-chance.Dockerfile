FROM alpine
# --chown and --chmod are equally near.
COPY --chomd=1 a /b
