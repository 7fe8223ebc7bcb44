#!/bin/bash
# Root file systems for test containers, made without a registry:   mkimages.sh DIR
#
#   DIR/bb.tar       busybox with all its applets, /etc/passwd, a page in /www
#   DIR/scratch.tar  one static program and nothing else: no shell, no /etc, no libc
#   DIR/oci-{bb,pause}.tar  both as archives for podman load and ctr images import
set -eu

out=${1:?usage: mkimages.sh DIR}
mkdir -p "$out"
work=$(mktemp -d "$out/work.XXXXXX")
trap 'rm -rf "$work"' EXIT

pack() { # directory, tar
	tar --create --file "$2" --directory "$1" --owner=0 --group=0 --numeric-owner .
}

make_busybox() {
	local root=$work/bb applet busybox

	busybox=$(command -v /bin/busybox || command -v busybox)
	mkdir -p "$root"/{bin,dev,etc,proc,root,run,sys,tmp,www}
	chmod 1777 "$root/tmp"
	cp "$busybox" "$root/bin/busybox"
	for applet in $("$busybox" --list); do
		[ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
	done
	printf 'root:x:0:0:root:/root:/bin/sh\nwww:x:33:33:www:/www:/bin/false\n' >"$root/etc/passwd"
	printf 'root:x:0:\nwww:x:33:\n' >"$root/etc/group"
	echo hello >"$root/www/index.html"
	pack "$root" "$out/bb.tar"
}

# /idle [PORT]: waits for ever; with a port it listens there and keeps every connection open.
make_scratch() {
	mkdir -p "$work/scratch"
	cat >"$work/idle.c" <<'C'
#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void leave(int sig)
{
	_exit(sig == SIGTERM ? 0 : 1);
}

int main(int argc, char **argv)
{
	struct sockaddr_in here = { .sin_family = AF_INET };
	int s;

	signal(SIGTERM, leave);
	signal(SIGINT, leave);
	if (argc > 1) {
		here.sin_port = htons((unsigned short)atoi(argv[1]));
		s = socket(AF_INET, SOCK_STREAM, 0);
		if (bind(s, (struct sockaddr *)&here, sizeof here) || listen(s, 16))
			return 1;
		while (accept(s, 0, 0) >= 0)
			;
	}
	for (;;)
		pause();
}
C
	"${CC:-cc}" -O2 -static -s -o "$work/scratch/idle" "$work/idle.c"
	pack "$work/scratch" "$out/scratch.tar"
}

make_busybox
make_scratch

# What podman, docker and ctr all load: a docker-archive of one layer.
make_archive() { # name, layer, command as JSON
	local dir=$work/archive-$1 digest

	mkdir -p "$dir"
	cp "$2" "$dir/layer.tar"
	digest=$(sha256sum "$dir/layer.tar" | cut -d' ' -f1)
	printf '{"architecture":"%s","os":"linux","config":{"Env":["PATH=/bin"],"Cmd":%s},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
		"$(uname -m | sed 's/x86_64/amd64/;s/aarch64/arm64/')" "$3" "$digest" >"$dir/config.json"
	printf '[{"Config":"config.json","RepoTags":["docker.io/library/%s:1"],"Layers":["layer.tar"]}]' "$1" >"$dir/manifest.json"
	tar --create --file "$out/oci-$1.tar" --directory "$dir" manifest.json config.json layer.tar
}

make_archive bb "$out/bb.tar" '["/bin/sleep","1000000"]'
make_archive pause "$out/scratch.tar" '["/idle"]'
