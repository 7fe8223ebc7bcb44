# Sourced: /dev/net/tun for slirp4netns, which opens it as the user; udev would have made it 0666. Several may want it at a time: the last
# one puts its mode back.
tun_users=/run/nsdbg-tun

tun_open() { # NAME
	mkdir -p "$tun_users"
	[ -s "$tun_users/mode" ] || stat -c %a /dev/net/tun >"$tun_users/mode"
	: >"$tun_users/user.$1"
	chmod 666 /dev/net/tun
}

tun_close() { # NAME
	rm -f "$tun_users/user.$1"
	ls "$tun_users"/user.* >/dev/null 2>&1 && return 0
	[ ! -s "$tun_users/mode" ] || chmod "$(cat "$tun_users/mode")" /dev/net/tun
	rm -rf "$tun_users"
}
