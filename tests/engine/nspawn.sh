#!/bin/bash
# A systemd-nspawn container for the tests, with or without systemd as pid 1: nspawn.sh start|stop DIR NAME [BB.TAR]
# start prints the pid of its first process. Needs root and systemd-nspawn; where that is not installed, its package is only unpacked.
set -u
command=${1:?start or stop} dir=${2:?directory} name=${3:?name}
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
root=$dir/$name

find_program() {
	command -v systemd-nspawn && return
	mkdir -p "$dir/package"
	if [ ! -x "$dir/package/usr/bin/systemd-nspawn" ]; then
		(cd "$dir/package" && apt-get download -qq systemd-container >/dev/null 2>&1 && dpkg-deb -x systemd-container*.deb .) || return 1
	fi
	echo "$dir/package/usr/bin/systemd-nspawn"
}

start() {
	local program child

	mkdir -p "$root" && tar -C "$root" -xf "${1:?bb.tar of mkimages.sh}" && mkdir -p "$root/usr" || exit 1 # it insists on /usr
	program=$(find_program) || { echo "nspawn.sh: systemd-nspawn is missing" >&2; exit 1; }
	setsid "$program" -q --register=no --keep-unit -M "$name" --private-network -D "$root" /bin/sleep 1000000 </dev/null >"$dir/$name.log" 2>&1 &
	echo $! >"$dir/$name.pid"
	for _ in $(seq 100); do
		for child in $(cat "/proc/$(cat "$dir/$name.pid")/task/"*/children 2>/dev/null); do
			[ "$(cat "/proc/$child/comm" 2>/dev/null)" = sleep ] && { echo "$child" | tee "$dir/$name.init"; exit 0; }
		done
		sleep 0.05
	done
	cat "$dir/$name.log" >&2
	exit 1
}

stop() {
	kill -KILL "$(cat "$dir/$name.init" 2>/dev/null)" 2>/dev/null
	for _ in $(seq 60); do readlink "/proc/$(cat "$dir/$name.pid" 2>/dev/null)/exe" >/dev/null 2>&1 || break; sleep 0.05; done
	kill -KILL "$(cat "$dir/$name.pid" 2>/dev/null)" 2>/dev/null
	rmdir /sys/fs/cgroup/{systemd,unified}/{payload,supervisor} 2>/dev/null
	rm -rf --one-file-system "$dir"
}

case $command in
start) start "${4:-}" ;;
stop) stop ;;
*) exit 2 ;;
esac
