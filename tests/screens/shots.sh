#!/bin/bash
# Makes the pictures in screenshots/ from the running program: shots.sh [OUT_DIR [NAME...]]
#
# A private Docker daemon with the containers of tests/engine/world.py, nsdbg on it in tmux, each screen captured once its text is there
# and drawn by ansi2svg.py. Needs what ./quickstart test installs.
set -eu
cd "$(dirname "$(readlink -f "$0")")/../.."

out=$(readlink -m "${1:-screenshots}")
if [ -z "${NSDBG:-}" ]; then # a fresh clone has nothing built
	[ -e build-test/build.ninja ] || meson setup build-test >/dev/null
	ninja -C build-test tui/nsdbg tests/lab/lab >/dev/null
fi
export NSDBG=${NSDBG:-$PWD/build-test/tui/nsdbg} LAB=${LAB:-$PWD/build-test/tests/lab/lab}
dir=$(mktemp -u /tmp/nsdbg-shots.XXXXXX)
mkdir -p "$out"
trap 'tests/engine/dockerd.sh stop "$dir" >/dev/null' EXIT
tests/engine/dockerd.sh start "$dir"
eval "$(tests/engine/dockerd.sh env "$dir")"
export DOCKER_HOST DOCKER_NETNS PYTHONDONTWRITEBYTECODE=1
python3 tests/engine/world.py up
python3 tests/screens/shots.py "$out" "${@:2}"
