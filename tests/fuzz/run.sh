#!/bin/bash
# fuzz/run.sh BUILD_DIR SECONDS: each fuzz target runs that long from its committed corpus; what it finds is new corpus in
# tests/out/fuzz, a crash is a failure and its input stays there.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit

build=$1 seconds=$2 n=0
for program in "$build"/tests/fuzz/*/fuzz-*; do
	[ -f "$program" ] || continue
	name=${program##*/fuzz-}
	area=$(basename "$(dirname "$program")")
	found=tests/out/fuzz/$name
	corpus=tests/fuzz/$area/corpus-$name
	mkdir -p "$found"
	dirs=("$found")
	[ ! -d "$corpus" ] || dirs+=("$corpus")
	if "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$found/" \
		"${dirs[@]}" >"$found.log" 2>&1; then
		echo "ok - fuzz $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$found.log") runs"
	else
		grep -m3 -E 'ERROR|SUMMARY|runtime error' "$found.log"
		echo "not ok - fuzz $name: see $found.log"
	fi
	n=$((n + 1))
done
[ $n -gt 0 ] || echo "not ok - there are fuzz targets in $build"
