FROM alpine AS tools
RUN echo shell form && \
    # a comment inside
    echo continued
RUN ["echo", "exec form", "$HOME"]
RUN <<EOT
echo a here-document
EOT
RUN <<-EOT
	#!/usr/bin/env python3
	print("a program")
EOT
RUN <<EOT cat > /x && cat <<'TWO' > /y
expanded $HOME
EOT
raw $HOME
TWO
RUN python3 <<EOT
print(1)
EOT
SHELL ["/bin/bash", "-eo", "pipefail", "-c"]
RUN other shell "with $QUOTES" and \$escapes
RUN --network=none true
RUN --network=host true
RUN --network=default --security=sandbox true
RUN --security=insecure true
RUN --device=vendor.com/gpu=all,required --device=vendor.com/x true

FROM busybox AS mounts
WORKDIR /w
ARG CACHE=/root/.cache UID=1000
RUN --mount=type=cache,target=$CACHE true
RUN --mount=type=cache,id=go,target=rel,sharing=locked,uid=1,gid=2,mode=0700 true
RUN --mount=type=cache,target=/c,from=tools,source=/x,sharing=private,ro true
RUN --mount=target=. ls
RUN --mount=type=bind,source=sub/dir,target=/in,rw ls
RUN --mount=type=bind,from=tools,source=/bin,target=/bin2 --mount=from=alpine:edge,dst=/edge ls
RUN --mount=type=tmpfs,target=/tmp,size=10m true
RUN --mount=type=tmpfs,target=/tmp true
RUN --mount=type=secret,id=token cat /run/secrets/token
RUN --mount=type=secret,id=aws,target=/root/.aws,required=true,mode=0440,uid=5,gid=6 true
RUN --mount=type=secret,id=key,env=KEY echo "$KEY ${KEY}"
RUN --mount=type=secret,id=both,env=BOTH,target=/both true
RUN --mount=type=secret,target=only/target true
RUN --mount=type=ssh true
RUN --mount=type=ssh,id=github,target=/agent,required,mode=0777,uid=$UID true
