FROM alpine AS build
FROM alpine
COPY --from=9 /a /b
