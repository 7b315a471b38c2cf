# syntax=docker/dockerfile:1
FROM alpine
WORKDIR /work
ARG VERSION=1.0
ADD a.txt b* /dst/
ADD archive.tar.gz .
ADD --unpack=false archive.tar /keep/
ADD https://example.com/files/tool-${VERSION}.tgz /opt/
ADD --unpack https://example.com/files/tool.tgz?x=y /opt/unpacked/
ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://example.com/ /opt/root
ADD https://github.com/moby/buildkit.git#v0.34.2:docs /git
ADD --keep-git-dir=true git@github.com:moby/buildkit.git /git-ssh
ADD --keep-git-dir --checksum=bbafdf3c0e5f0d4c1c8ec4d1e7e6a4c1b2d3f4a5 https://github.com/moby/buildkit.git?ref=master&subdir=docs /git-query
ADD https://github.com/moby/buildkit.git?tag=v1&submodules=false&keep-git-dir=true https://example.com/a.bin /two/
ADD --chown=1000:100 --chmod=0640 --link x.conf /etc/x.conf
ADD --exclude=*.md --exclude=docs dir dir
ADD ["with space.txt", "/dst with space/"]
ADD <<one <<"two" three.txt /docs/
version $VERSION
one
version $VERSION, not expanded
two
