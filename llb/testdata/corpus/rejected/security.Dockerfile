FROM alpine
RUN --security=maybe true
