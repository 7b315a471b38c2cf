# Makes the repository of packages that apk installs from in the stand-in for Alpine Linux, of Debian's
# packages: one archive each in /out/usr/local/share/apk, with a list of which of them a name of Alpine's
# stands for. They are installed in a scratch Debian first, which knows what belongs to them. Arguments:
# the Debian packages that are part of the stand-in itself.

# Alpine's names, and Debian's.
names='git=git
fuse=fuse
e2fsprogs=e2fsprogs
curl=curl
openssh-client=openssh-client
openssh-client-default=openssh-client'

here=" $* "
repository=/out/usr/local/share/apk
mkdir -p "$repository"
apt-get -q update
# shellcheck disable=SC2046 # the words are wanted
apt-get -q -y install xz-utils $(printf '%s\n' "$names" | sed 's/.*=//' | sort -u)

# As Alpine has it, git comes without what is written in Perl, and with one copy of the program. Debian's
# /lib is a link, the stand-in's is a folder.
ln -sf ../../bin/git /usr/lib/git-core/git
without='^/\(bin\|sbin\|lib\|lib64\)$
/usr/share/\(doc\|man\|info\|locale\|lintian\|bug\|perl5\|gitweb\|bash-completion\|initramfs-tools\)/
^/usr/lib/\(systemd\|udev\|git-core/git-\(daemon\|http-backend\|http-push\|imap-send\)$\)
^/\(usr/bin\|usr/lib/git-core\)/scalar$
^/var/lib/git'

# content lists the files and links of a Debian package that the stand-in gets.
content() {
	dpkg-query -L "$1" | grep -v "$without" | while read -r path; do
		if [ -L "$path" ] || [ -f "$path" ]; then echo "$path"; fi
	done > /content
	xargs -d '\n' grep -asl -m1 '^#!.*perl' < /content > /perl || true
	grep -vxFf /perl /content
}

# libraries lists the Debian packages that have the libraries which programs among the files load.
libraries() {
	xargs -d '\n' ldd < "$1" 2> /dev/null | sed -n 's,^.* => \(/[^ ]*\) .*$,\1,p' | sort -u | while read -r library; do
		# Debian's /lib is a link to /usr/lib, and packages know their files by either name.
		name=${library##*/}
		dpkg-query -S "/lib/x86_64-linux-gnu/$name" "/usr/lib/x86_64-linux-gnu/$name" 2> /dev/null | cut -d: -f1
	done | sort -u
}

# archive makes the archive of a Debian package, unless it is there, and prints its name. At its usual level
# xz takes three times as long for a tenth less.
archive() {
	name=$1-$(dpkg-query -W -f '${Version}' "$1" | sed 's/^[0-9]*://')
	if [ ! -e "$repository/$name.tar.xz" ]; then
		content "$1" | sed 's,^/,,' > /files
		test -s /files
		tar -C / --owner=0 --group=0 -cf - -T /files | xz -3 > "$repository/$name.tar.xz"
	fi
	echo "$name"
}

for pair in $names; do
	package=${pair#*=}
	content "$package" > /programs
	parts=
	for part in $(libraries /programs) "$package"; do
		case $here in *" $part "*) continue ;; esac
		parts="$parts $(archive "$part")"
	done
	echo "${pair%%=*}$parts"
done > "$repository/packages"
test "$(wc -l < "$repository/packages")" -eq "$(printf '%s\n' "$names" | wc -l)"
