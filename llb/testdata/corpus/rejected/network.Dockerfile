FROM alpine
RUN --network=some true
