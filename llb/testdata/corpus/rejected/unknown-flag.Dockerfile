FROM alpine
RUN --nope=1 true
