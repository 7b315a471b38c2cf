FROM alpine
RUM echo
