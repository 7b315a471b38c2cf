#!/bin/sh
# This image stands in for Alpine Linux: it was made from Debian packages on a machine that cannot reach
# Docker Hub. What /etc/apk/world lists is here already. A few packages more may lie in a repository:
# archives of Debian's packages, and a list whose lines have a name of Alpine's and the archives to unpack.
set -eu
world=/etc/apk/world
repository=/usr/local/share/apk
packages=$repository/packages
unpacked=/var/lib/apk/unpacked

refuse() {
	can="cannot install Alpine packages"
	if [ -e "$packages" ]; then can="can add none of Alpine's packages but $(cut -d' ' -f1 "$packages" | tr '\n' ' ')"; fi
	echo "apk: $*" >&2
	echo "apk: this image is a stand-in for Alpine Linux, made from Debian packages where Docker Hub is out of reach; it $can" >&2
	exit 1
}

# archives prints what a name of the repository stands for, and fails for others.
archives() {
	[ -e "$packages" ] || return 1
	while read -r listed parts; do
		if [ "$listed" = "$1" ]; then
			echo "$parts"
			return 0
		fi
	done < "$packages"
	return 1
}

# unpack lays into the image those of the archives that are not there yet.
unpack() {
	mkdir -p "${unpacked%/*}"
	touch "$unpacked"
	for archive; do
		if grep -qxF "$archive" "$unpacked"; then continue; fi
		echo "Installing $archive"
		tar -x -J -p -f "$repository/$archive.tar.xz" -C /
		echo "$archive" >> "$unpacked"
	done
}

verb=
here=
wanted=
missing=
for word; do
	case $word in
	--version | -V)
		echo "apk stand-in"
		exit 0
		;;
	# Their values would be taken for packages.
	-t | --virtual* | -X | --repository* | -p | --root*) refuse "cannot $word" ;;
	-*) ;;
	*)
		if [ -z "$verb" ]; then
			verb=$word
			continue
		fi
		name=${word%%[<>=~@]*}
		if grep -qxF "$name" "$world"; then
			here="$here $name"
			continue
		fi
		wanted="$wanted $name"
		if ! archives "$name" > /dev/null; then missing="$missing $name"; fi
		;;
	esac
done

case $verb in
info)
	if [ -z "$here$wanted" ]; then sort "$world"; fi
	for name in $here; do echo "$name"; done
	if [ -n "$wanted" ]; then exit 1; fi
	;;
add)
	if [ -n "$missing" ]; then refuse "not part of this image:$missing"; fi
	for name in $wanted; do
		# shellcheck disable=SC2046 # the words are wanted
		unpack $(archives "$name")
		grep -qxF "$name" "$world" || echo "$name" >> "$world"
	done
	echo "OK: $(wc -l < "$world") packages"
	;;
update)
	if [ ! -e "$packages" ]; then refuse "cannot update"; fi
	echo "OK: $(wc -l < "$packages") packages available"
	;;
*) refuse "cannot $verb" ;;
esac
