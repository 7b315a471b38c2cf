FROM alpine
VOLUME ["$EMPTY"]
