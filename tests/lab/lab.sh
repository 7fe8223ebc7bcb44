#!/bin/bash
# The lab: real network namespaces with real servers in them, for looking around and for tests.
#
#   lab.sh start DIR LAB_PROGRAM [OWNER_PID]   makes it; with OWNER_PID it goes away by itself when that process ends, however it ends
#   lab.sh stop DIR                            removes all of it; safe to repeat
#
#   web 10.77.0.3:80   db 10.77.0.2:5432   client 10.77.0.4   dns 10.77.0.53   and the fault: client calls 10.77.0.9:6379, where nobody is.
#   Everything hangs on a bridge inside a namespace of its own, so the host's own interfaces, routes and rules stay as they were.
# Names (ip netns): lab-web ... ; lab2-web when those are taken. DIR/prefix holds what was chosen.
set -eu

members="dns:53 db:2 web:3 client:4"

usage() { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }

alive() { # PID START: still the process that we started?
	[ "$(cut -d')' -f2- "/proc/$1/stat" 2>/dev/null | cut -d' ' -f21)" = "$2" ]
}

remember() { # PID: what stop ends
	echo "$1 $(cut -d')' -f2- "/proc/$1/stat" | cut -d' ' -f21)" >>"$dir/pids"
}

choose_prefix() {
	local prefix=lab n=2

	while [ -e "/run/netns/$prefix-net" ] || [ -e "/run/netns/$prefix-web" ]; do prefix=lab$n; n=$((n + 1)); done
	echo "$prefix" >"$dir/prefix"
}

make_etc() { # MEMBER
	mkdir -p "$dir/$1/etc"
	printf 'nameserver 10.77.0.53\nsearch lab\noptions timeout:1 attempts:2\n' >"$dir/$1/etc/resolv.conf"
	printf '127.0.0.1\tlocalhost\n10.77.0.%s\t%s-%s\n' "$2" "$prefix" "$1" >"$dir/$1/etc/hosts"
	printf 'hosts: files dns\n' >"$dir/$1/etc/nsswitch.conf"
}

# Not `ip -n` and not `ip netns exec`: they mount another /sys, which needs a root directory that is a mount point.
within() { # NAMESPACE COMMAND...
	local ns=$1

	shift
	nsenter --net="/run/netns/$ns" "$@"
}

add_member() { # MEMBER HOST_NUMBER
	local ns=$prefix-$1

	ip netns add "$ns"
	within "$prefix-net" ip link add "to-$1" type veth peer name eth0 netns "$ns"
	within "$prefix-net" ip link set "to-$1" master br-lab up
	within "$ns" ip link set lo up
	within "$ns" ip addr add "10.77.0.$2/24" dev eth0
	within "$ns" ip addr add "fd77::$2/64" dev eth0 nodad 2>/dev/null || true # no IPv6 on this host
	within "$ns" ip link set eth0 up
	within "$ns" ip route add default via 10.77.0.1
	make_etc "$1" "$2"
	remember "$("$program" enter "$ns" "$dir/$1" "$1")"
}

start() {
	program=$(readlink -f "${1:?}")
	owner=${2:-}
	[ -e "$dir/prefix" ] && { echo "lab.sh: a lab is already in $dir" >&2; exit 1; }
	mkdir -p -m 0700 "$dir"
	mountpoint -q /run/netns || touch "$dir/made-run-netns"
	choose_prefix
	prefix=$(cat "$dir/prefix")
	trap 'r=$?; [ $r = 0 ] || stop; exit $r' EXIT
	ip netns add "$prefix-net"
	within "$prefix-net" ip link set lo up
	within "$prefix-net" ip link add br-lab type bridge
	within "$prefix-net" ip addr add 10.77.0.1/24 dev br-lab
	within "$prefix-net" ip link set br-lab up
	for m in $members; do add_member "${m%:*}" "${m#*:}"; done
	if [ -n "$owner" ]; then
		"$program" keep "$owner" "$(readlink -f "$0")" stop "$dir" </dev/null >/dev/null 2>&1 &
		remember $!
	fi
	ready
	echo "$prefix"
}

ready() { # the client has its connection to the database, so everything answers
	local i

	for ((i = 0; i < 100; i++)); do
		within "$prefix-client" cat /proc/net/tcp 2>/dev/null | grep -q '0200*4D0A:1538 01\|02004D0A:1538 01' && return 0
		sleep 0.05
	done
	echo "lab.sh: the lab did not come up in 5 s" >&2
	return 1
}

stop() {
	local prefix pid start i

	[ -e "$dir/prefix" ] || return 0
	prefix=$(cat "$dir/prefix")
	if [ -e "$dir/pids" ]; then
		while read -r pid start; do
			[ "$pid" = $$ ] || { alive "$pid" "$start" && kill -KILL "$pid" 2>/dev/null; } || true
		done <"$dir/pids"
	fi
	for m in $members net:1; do
		[ -e "/run/netns/$prefix-${m%:*}" ] && ip netns del "$prefix-${m%:*}"
	done
	# ip netns makes /run/netns a mount of its own the first time; leave the host as we found it
	if [ -e "$dir/made-run-netns" ] && [ -z "$(ls /run/netns)" ]; then umount /run/netns && rmdir /run/netns; fi
	rm -rf --one-file-system "$dir"
}

[ $# -ge 2 ] || usage
cmd=$1 dir=$2
case $dir in /*) ;; *) dir=$PWD/$dir ;; esac
shift 2
case $cmd in
start) start "$@" ;;
stop) stop ;;
*) usage ;;
esac
