#!/bin/sh
# Usage: room.sh enter GROUP ROOM PROGRAM ARGUMENT…
#
# Runs a program in an enclosure (integration/sandbox/enclosure) after furnishing it with two things
# that upstream's tests want and that have to end with it: cgroup file systems whose root is a group of
# its own, since runc and the tests make groups at the top, and a memory file system on the folder
# ROOM, where daemons that write little and sync often are several times faster than on a disk.
set -eu

# hierarchies prints "TYPE MOUNTPOINT OPTIONS" for each mounted cgroup file system (proc(5), mountinfo).
hierarchies() {
	while read -r _ _ _ _ path _ rest; do
		# shellcheck disable=SC2086 # the words are wanted
		set -- ${rest#*- }
		case $1 in cgroup | cgroup2) echo "$1 $path $3" ;; esac
	done </proc/self/mountinfo
}

phase=$1 group=$2 room=$3
case $phase in
enter)
	hierarchies | while read -r _ path _; do
		mkdir "$path/$group"
		# A new cpuset of cgroup v1 takes no process before it is given what its parent has.
		for file in cpuset.cpus cpuset.mems; do
			if [ -e "$path/$group/cgroup.clone_children" ] && [ -e "$path/$file" ]; then
				cat "$path/$file" >"$path/$group/$file"
			fi
		done
	done
	# Not in the loop above: that runs in a process of its own.
	for path in $(hierarchies | cut -d' ' -f2); do
		echo $$ >"$path/$group/cgroup.procs"
	done
	shift
	exec unshare --cgroup sh "$0" furnish "$@"
	;;
furnish)
	hierarchies | while read -r type path options; do
		umount -l "$path"
		case $type,$options in
		cgroup2,*) mount -t cgroup2 cgroup "$path" ;;
		*name=*) mount -t cgroup -o "none,name=${options#*name=}" cgroup "$path" ;;
		*) mount -t cgroup -o "${options#rw,}" cgroup "$path" ;;
		esac
	done
	mount -t tmpfs -o mode=0755 tmpfs "$room"
	cp -a "$CONFORMANCE_MIRROR" "$room/mirror"
	mkdir "$room/home"
	shift 3
	exec "$@"
	;;
*)
	echo "room.sh: unknown phase $phase" >&2
	exit 2
	;;
esac
