FROM --platform=$TARGTPLATFORM alpine
