#!/bin/bash
# Checks nsdbg against a real Docker daemon of our own: run.sh [CHECK...], e.g. run.sh list sockets. Each check is check_NAME.py.
#
# The daemon lives in a private directory and a network namespace of its own (dockerd.sh) and is gone at the end.
# KEEP=1 leaves it running and prints how to reach it.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit
. tests/lib.sh

dir=${NSDBG_DOCKER_DIR:-$(mktemp -u /tmp/nsdbg-engine.XXXXXX)}
export NSDBG=${NSDBG:-$PWD/build-test/tui/nsdbg} LAB=${LAB:-$PWD/build-test/tests/lab/lab}
export PYTHONDONTWRITEBYTECODE=1
unset DOCKER_CONTEXT NSDBG_DOCKER_HOST

if [ "$(id -u)" != 0 ]; then not_ok "engine tests" "need root"; exit 1; fi
started=$(tests/engine/dockerd.sh start "$dir" 2>&1) || { not_ok "a private dockerd starts" "$started"; tests/engine/dockerd.sh stop "$dir"; exit 1; }
[ -n "${KEEP:-}" ] || trap 'tests/engine/dockerd.sh stop "$dir"' EXIT
eval "$(tests/engine/dockerd.sh env "$dir")"
export DOCKER_HOST DOCKER_NETNS
said=$(python3 tests/engine/world.py up 2>&1) || { not_ok "the test containers start" "$(tail -3 <<<"$said" | tr '\n' ' ')"; exit 1; }

# views ends the daemon and the containers: last
if [ $# -gt 0 ]; then checks=("$@"); else checks=(list held lookup health events sockets states processes dns names dnswatch capture errors leaks netns probe ip nat path pane exec engines ports forwarders inside views); fi
status=0
for name in "${checks[@]}"; do
	printf '# engine: %s\n' "$name"
	python3 "tests/engine/check_$name.py" || status=1
done
[ -z "${KEEP:-}" ] || echo "# left running: $(tests/engine/dockerd.sh env "$dir")   end it: tests/engine/dockerd.sh stop $dir"
exit $status
