#!/bin/bash
# The curses app on a host without an engine: it opens on the lab's namespaces at every size. And what is said about the screens in
# README.md and screenshots/ is still true.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit
. tests/lib.sh

export NSDBG=${NSDBG:-$PWD/build-test/tui/nsdbg} LAB=${LAB:-$PWD/build-test/tests/lab/lab}
export PYTHONDONTWRITEBYTECODE=1
dir=$(mktemp -u /tmp/nsdbg-screens.XXXXXX)
trap 'tests/lab/lab.sh stop "$dir"' EXIT
LAB_PREFIX=$(tests/lab/lab.sh start "$dir" "$LAB") || { not_ok "the lab starts" "see above"; exit 1; }
export LAB_PREFIX
export DOCKER_HOST=unix:///nowhere/docker.sock

status=0
python3 tests/screens/check_lab.py || status=1
python3 tests/screens/check_docs.py || status=1
exit $status
