#!/bin/bash
# A private Docker daemon for the tests: its own directory, its own network namespace, nothing on the host's network.
#
#   dockerd.sh start [DIR]    starts it (again: says so and does nothing), loads the images bb:1 and scratch:1
#   dockerd.sh stop [DIR]     ends it with all its containers, mounts, cgroups and namespace; works after kill -9 as well
#   dockerd.sh kill [DIR]     kill -9 the daemon only: containers live on; `start` then brings it back with its data
#   dockerd.sh status [DIR]   0 when it answers
#   dockerd.sh env [DIR]      prints DOCKER_HOST and DOCKER_NETNS for `eval`
#
# DIR is /tmp/nsdbg-dockerd unless given. DOCKERD_ARGS: more arguments for dockerd. DOCKERD_IMAGES=0: no images.
# Needs root, docker.io, busybox-static, cc, iproute2.
set -u

here=$(dirname "$(readlink -f "$0")")
command=${1:-}
dir=$(readlink -m "${2:-${TMPDIR:-/tmp}/nsdbg-dockerd}")
sock=$dir/docker.sock
netns=nsdbg-$(printf %s "$dir" | cksum | cut -d' ' -f1)
client=/usr/bin/docker
[ -x "$client" ] || client=docker

die() {
	echo "dockerd.sh: $*" >&2
	exit 1
}

docker() {
	env -u DOCKER_CONTEXT DOCKER_HOST="unix://$sock" "$client" "$@"
}

answers() {
	[ -S "$sock" ] && docker version >/dev/null 2>&1
}

# A killed process may stay a zombie for seconds when pid 1 reaps lazily; a zombie has no exe.
lives() {
	readlink "/proc/$1/exe" >/dev/null 2>&1
}

daemon_pid() {
	local pid

	pid=$(cat "$dir/dockerd.pid" 2>/dev/null) && [ -n "$pid" ] || return 1
	case $(readlink "/proc/$pid/exe" 2>/dev/null) in
	*/dockerd*) tr '\0' '\n' <"/proc/$pid/cmdline" | grep -qxF "$dir/data" && echo "$pid" ;;
	*) return 1 ;;
	esac
}

# Every daemon, containerd, shim and proxy that was started with a path below our directory.
our_pids() {
	local file pid

	for file in $(grep -lsF "$dir/" /proc/[0-9]*/cmdline); do
		pid=${file#/proc/}
		pid=${pid%/cmdline}
		case $(readlink "/proc/$pid/exe" 2>/dev/null) in
		*/dockerd* | */containerd* | */docker-proxy*) echo "$pid" ;;
		esac
	done
}

wait_gone() { # seconds, pid...
	local turns=$(($1 * 20)) pid

	shift
	for pid; do
		while lives "$pid"; do
			[ $((turns -= 1)) -gt 0 ] || return 1
			sleep 0.05
		done
	done
}

start_daemon() {
	local turn

	mkdir -p "$dir/data" "$dir/exec"
	# A zombie containerd would pass for a living one by its pid file.
	rm -f "$sock" "$dir/dockerd.pid" "$dir/exec/containerd/containerd.pid"
	echo '{}' >"$dir/daemon.json" # else the machine's own /etc/docker/daemon.json would count
	[ -e "/run/netns/$netns" ] || ip netns add "$netns" || die "cannot make network namespace $netns"
	# Not `ip netns exec`: it mounts another /sys, which hides the cgroups.
	nsenter --net="/run/netns/$netns" ip link set lo up
	setsid nsenter --net="/run/netns/$netns" -- env -u DOCKER_HOST dockerd --config-file "$dir/daemon.json" \
		--data-root "$dir/data" --exec-root "$dir/exec" --pidfile "$dir/dockerd.pid" --host "unix://$sock" \
		--group root --shutdown-timeout 5 ${DOCKERD_ARGS:-} </dev/null >>"$dir/log" 2>&1 &
	for turn in $(seq 600); do
		answers && return 0
		[ "$turn" -gt 40 ] && ! daemon_pid >/dev/null && break
		sleep 0.05
	done
	tail -n 5 "$dir/log" >&2
	die "dockerd did not start; the log above is $dir/log"
}

load_images() {
	docker image inspect bb:1 scratch:1 >/dev/null 2>&1 && return 0
	"$here/mkimages.sh" "$dir/images" || die "cannot make the images"
	docker import --change 'CMD ["sleep","1000000"]' "$dir/images/bb.tar" bb:1 >/dev/null &&
		docker import --change 'ENTRYPOINT ["/idle"]' "$dir/images/scratch.tar" scratch:1 >/dev/null ||
		die "cannot load the images"
}

start() {
	[ "$(id -u)" = 0 ] || die "needs root"
	command -v dockerd >/dev/null || die "dockerd is missing: apt-get install docker.io"
	case $dir in
	/tmp/?* | /run/?* | /var/tmp/?* | "${TMPDIR:-/tmp}"/?*) ;;
	*) die "refusing to work in $dir: not a temporary directory" ;;
	esac
	answers || start_daemon # after a kill: with the old data, as a real host would
	[ "${DOCKERD_IMAGES:-1}" = 0 ] || load_images
	echo "dockerd $(daemon_pid) answers at unix://$sock"
}

# Containers first: stopping the daemon would give each one 5 s to obey a signal that pid 1 of a namespace ignores.
remove_containers() {
	local ids

	answers || return 0
	ids=$(docker ps -aq)
	[ -z "$ids" ] || docker rm -f -v $ids >/dev/null 2>&1
}

stop_daemon() {
	local pid

	pid=$(daemon_pid) || return 0
	kill -TERM "$pid"
	wait_gone 15 "$pid" || { kill -KILL "$pid"; wait_gone 2 "$pid"; }
}

# After kill -9 the shims and containers live on: containers are the children of our shims.
kill_leftovers() {
	local pid child

	for pid in $(our_pids); do
		case $(readlink "/proc/$pid/exe") in
		*shim*) for child in $(cat "/proc/$pid/task/"*/children 2>/dev/null); do kill -KILL "$child"; done ;;
		esac
	done
	for pid in $(our_pids); do kill -TERM "$pid"; done 2>/dev/null
	wait_gone 3 $(our_pids)
	for pid in $(our_pids); do kill -KILL "$pid"; done 2>/dev/null
	wait_gone 2 $(our_pids)
}

clean_up() {
	local id

	kill_leftovers
	awk -v d="$dir/" 'index($2, d) == 1 { print $2 }' /proc/self/mounts | sort -r | while read -r mount; do
		umount -l "$mount"
	done
	[ ! -e "/run/netns/$netns" ] || ip netns del "$netns"
	for id in "$dir"/data/containers/*; do # other daemons share /docker: only our own ids
		id=${id##*/}
		[ ${#id} = 64 ] && find /sys/fs/cgroup -depth -type d -name "$id" -exec rmdir {} + 2>/dev/null
	done
	rm -rf --one-file-system "$dir/data" "$dir/exec" "$sock" "$dir/dockerd.pid"
}

stop() {
	[ -d "$dir" ] || [ -e "/run/netns/$netns" ] || return 0
	[ -d "$dir/data" ] || [ ! -d "$dir" ] || [ -z "$(ls -A "$dir")" ] || die "$dir is not a directory of mine"
	remove_containers
	stop_daemon
	clean_up
	rm -rf --one-file-system "$dir"
	[ ! -e "$dir" ] || die "could not remove $dir"
}

case $command in
start) start ;;
stop) stop ;;
kill) pid=$(daemon_pid) && kill -KILL "$pid" && wait_gone 2 "$pid" ;;
status) answers && echo "dockerd $(daemon_pid) answers at unix://$sock" ;;
env) echo "export DOCKER_HOST=unix://$sock DOCKER_NETNS=/run/netns/$netns" ;;
*) die "usage: dockerd.sh start|stop|kill|status|env [DIR]" ;;
esac
