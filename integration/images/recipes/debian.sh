# Makes of a fresh debootstrap what Docker Hub calls debian:12-slim. Arguments: the mirrors of the
# archive and of the security updates.
debian=$1 security=$2

rm -f /etc/apt/sources.list
cat > /etc/apt/sources.list.d/debian.sources <<END
Types: deb
URIs: $debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: $security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END

# Documentation that packages would bring is left out; licences stay.
cat > /etc/dpkg/dpkg.cfg.d/docker <<'END'
force-unsafe-io
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/groff/*
path-exclude /usr/share/info/*
path-exclude /usr/share/linda/*
path-exclude /usr/share/lintian/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/man/*
END
find /usr/share/doc -type f ! -name copyright -delete
find /usr/share/doc -type l -delete
find /usr/share/doc -depth -type d -empty -delete
for dir in groff info linda lintian locale man; do
	if [ -d "/usr/share/$dir" ]; then find "/usr/share/$dir" -mindepth 1 -delete; fi
done

# No service starts while a package is installed; no package stays in the layer of a RUN.
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
chmod 0755 /usr/sbin/policy-rc.d
cat > /etc/apt/apt.conf.d/docker-clean <<'END'
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };
APT::Update::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
END
echo 'Acquire::Languages "none";' > /etc/apt/apt.conf.d/docker-no-languages
cat > /etc/apt/apt.conf.d/docker-gzip-indexes <<'END'
Acquire::GzipIndexes "true";
Acquire::CompressionTypes::Order:: "gz";
END
echo 'Apt::AutoRemove::SuggestsImportant "false";' > /etc/apt/apt.conf.d/docker-autoremove-suggests

apt-get -q update
apt-get -q -y dist-upgrade

rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/lib/dpkg/*-old
mkdir -p /var/cache/apt/archives/partial
rm -f /var/log/bootstrap.log /var/log/dpkg.log /var/log/alternatives.log /var/log/apt/*
# The engine gives each container its own.
rm -f /etc/resolv.conf /etc/hostname
: > /etc/machine-id
