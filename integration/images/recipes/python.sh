# What python:3.12-slim has on top of debian:12-slim: Debian's Python, which is 3.11, under the paths
# of the original, and a folder of wheels in place of PyPI. Arguments: the packages that wheels are
# made from.
apt-get -q update
apt-get -q -y install ca-certificates netbase python3 python3-pip python3-venv python3-wheel-whl tzdata

cd /usr/local/bin
ln -s /usr/bin/python3 python3
ln -s python3 python
ln -s /usr/bin/pip3 pip3
ln -s pip3 pip
# This Python belongs to whoever builds on the image, not to the distribution.
rm -f /usr/lib/python3*/EXTERNALLY-MANAGED

mkdir /tmp/packages
cd /tmp/packages
apt-get -q --print-uris download "$@" | cut -d' ' -f2 > /tmp/wanted
test "$(wc -l < /tmp/wanted)" -eq "$#"
cd /debs
apt-get -q download "$@"
while read -r deb; do
	dpkg-deb --extract "$deb" "/tmp/packages/$deb"
done < /tmp/wanted
mkdir -p /usr/local/share/wheels
python3 /wheels.py /usr/local/share/wheels /tmp/packages/*.deb
# Debian's own wheels: of pip, setuptools and wheel.
cp /usr/share/python-wheels/*.whl /usr/local/share/wheels/
cat > /etc/pip.conf <<'END'
# PyPI is out of reach of the machine that this stand-in was made on.
[global]
no-index = true
find-links = /usr/local/share/wheels
disable-pip-version-check = true
END
rm -rf /tmp/packages /tmp/wanted /var/lib/apt/lists/* /var/log/apt/* /var/log/dpkg.log /var/log/alternatives.log /var/cache/debconf/*-old /var/lib/dpkg/*-old /var/cache/ldconfig/aux-cache
find /usr/lib/python3* /usr/share/python3 -name __pycache__ -prune -exec rm -rf {} +
