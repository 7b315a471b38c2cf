# Lays the files of Debian packages into /out without installing them: no maintainer script runs and
# no dependency is followed. Arguments: the packages, such as libc6:arm64 or tzdata.
for package; do
	case $package in
	*:"$(dpkg --print-architecture)") ;;
	*:*) dpkg --add-architecture "${package#*:}" ;;
	esac
done
apt-get -q update
# Asked in a folder without packages: apt leaves out what the folder has already.
cd /out
apt-get -q --print-uris download "$@" | cut -d' ' -f2 > /wanted
test "$(wc -l < /wanted)" -eq "$#"
cd /debs
apt-get -q download "$@"
while read -r deb; do
	dpkg-deb --extract "$deb" /out
done < /wanted
cd /out
# The locale with all letters, which programs linked against glibc need to see UTF-8 as such.
mkdir -p usr/lib/locale
cp -R /usr/lib/locale/C.utf8 usr/lib/locale/
rm -rf usr/share/doc usr/share/man usr/share/info usr/share/lintian usr/share/bug usr/share/gdb usr/share/gcc
rm -rf usr/lib/*-linux-gnu/gconv usr/lib/*-linux-gnu/audit etc/ld.so.conf.d
