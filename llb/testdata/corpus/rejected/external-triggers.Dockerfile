FROM alpine
EXPOSE 65536
COPY --from=example.com/obenv x y
