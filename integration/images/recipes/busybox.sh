# Compiles Debian's source of BusyBox in a scratch Debian, with upstream's default configuration: the
# packaged one lacks adduser and addgroup. The program lands in /out. Argument: the archive's mirror.
debian=$1

cat > /etc/apt/sources.list.d/source.sources <<END
Types: deb-src
URIs: $debian
Suites: bookworm
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
apt-get -q update
apt-get -q -y install gcc libc6-dev make bzip2 xz-utils patch dpkg-dev
cd /tmp
apt-get -q source busybox
cd busybox-*/

make defconfig
# Static, so that it runs in an image without any library; with its own reading of /etc/passwd,
# because that of glibc loads libraries even when it is linked in.
for option in STATIC USE_BB_PWD_GRP USE_BB_SHADOW; do
	sed -i "s/^# CONFIG_$option is not set/CONFIG_$option=y/" .config
	grep -q "^CONFIG_$option=y" .config
done
# Nothing in a container has use for these, and they take a third of the time.
for option in TC POWERTOP FBSPLASH INIT LINUXRC RUNSV RUNSVDIR SV SVC SVLOGD SVOK UDHCPC UDHCPC6 UDHCPD \
	HUSH VOLUMEID BLKID FINDFS FDISK MODPROBE INSMOD RMMOD DEPMOD MODINFO LSMOD CONSPY; do
	sed -i "s/^CONFIG_$option=y/# CONFIG_$option is not set/" .config
done
yes '' | make oldconfig > /dev/null
make -j"$(nproc)" busybox
install -m 0755 busybox /out/busybox
# Where each applet belongs, such as "usr/bin/awk".
make busybox.links
sed -e 's,^/,,' busybox.links | sort > /out/busybox.links
test -s /out/busybox.links
for applet in bin/sh usr/bin/wget; do grep -qx "$applet" /out/busybox.links; done
grep -q /adduser /out/busybox.links
grep -q /addgroup /out/busybox.links
