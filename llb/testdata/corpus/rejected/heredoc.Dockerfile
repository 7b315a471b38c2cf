FROM alpine
COPY <<EOT /x
unterminated
