#!/bin/bash
# A rootless Docker for the tests: dockerd-rootless.sh as an ordinary user who is made for it and removed by stop.
#
#   docker-rootless.sh start [DIR]         socket /run/user/UID/docker.sock; loads bb:1
#   docker-rootless.sh run [DIR] ARGS...   docker ARGS with that socket
#   docker-rootless.sh stop [DIR]          ends everything and removes the user
#
# DOCKER_USER=NAME: the user. Needs root, docker.io, rootlesskit, slirp4netns, uidmap.
set -u

here=$(dirname "$(readlink -f "$0")")
. "$here/tun.sh"
command=${1:-}
dir=$(readlink -m "${2:-${TMPDIR:-/tmp}/nsdbg-rootless}")
shift 2 2>/dev/null || shift $#
user=${DOCKER_USER:-nsdbgdocker}
images=${NSDBG_IMAGES:-$dir/img}
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
unset DOCKER_HOST DOCKER_CONTEXT XDG_RUNTIME_DIR

die() {
	echo "docker-rootless.sh: $*" >&2
	exit 1
}

runtime_dir() {
	echo "/run/user/$(id -u "$user" 2>/dev/null || echo none)"
}

docker() {
	DOCKER_HOST=unix://$(runtime_dir)/docker.sock /usr/bin/docker "$@"
}

answers() {
	curl -sf --max-time 5 --unix-socket "$(runtime_dir)/docker.sock" http://d/_ping >/dev/null 2>&1
}

make_user() {
	mkdir -p "$dir" && chmod 755 "$dir"
	id "$user" >/dev/null 2>&1 || useradd -M -d "$dir/home" -s /bin/bash "$user" || die "cannot make user $user"
	grep -q "^$user:" /etc/subuid || { echo "$user:800000:65536" >>/etc/subuid; echo "$user:800000:65536" >>/etc/subgid; }
	install -d -o "$user" -m 755 "$dir/home"
	mkdir -p /run/user && install -d -o "$user" -m 700 "$(runtime_dir)"
	tun_open "$user"
}

start() {
	local script=/usr/share/docker.io/contrib/dockerd-rootless.sh

	case $dir in
	/tmp/?* | /run/?* | /var/tmp/?* | "${TMPDIR:-/tmp}"/?*) ;;
	*) die "refusing to work in $dir: not a temporary directory" ;;
	esac
	[ -x "$script" ] || die "$script is missing: apt-get install docker.io"
	make_user
	if ! answers; then
		setsid setpriv --reuid "$user" --regid "$user" --init-groups env -i -C / PATH="$PATH" HOME="$dir/home" USER="$user" \
			XDG_RUNTIME_DIR="$(runtime_dir)" "$script" </dev/null >>"$dir/log" 2>&1 &
	fi
	for _ in $(seq 400); do answers && break; sleep 0.05; done
	answers || { tail -n 5 "$dir/log" >&2; die "rootless dockerd did not start"; }
	[ -e "$images/bb.tar" ] || "$here/mkimages.sh" "$images" || die "cannot make the images"
	docker image inspect bb:1 >/dev/null 2>&1 || docker import --change 'CMD ["sleep","1000000"]' "$images/bb.tar" bb:1 >/dev/null ||
		die "cannot load the images"
	echo "rootless dockerd answers at unix://$(runtime_dir)/docker.sock"
}

# Everything that runs as the user, and what runs as users of his own.
our_pids() {
	ps -o pid=,stat= -u "$user" 2>/dev/null | awk '$2 !~ /Z/ { print $1 }'
}

stop() {
	local ids signal run

	id "$user" >/dev/null 2>&1 || { rm -rf --one-file-system "$dir"; return 0; }
	run=$(runtime_dir)
	ids=$(timeout 10 /usr/bin/docker -H "unix://$run/docker.sock" ps -aq 2>/dev/null)
	[ -z "$ids" ] || timeout 30 /usr/bin/docker -H "unix://$run/docker.sock" rm -f -v $ids >/dev/null 2>&1
	for signal in TERM TERM KILL; do
		for pid in $(our_pids); do kill -$signal "$pid" 2>/dev/null; done
		for _ in $(seq 30); do [ -z "$(our_pids)" ] && break 2; sleep 0.05; done
	done
	awk -v d="$dir/" -v r="$run" 'index($2, d) == 1 || index($2, r) == 1 { print $2 }' /proc/self/mounts | sort -r |
		while read -r mount; do umount -l "$mount" 2>/dev/null; done
	rm -rf --one-file-system "$run"
	tun_close "$user"
	userdel "$user" 2>/dev/null
	sed -i "/^$user:/d" /etc/subuid /etc/subgid
	for _ in 1 2 3; do rm -rf --one-file-system "$dir" 2>/dev/null; [ -e "$dir" ] || break; sleep 0.2; done
	[ ! -e "$dir" ] || die "could not remove $dir"
}

[ "$(id -u)" = 0 ] || die "needs root"
case $command in
start) start ;;
run) docker "$@" ;;
stop) stop ;;
*) die "usage: docker-rootless.sh start|run|stop [DIR] [ARGS...]" ;;
esac
