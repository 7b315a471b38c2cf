FROM alpine AS builder
FROM alpine
COPY --from=bilder:missing / /
