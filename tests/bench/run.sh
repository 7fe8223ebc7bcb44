#!/bin/bash
# Benchmarks: our time over the peer's, both run alternately in the same minute; medians. Nothing here asserts a time.
#
#   tests/bench/run.sh [NAME...]     names: screen list sockets processes network capture dns exec names probe idle thousand; BENCH_QUICK=1: smaller loads, fewer rounds
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit
. tests/lib.sh

export NSDBG=${NSDBG:-$PWD/build-test/tui/nsdbg} LAB=${LAB:-$PWD/build-test/tests/lab/lab} LOAD=${LOAD:-$PWD/build-test/tests/bench/load}
export PYTHONDONTWRITEBYTECODE=1
dir=$(mktemp -u /tmp/nsdbg-bench.XXXXXX)
trap 'tests/engine/dockerd.sh stop "$dir"' EXIT
tests/engine/dockerd.sh start "$dir" >/dev/null || exit 1
eval "$(tests/engine/dockerd.sh env "$dir")"
export DOCKER_HOST DOCKER_NETNS
python3 tests/bench/bench.py "$@"
