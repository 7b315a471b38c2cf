FROM alpine
ENV A="${B:?is needed}"
