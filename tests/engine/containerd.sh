#!/bin/bash
# A private containerd with its CRI plugin for the tests: own directory, own network namespace.
#
#   containerd.sh start [DIR]                 socket DIR/containerd.sock (containerd's own API and CRI v1); loads bb:1 and pause:1
#   containerd.sh ctr [DIR] ARGS...           ctr with that socket
#   containerd.sh run [DIR] SPACE NAME CMD... a container of bb:1 by ctr, on a bridge by CNI; prints its address
#   containerd.sh kill [DIR]                  kill -9 containerd: containers live on
#   containerd.sh stop [DIR]                  removes everything
#
# Needs root, containerd, runc, containernetworking-plugins, iptables.
set -u

here=$(dirname "$(readlink -f "$0")")
command=${1:-}
dir=$(readlink -m "${2:-${TMPDIR:-/tmp}/nsdbg-containerd}")
shift 2 2>/dev/null || shift $#
images=${NSDBG_IMAGES:-$dir/img} # made once for several engines
sock=$dir/containerd.sock
netns=nsdbg-$(printf %s "$dir" | cksum | cut -d' ' -f1)
plugins=/usr/lib/cni
[ -d "$plugins" ] || plugins=/opt/cni/bin
export PATH=/usr/sbin:/usr/bin:/sbin:/bin

die() {
	echo "containerd.sh: $*" >&2
	exit 1
}

inside() {
	nsenter --net="/run/netns/$netns" -- "$@"
}

ctr() {
	inside ctr --address "$sock" "$@"
}

lives() {
	readlink "/proc/$1/exe" >/dev/null 2>&1
}

our_pids() {
	local file pid

	for file in $(grep -lsF "$dir/" /proc/[0-9]*/cmdline); do
		pid=${file#/proc/}
		pid=${pid%/cmdline}
		case $(readlink "/proc/$pid/exe" 2>/dev/null) in
		*/containerd*) echo "$pid" ;;
		esac
	done
}

# oom_score: the sandbox would want -998, which not every root may set. The network namespaces of pods stay below our directory.
write_config() {
	mkdir -p "$dir"/{root,state,opt,cni,cni-data} || die "cannot make $dir"
	cat >"$dir/config.toml" <<-CONF
		version = 2
		root = "$dir/root"
		state = "$dir/state"
		oom_score = 0
		[grpc]
		  address = "$sock"
		[plugins."io.containerd.internal.v1.opt"]
		  path = "$dir/opt"
		[plugins."io.containerd.grpc.v1.cri"]
		  sandbox_image = "docker.io/library/pause:1"
		  restrict_oom_score_adj = true
		  disable_apparmor = true
		  netns_mounts_under_state_dir = true
		  [plugins."io.containerd.grpc.v1.cri".cni]
		    bin_dir = "$plugins"
		    conf_dir = "$dir/cni"
	CONF
	bridge='"type":"bridge","bridge":"nsdbg0","isGateway":true,"ipMasq":false,"ipam":{"type":"host-local","dataDir":"'$dir'/cni-data","ranges":[[{"subnet":"10.66.0.0/16"}]],"routes":[{"dst":"0.0.0.0/0"}]}'
	printf '{"cniVersion":"0.4.0","name":"nsdbg","plugins":[{%s}]}\n' "$bridge" >"$dir/cni/10-bridge.conflist"
	printf '{"cniVersion":"0.4.0","name":"nsdbg",%s}\n' "$bridge" >"$dir/bridge.json"
}

start_daemon() {
	rm -f "$sock"
	setsid nsenter --net="/run/netns/$netns" -- containerd --config "$dir/config.toml" </dev/null >>"$dir/log" 2>&1 &
	echo $! >"$dir/pid"
	for _ in $(seq 200); do
		ctr version >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	tail -n 5 "$dir/log" >&2
	die "containerd did not start"
}

start() {
	case $dir in
	/tmp/?* | /run/?* | /var/tmp/?* | "${TMPDIR:-/tmp}"/?*) ;;
	*) die "refusing to work in $dir: not a temporary directory" ;;
	esac
	write_config
	[ -e "/run/netns/$netns" ] || ip netns add "$netns" || die "cannot make network namespace $netns"
	inside ip link set lo up
	ctr version >/dev/null 2>&1 || start_daemon
	[ -e "$images/oci-bb.tar" ] || "$here/mkimages.sh" "$images" || die "cannot make the images"
	for image in bb pause; do
		for space in k8s.io test; do
			ctr -n "$space" images import "$images/oci-$image.tar" >/dev/null || die "cannot load $image"
		done
	done
	echo "containerd answers at unix://$sock"
}

run() { # SPACE NAME CMD...
	local space=$1 name=$2 file=$dir/netns-$2

	shift 2
	: >"$file" && unshare --net="$file" true || die "cannot make a namespace for $name"
	inside env CNI_COMMAND=ADD CNI_CONTAINERID="$name" CNI_NETNS="$file" CNI_IFNAME=eth0 CNI_PATH="$plugins" \
		"$plugins/bridge" <"$dir/bridge.json" >"$dir/cni-$name.json" || die "CNI: $(tr '\n' ' ' <"$dir/cni-$name.json")"
	nsenter --net="$file" ip link set lo up
	ctr -n "$space" run -d --with-ns "network:$file" docker.io/library/bb:1 "$name" "$@" || die "cannot run $name"
	grep -oE '"address": *"[0-9.]+' "$dir/cni-$name.json" | grep -oE '[0-9.]+$'
}

kill_leftovers() {
	local pid child

	for pid in $(our_pids); do
		for child in $(cat "/proc/$pid/task/"*/children 2>/dev/null); do
			case $(readlink "/proc/$pid/exe") in *shim*) kill -KILL "$child" 2>/dev/null ;; esac
		done
	done
	for signal in TERM KILL; do
		for pid in $(our_pids); do kill -$signal "$pid" 2>/dev/null; done
		for _ in $(seq 40); do [ -z "$(our_pids)" ] && return; sleep 0.05; done
	done
}

stop() {
	local space group id spaces="test k8s.io kubepods"

	[ -d "$dir" ] || return 0
	kill_leftovers
	for id in "$dir"/state/io.containerd.runtime.v2.task/*/*; do # runc's own notes about what a shim did not live to remove
		[ ! -d "$id" ] || rm -rf "/run/containerd/runc/$(basename "$(dirname "$id")")/$(basename "$id")"
	done
	awk -v d="$dir/" 'index($2, d) == 1 { print $2 }' /proc/self/mounts | sort -r | while read -r mount; do umount -l "$mount" 2>/dev/null; done
	[ ! -e "/run/netns/$netns" ] || ip netns del "$netns"
	for space in $spaces; do
		find /sys/fs/cgroup -maxdepth 2 -mindepth 2 -type d -name "$space" | while read -r group; do
			find "$group" -depth -type d -exec rmdir {} + 2>/dev/null
		done
	done
	for id in "$dir"/root/io.containerd.grpc.v1.cri/sandboxes/*; do rm -f /var/lib/cni/results/*"${id##*/}"*; done 2>/dev/null
	rmdir /var/lib/cni/results /var/lib/cni 2>/dev/null
	rm -rf --one-file-system "$dir"
	[ ! -e "$dir" ] || die "could not remove $dir"
}

[ "$(id -u)" = 0 ] || die "needs root"
case $command in
start) start ;;
ctr) ctr "$@" ;;
run) run "$@" ;;
kill) kill -KILL "$(cat "$dir/pid")"; for _ in $(seq 40); do lives "$(cat "$dir/pid")" || break; sleep 0.05; done ;;
stop) stop ;;
*) die "usage: containerd.sh start|ctr|run|kill|stop [DIR] [ARGS...]" ;;
esac
