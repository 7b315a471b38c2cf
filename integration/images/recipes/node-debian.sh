# What node:20 has on top of debian:12-slim beside Node: programs that builds call, and its user.
apt-get -q update
apt-get -q -y install ca-certificates curl git procps wget xz-utils
groupadd --gid 1000 node
useradd --uid 1000 --gid node --shell /bin/bash --create-home node
rm -rf /var/lib/apt/lists/* /var/log/apt/* /var/log/dpkg.log /var/log/alternatives.log /var/cache/debconf/*-old /var/lib/dpkg/*-old /var/cache/ldconfig/aux-cache
