#!/bin/bash
# Podman for the tests, root's or an ordinary user's: its own storage, networks and API socket; rootful in a network namespace of its own.
#
#   podman.sh start [DIR]           starts the API service on DIR/podman.sock (again: does nothing), loads bb:1 and pause:1
#   podman.sh run [DIR] ARGS...     podman ARGS with that configuration
#   podman.sh kill [DIR]            kill -9 the API service: containers live on
#   podman.sh stop [DIR]            removes containers, pods, networks, the service, its directory
#
# PODMAN_USER=NAME: rootless, as a user NAME that is made for it and removed by stop; its socket: /run/user/UID/podman/podman.sock.
# Needs root, podman, runc, netavark, aardvark-dns; rootless: uidmap, slirp4netns.
set -u

here=$(dirname "$(readlink -f "$0")")
. "$here/tun.sh"
command=${1:-}
dir=$(readlink -m "${2:-${TMPDIR:-/tmp}/nsdbg-podman}")
shift 2 2>/dev/null || shift $#
user=${PODMAN_USER:-}
netns=nsdbg-$(printf %s "$dir" | cksum | cut -d' ' -f1)
images=${NSDBG_IMAGES:-$dir/img} # made once for several engines
sock=$dir/podman.sock
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
unset DOCKER_HOST CONTAINER_HOST XDG_RUNTIME_DIR

die() {
	echo "podman.sh: $*" >&2
	exit 1
}

# Hard limits cannot be raised everywhere, and podman lowers its own number of processes to kernel.pid_max first.
write_config() { # directory of the configuration
	local files processes max

	files=$(ulimit -Hn)
	processes=$(ulimit -Hu)
	max=$(cat /proc/sys/kernel/pid_max)
	[ "$files" != unlimited ] || files=1048576
	{ [ "$processes" != unlimited ] && [ "$processes" -le "$max" ]; } || processes=$max
	cat >"$1/containers.conf" <<-CONF
		[containers]
		default_ulimits = ["nofile=$files:$files", "nproc=$processes:$processes"]
		log_driver = "k8s-file"
		[network]
		network_backend = "netavark"
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		runtime = "runc"
		helper_binaries_dir = ["/usr/lib/podman", "/usr/libexec/podman"]
		infra_image = "docker.io/library/pause:1"
	CONF
}

write_root_config() {
	mkdir -p "$dir"/{root,run,tmp,net,volumes} || die "cannot make $dir"
	write_config "$dir"
	sed -i -e "/^\[network\]/a network_config_dir = \"$dir/net\"" \
		-e "/^\[engine\]/a tmp_dir = \"$dir/tmp\"\nvolume_path = \"$dir/volumes\"\nevents_logfile_path = \"$dir/events.log\"" "$dir/containers.conf"
	printf '[storage]\ndriver = "overlay"\ngraphroot = "%s/root"\nrunroot = "%s/run"\n' "$dir" "$dir" >"$dir/storage.conf"
	printf 'unqualified-search-registries = ["localhost"]\n' >"$dir/registries.conf"
}

make_user() {
	mkdir -p "$dir" && chmod 755 "$dir"
	id "$user" >/dev/null 2>&1 || useradd -M -d "$dir/home" -s /bin/bash "$user" || die "cannot make user $user"
	grep -q "^$user:" /etc/subuid || { echo "$user:700000:65536" >>/etc/subuid; echo "$user:700000:65536" >>/etc/subgid; }
	install -d -o "$user" -m 700 "$dir/home"
	install -d -o "$user" "$dir/home/.config" "$dir/home/.config/containers"
	install -d -o "$user" -m 700 "/run/user/$(id -u "$user")" 2>/dev/null || { mkdir -p /run/user; install -d -o "$user" -m 700 "/run/user/$(id -u "$user")"; }
	tun_open "$user"
	write_config "$dir/home/.config/containers"
	printf '[storage]\ndriver = "overlay"\n' >"$dir/home/.config/containers/storage.conf"
}

podman() {
	cd "$dir" || exit # conmon leaves a file where it was started
	if [ -n "$user" ]; then
		setpriv --reuid "$user" --regid "$user" --init-groups env -i -C / PATH="$PATH" HOME="$dir/home" USER="$user" \
			XDG_RUNTIME_DIR="/run/user/$(id -u "$user")" podman "$@"
	else
		CONTAINERS_CONF=$dir/containers.conf CONTAINERS_STORAGE_CONF=$dir/storage.conf \
			CONTAINERS_REGISTRIES_CONF=$dir/registries.conf nsenter --net="/run/netns/$netns" -- podman "$@"
	fi
}

answers() {
	[ -S "$sock" ] && curl -sf --max-time 5 --unix-socket "$sock" http://d/_ping >/dev/null 2>&1
}

lives() {
	readlink "/proc/$1/exe" >/dev/null 2>&1
}

# conmon, aardvark-dns, rootlessport and podman carry our directory, or belong to the user that was made for this.
our_pids() {
	local file pid

	[ -z "$user" ] || { ps -o pid=,stat= -u "$user" | awk '$2 !~ /Z/ { print $1 }'; return; }
	for file in $(grep -lsF "$dir/" /proc/[0-9]*/cmdline); do
		pid=${file#/proc/}
		pid=${pid%/cmdline}
		case $(readlink "/proc/$pid/exe" 2>/dev/null) in
		*/conmon | */aardvark-dns | */podman | */netavark) echo "$pid" ;;
		esac
	done
	[ -e "/run/netns/$netns" ] || return 0
	for pid in $(pgrep -x aardvark-dns); do # its directory is everybody's
		[ "$(stat -Lc %i "/proc/$pid/ns/net" 2>/dev/null)" != "$(stat -Lc %i "/run/netns/$netns")" ] || echo "$pid"
	done
}

# No `podman` behind sudo or setpriv: $! is to be the service itself, or its last wrapper's exec.
service() {
	if [ -n "$user" ]; then
		setsid setpriv --reuid "$user" --regid "$user" --init-groups env -i -C / PATH="$PATH" HOME="$dir/home" USER="$user" \
			XDG_RUNTIME_DIR="/run/user/$(id -u "$user")" podman system service -t 0 </dev/null >>"$dir/log" 2>&1 &
	else
		CONTAINERS_CONF=$dir/containers.conf CONTAINERS_STORAGE_CONF=$dir/storage.conf CONTAINERS_REGISTRIES_CONF=$dir/registries.conf \
			setsid nsenter --net="/run/netns/$netns" -- podman system service -t 0 "unix://$sock" </dev/null >>"$dir/log" 2>&1 &
	fi
	echo $! >"$dir/pid"
	for _ in $(seq 200); do
		answers && return 0
		sleep 0.05
	done
	tail -n 5 "$dir/log" >&2
	die "podman's service did not start"
}

start() {
	case $dir in
	/tmp/?* | /run/?* | /var/tmp/?* | "${TMPDIR:-/tmp}"/?*) ;;
	*) die "refusing to work in $dir: not a temporary directory" ;;
	esac
	if [ -n "$user" ]; then
		make_user
	else
		write_root_config
		[ -e "/run/netns/$netns" ] || ip netns add "$netns" || die "cannot make network namespace $netns"
		nsenter --net="/run/netns/$netns" ip link set lo up
	fi
	answers || { rm -f "$sock"; service; }
	[ -e "$images/oci-bb.tar" ] || "$here/mkimages.sh" "$images" || die "cannot make the images"
	chmod -R a+rX "$images"
	for image in bb pause; do
		podman image exists "docker.io/library/$image:1" || podman load -qi "$images/oci-$image.tar" >/dev/null || die "cannot load $image"
	done
	echo "podman answers at unix://$sock"
}

stop() {
	[ -d "$dir" ] || return 0
	timeout 60 bash -c "$(declare -f podman); user=$user dir=$dir netns=$netns; podman pod rm -af -t 0; podman rm -af -t 0" >/dev/null 2>&1
	kill -TERM "$(cat "$dir/pid" 2>/dev/null)" 2>/dev/null
	for signal in TERM TERM KILL; do
		for pid in $(our_pids); do
			for child in $([ -n "$user" ] || cat "/proc/$pid/task/"*/children 2>/dev/null); do kill -KILL "$child" 2>/dev/null; done
			kill -$signal "$pid" 2>/dev/null
		done
		for _ in $(seq 20); do [ -z "$(our_pids)" ] && break 2; sleep 0.05; done
	done
	awk -v d="$dir/" -v r="/run/user/$(id -u "$user" 2>/dev/null || echo none)" 'index($2, d) == 1 || index($2, r) == 1 { print $2 }' \
		/proc/self/mounts | sort -r | while read -r mount; do umount -l "$mount" 2>/dev/null; done
	[ ! -e "/run/netns/$netns" ] || ip netns del "$netns"
	for group in /sys/fs/cgroup/*/libpod_parent; do find "$group" -depth -type d -exec rmdir {} + 2>/dev/null; done # only empty ones go
	if [ -n "$user" ] && id "$user" >/dev/null 2>&1; then
		tun_close "$user"
		rm -rf --one-file-system "/run/user/$(id -u "$user")"
		rm -f "/dev/shm/libpod_rootless_lock_$(id -u "$user")"
		userdel "$user" 2>/dev/null
		sed -i "/^$user:/d" /etc/subuid /etc/subgid
	fi
	for _ in 1 2 3; do rm -rf --one-file-system "$dir" 2>/dev/null; [ -e "$dir" ] || break; sleep 0.2; done
	[ ! -e "$dir" ] || die "could not remove $dir"
}

kill_service() {
	local pid

	for pid in $(cat "$dir/pid") $(our_pids); do
		tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q "system service" && kill -KILL "$pid" 2>/dev/null
	done
	for _ in $(seq 40); do lives "$(cat "$dir/pid")" || return 0; sleep 0.05; done
}

[ "$(id -u)" = 0 ] || die "needs root"
[ -z "$user" ] || ! id "$user" >/dev/null 2>&1 || sock=/run/user/$(id -u "$user")/podman/podman.sock
case $command in
start) [ -z "$user" ] || { make_user; sock=/run/user/$(id -u "$user")/podman/podman.sock; }; start ;;
run) podman "$@" ;;
kill) kill_service ;;
stop) stop ;;
*) die "usage: podman.sh start|run|kill|stop [DIR] [ARGS...]" ;;
esac
