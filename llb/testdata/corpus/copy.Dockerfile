FROM alpine AS build
WORKDIR /src
COPY . .
COPY a /
COPY a b* ./rel/
COPY ["quoted name", "single quoted", "/q/"]
COPY ["json", "form/", "/j/"]
COPY --chown=app:app --chmod=755 a /owned
COPY --chown=1000 --chmod=u=rwX,go=rX,+t a /symbolic
COPY --chmod=07777 a /all
COPY --link a /linked
COPY --link --chown=0:0 a ./linked-rel/
COPY --link --chmod=600 a /not-linked
COPY --parents a/b/c.txt x/./y/z.txt w/*.go **/go.mod /parents/
COPY --exclude=*.tmp --exclude=!keep.tmp dir/ /ex/
COPY <<EOT /etc/motd
Hello $PATH "quoted"
EOT
COPY --chmod=755 <<-'A' <<B /bin/
	#!/bin/sh
	echo $NOT
A
plain
B

FROM busybox
COPY --from=build /src /dst
COPY --from=0 /src/a* /by-index/
COPY --from=BUILD --chown=1:1 /x /upper
COPY --from=alpine:3.19 /etc/os-release /
COPY --from=alpine:3.19 /etc/hosts /
COPY --from=scratch / /nothing
COPY --from=docker.io/library/golang@sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d /usr/local/go /go
