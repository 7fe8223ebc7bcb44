#!/bin/bash
# run.sh [CHECK...]: what hostile containers, servers and users may try (texts files servers users).
#
# texts: names, labels, command lines, resolver files, DNS answers and socket names full of escape sequences, control bytes, invalid and
# bidirectional UTF-8; none of it may reach the terminal, a pipe or JSON as it is.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit
. tests/lib.sh

dir=$(mktemp -u /tmp/nsdbg-attack.XXXXXX)
export NSDBG=${NSDBG:-$PWD/build-test/tui/nsdbg} LAB=${LAB:-$PWD/build-test/tests/lab/lab}
export PYTHONDONTWRITEBYTECODE=1
unset DOCKER_CONTEXT
if [ "$(id -u)" != 0 ]; then not_ok "attack tests" "need root"; exit 1; fi
started=$(tests/engine/dockerd.sh start "$dir" 2>&1) || { not_ok "a private dockerd starts" "$started"; tests/engine/dockerd.sh stop "$dir"; exit 1; }
[ -n "${KEEP:-}" ] || trap 'tests/engine/dockerd.sh stop "$dir"' EXIT
eval "$(tests/engine/dockerd.sh env "$dir")"
export DOCKER_HOST DOCKER_NETNS
if [ $# -gt 0 ]; then checks=("$@"); else checks=(texts files servers users); fi
status=0
for name in "${checks[@]}"; do
	printf '# attack: %s\n' "$name"
	python3 "tests/attack/check_$name.py" || status=1
done
exit $status
