#!/bin/sh
# This image stands in for Alpine Linux and has no package manager: it was made from Debian packages
# on a machine that cannot reach Docker Hub. What /etc/apk/world lists is here already.
world=/etc/apk/world

refuse() {
	echo "apk: $*" >&2
	echo "apk: this image is a stand-in for Alpine Linux, made from Debian packages where Docker Hub is out of reach; it cannot install Alpine packages" >&2
	exit 1
}

verb=
missing=
for word; do
	case $word in
	--version | -V)
		echo "apk stand-in"
		exit 0
		;;
	-*) ;;
	*)
		if [ -z "$verb" ]; then
			verb=$word
			continue
		fi
		name=${word%%[<>=~@]*}
		grep -qxF "$name" "$world" || missing="$missing $name"
		;;
	esac
done

case $verb in
info) sort "$world" ;;
add)
	if [ -n "$missing" ]; then refuse "not part of this image:$missing"; fi
	echo "OK: part of this stand-in already"
	;;
*) refuse "cannot $verb" ;;
esac
