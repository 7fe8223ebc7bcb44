#!/bin/bash
# An LXC container for the tests, without templates, download or bridge: lxc.sh start|stop DIR NAME [BB.TAR]
# start prints the pid of its first process. Its address is 10.55.0.2/24 on eth0. Needs root and the package lxc.
set -u
command=${1:?start or stop} dir=${2:?directory} name=${3:?name}
export PATH=/usr/sbin:/usr/bin:/sbin:/bin

start() {
	local root=$dir/$name/rootfs

	mkdir -p "$root" && tar -C "$root" -xf "${1:?bb.tar of mkimages.sh}" || exit 1
	cat >"$dir/$name/config" <<-CONF
		lxc.uts.name = $name
		lxc.rootfs.path = dir:$root
		lxc.init.cmd = /bin/sleep 1000000
		lxc.mount.auto = proc:mixed sys:ro
		lxc.apparmor.profile = unconfined
		lxc.net.0.type = veth
		lxc.net.0.flags = up
		lxc.net.0.name = eth0
		lxc.net.0.ipv4.address = 10.55.0.2/24
	CONF
	timeout 30 lxc-start -P "$dir" -n "$name" -d -o "$dir/$name.log" || { cat "$dir/$name.log" >&2; exit 1; }
	lxc-info -P "$dir" -n "$name" -pH
}

stop() {
	timeout 30 lxc-stop -P "$dir" -n "$name" -k 2>/dev/null
	find /sys/fs/cgroup -depth -maxdepth 2 -type d \( -name "lxc.payload.$name" -o -name "lxc.monitor.$name" -o -name lxc.pivot \) -exec rmdir {} + 2>/dev/null
	rm -rf --one-file-system "${dir:?}/$name" "$dir/$name.log"
	rmdir "$dir" 2>/dev/null
	return 0
}

case $command in
start) start "${4:-}" ;;
stop) stop ;;
*) exit 2 ;;
esac
