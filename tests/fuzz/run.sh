#!/bin/bash
# fuzz/run.sh BUILD_DIR SECONDS: each fuzz target runs that long from its committed corpus; what it finds is new corpus in
# tests/out/fuzz, a crash is a failure and its input stays there.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit

build=$1 seconds=$2
export seconds

fuzz() { # PROGRAM
	local name=${1##*/fuzz-} area found corpus dirs

	area=$(basename "$(dirname "$1")")
	found=tests/out/fuzz/$name
	corpus=tests/fuzz/$area/corpus-$name
	mkdir -p "$found"
	dirs=("$found")
	[ ! -d "$corpus" ] || dirs+=("$corpus")
	if "$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$found/" \
		"${dirs[@]}" >"$found.log" 2>&1; then
		echo "ok - fuzz $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$found.log") runs"
	else
		echo "$(grep -m3 -E 'ERROR|SUMMARY|runtime error' "$found.log")"$'\n'"not ok - fuzz $name: see $found.log"
	fi
}
export -f fuzz

programs=()
for program in "$build"/tests/fuzz/*/fuzz-*; do
	[ ! -f "$program" ] || programs+=("$program")
done
if [ ${#programs[@]} = 0 ]; then echo "not ok - there are fuzz targets in $build"; exit 1; fi
printf '%s\0' "${programs[@]}" | xargs -0 -n 1 -P "$(nproc)" bash -c 'fuzz "$1"' fuzz
