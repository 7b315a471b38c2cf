# What eclipse-temurin:21-jre-alpine has on top of the stand-in for alpine:3.19: Debian's OpenJDK
# runtime, which is 17, with the libraries that it loads, in /out. It is installed in a scratch Debian first.
apt-get -q update
mkdir -p /usr/share/man/man1
apt-get -q -y install openjdk-17-jre-headless

java=/usr/lib/jvm/java-17-openjdk-amd64
mkdir -p /out/opt/java/openjdk /out/usr/lib/x86_64-linux-gnu
# Debian keeps the settings in /etc and the certificates elsewhere; here they are where Java looks.
rm -f "$java/lib/src.zip"
cp -RL "$java/bin" "$java/conf" "$java/lib" "$java/release" /out/opt/java/openjdk/

find "$java/bin" "$java/lib" -type f \( -name '*.so' -o -perm -100 \) -exec ldd {} + 2>/dev/null |
	sed -n 's,^.* => \(/[^ ]*\) .*$,\1,p' | grep -v "^$java" | sort -u > /libraries
test -s /libraries
while read -r library; do
	name=${library##*/}
	if [ ! -e "/out/lib/x86_64-linux-gnu/$name" ] && [ ! -e "/out/usr/lib/x86_64-linux-gnu/$name" ]; then
		cp -L "$library" "/out/usr/lib/x86_64-linux-gnu/$name"
	fi
done < /libraries
printf '#!/bin/sh\nexec "$@"\n' > /out/__cacert_entrypoint.sh
chmod 0755 /out/__cacert_entrypoint.sh
