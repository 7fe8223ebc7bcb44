# Sourced by the shell tests: verdicts in TAP's words, and what is counted before and after to find leaks.
# shellcheck shell=bash

ok() { echo "ok - $1"; }
not_ok() { echo "not ok - $1: $2"; }
skip() { echo "ok - $1 # SKIP $2"; }

check() { # NAME COMMAND...: what it printed is the reason when it fails
	local name=$1 said

	shift
	if said=$("$@" 2>&1); then ok "$name"; else not_ok "$name" "$(tail -c 300 <<<"$said" | tr '\n' ' ')"; fi
}

same() { # NAME EXPECTED FOUND
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "expected '$2', found '$3'"; fi
}

until_true() { # SECONDS COMMAND...: tries every 50 ms
	local end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))

	shift
	until "$@" >/dev/null 2>&1; do
		[ "${EPOCHREALTIME/[.,]/}" -lt $end ] || return 1
		sleep 0.05
	done
}

# What a test may not change on the host: links, routes, and the lab's names among namespaces and mounts.
host_picture() {
	ip -br link
	ip route
	ip netns list | grep -o '^lab[^ ]*' | sort
	awk '$5 ~ /nsdbg|netns.lab/ { print $5 }' /proc/self/mountinfo | sort
}
