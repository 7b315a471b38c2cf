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

# Debian built some of them without the checksum that crates.io has for them and every Cargo.lock repeats.
cd /usr/local/share/crates
while read -r crate checksum; do
	sed -i "s/Could not get crate checksum/$checksum/" "$crate/.cargo-checksum.json"
done <<'END'
cfg-if-1.0.0 baf1de4339761588bc0619e3cbc0120ee582ebb74b53b4efbf79117bd2da40fd
log-0.4.17 abb12e687cfb44aa40f41fc3978ef76448f9b6038cad6aef4259d3c095a2382e
syn-1.0.107 1f4064b5b16e03ae50984a5a8ed5d4f8803e6bc1fd170a3cda91a1be4b18e3f5
tiny_http-0.12.0 389915df6413a2e74fb181895f933386023c71110878cd0825588928e64cdc82
END
if grep -rL --include=.cargo-checksum.json '"package":"[0-9a-f]\{64\}"' . | grep .; then
	echo "the crates above have no checksum; give them in this recipe" >&2
	exit 1
fi
cd /

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
