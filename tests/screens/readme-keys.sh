#!/bin/bash
# Writes the program's own key list into README.md, between its markers.
set -eu
cd "$(dirname "$(readlink -f "$0")")/../.."

nsdbg=${NSDBG:-build/tui/nsdbg}
keys=$("$nsdbg" --print-keys)
awk -v keys="$keys" '
	/<!-- \/keys -->/ { inside = 0 }
	!inside { print }
	/<!-- keys -->/ { inside = 1; print keys }' README.md >README.md.new
mv README.md.new README.md
