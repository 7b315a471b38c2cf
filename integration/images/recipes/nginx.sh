# What nginx:1.25-alpine has on top of the stand-in for alpine:3.19: Debian's nginx, which is 1.22, and
# curl, with the libraries that they load, in /out. The programs are installed in a scratch Debian first.
apt-get -q update
apt-get -q -y install nginx-light curl

# with_libraries copies programs to where they are, and the libraries they load that /out lacks.
mkdir -p /out/usr/sbin /out/usr/bin
cp /usr/sbin/nginx /out/usr/sbin/nginx
cp /usr/bin/curl /out/usr/bin/curl
ldd /usr/sbin/nginx /usr/bin/curl | sed -n 's,^.* => \(/[^ ]*\) .*$,\1,p' | sort -u > /libraries
test -s /libraries
while read -r library; do
	# Debian's /lib is a link to /usr/lib, the stand-in's is not.
	name=${library##*/}
	if [ ! -e "/out/lib/x86_64-linux-gnu/$name" ] && [ ! -e "/out/usr/lib/x86_64-linux-gnu/$name" ]; then
		mkdir -p /out/usr/lib/x86_64-linux-gnu
		cp -L "$library" "/out/usr/lib/x86_64-linux-gnu/$name"
	fi
done < /libraries

mkdir -p /out/etc/nginx/conf.d /out/usr/share/nginx/html /out/var/lib/nginx /out/var/log/nginx /out/docker-entrypoint.d
for file in mime.types fastcgi.conf fastcgi_params scgi_params uwsgi_params; do
	cp "/etc/nginx/$file" "/out/etc/nginx/$file"
done
ln -s /dev/stdout /out/var/log/nginx/access.log
ln -s /dev/stderr /out/var/log/nginx/error.log
printf '%s\n' "$(nginx -v 2>&1 | sed 's,.*/\([0-9.]*\).*,\1,')" > /out/etc/nginx/version

for world in nginx curl libcurl pcre2; do echo "$world"; done >> /out/etc/apk/world
sort -o /out/etc/apk/world /out/etc/apk/world
chroot /out addgroup -g 101 -S nginx
chroot /out adduser -S -D -H -u 101 -h /var/cache/nginx -s /sbin/nologin -G nginx -g nginx nginx
