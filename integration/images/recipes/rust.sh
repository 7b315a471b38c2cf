# What rust:1.76 has on top of debian:12-slim. Debian 12 has Rust 1.63 and, for its browsers, a newer
# one; the newer one compiles what 1.76 does. Crates come from Debian packages, as cargo's ordinary
# replacement of crates.io by a folder. Arguments: the packages with crates.
apt-get -q update
apt-get -q -y install rustc-web cargo-web libc6-dev ca-certificates curl git pkg-config libssl-dev

# Without what the packages depend on: that is every optional feature of every crate, 200 packages.
mkdir /tmp/crates
cd /tmp/crates
apt-get -q --print-uris download "$@" | cut -d' ' -f2 > /tmp/wanted
test "$(wc -l < /tmp/wanted)" -eq "$#"
cd /debs
apt-get -q download "$@"
while read -r deb; do
	dpkg-deb --extract "$deb" /tmp/crates
done < /tmp/wanted
mv /tmp/crates/usr/share/cargo/registry /usr/local/share/crates

mkdir -p /usr/local/cargo/bin /usr/local/rustup
for tool in cargo rustc rustdoc; do
	ln -s "/usr/bin/$tool" "/usr/local/cargo/bin/$tool"
done
cat > /usr/local/cargo/config.toml <<'END'
# crates.io is out of reach of the machine that this stand-in was made on.
[source.crates-io]
replace-with = "debian"

[source.debian]
directory = "/usr/local/share/crates"
END
chmod -R a+rwX /usr/local/cargo /usr/local/rustup
rm -rf /tmp/crates /tmp/wanted /var/lib/apt/lists/* /var/log/apt/* /var/log/dpkg.log /var/log/alternatives.log /var/cache/debconf/*-old /var/lib/dpkg/*-old /var/cache/ldconfig/aux-cache
