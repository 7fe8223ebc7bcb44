#!/bin/bash
# Runs every test and says how it went: "N passed, N failed, N skipped" is the last line; anything failed: exit 1.
#
#   tests/run.sh [PART...]      parts: build style units lab cli engine attack screens sanitizers fuzz bench (all of them by default)
#
# Each part prints TAP-like lines ("ok - name", "not ok - name: reason", "ok - name # SKIP reason"); logs go to tests/out/PART.log.
set -u
cd "$(dirname "$(readlink -f "$0")")/.." || exit

out=tests/out
fuzz_seconds=${FUZZ_SECONDS:-4} # for each target
passed=0 failed=0 skipped=0
failures=()
export PYTHONDONTWRITEBYTECODE=1
export NSDBG=$PWD/build-test/tui/nsdbg LAB=$PWD/build-test/tests/lab/lab

setup() { # DIR OPTIONS...
	local dir=$1

	shift
	[ -e "$dir/build.ninja" ] || meson setup "$dir" "$@"
}

# meson's own report of the units, one line for each check inside them
units() { # DIR
	meson test -C "$1" --no-rebuild --print-errorlogs >/dev/null
	python3 tests/meson-tap.py "$1/meson-logs/testlog.json"
}

part_build() {
	{ setup build-test -Dwerror=true && ninja -C build-test; } >$out/setup.log 2>&1 && echo "ok - builds without a warning" ||
		{ tail -40 $out/setup.log; echo "not ok - builds without a warning: see $out/setup.log"; }
}

part_style() { python3 tests/style/check.py; }

part_units() { units build-test; }

make_sanitizers() {
	setup build-asan -Doptimization=1 -Db_sanitize=address,undefined -Db_lundef=false && ninja -C build-asan
}

make_fuzz() {
	CC=clang setup build-fuzz -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false && ninja -C build-fuzz $(fuzz_targets)
}

make_alone() { # WHAT LOG: one build at a time
	{ flock 9; "make_$1" >"$2" 2>&1 9>&-; } 9>$out/build.lock
}

# The two long builds run beside parts that mostly wait for engines and timers, at idle priority so as not to disturb them.
prebuild=
start_prebuild() {
	(
		chrt --idle --pid 0 $BASHPID
		make_alone sanitizers $out/setup-asan.log
		make_alone fuzz $out/setup-fuzz.log
	) >/dev/null 2>&1 </dev/null &
	prebuild=$!
	trap 'pkill -P $prebuild; kill $prebuild 2>/dev/null' EXIT
}

made() { # WHAT LOG
	make_alone "$1" "$2" || { tail -40 "$2"; return 1; }
}

part_sanitizers() {
	made sanitizers $out/setup-asan.log || { echo "not ok - builds with sanitizers: see $out/setup-asan.log"; return; }
	units build-asan | sed 's/ - / - sanitizers: /'
}

fuzz_targets() { ninja -C build-fuzz -t targets all | grep -oE '^tests/fuzz/[a-z]+/fuzz-[a-z0-9-]+:' | tr -d :; }

part_fuzz() {
	made fuzz $out/setup-fuzz.log || { echo "not ok - fuzz targets build: see $out/setup-fuzz.log"; return; }
	tests/fuzz/run.sh build-fuzz "$fuzz_seconds"
}

part_lab() { tests/lab/check.sh; }

script_part() { # DIRECTORY: run.sh in it, when there
	[ ! -x "tests/$1/run.sh" ] || "tests/$1/run.sh"
}

part_cli() { script_part cli; }
part_engine() { script_part engine; }
part_attack() { script_part attack; }
part_screens() { script_part screens; }

part_bench() { # printed for the reader; times are never asserted
	BENCH_QUICK=1 tests/bench/run.sh || echo "not ok - bench runs"
}

count() { # FILE PART
	passed=$((passed + $(grep -E '^ok ' "$1" | grep -vc '# SKIP')))
	skipped=$((skipped + $(grep -cE '^ok .*# SKIP' "$1")))
	failed=$((failed + $(grep -cE '^not ok ' "$1")))
	while IFS= read -r line; do failures+=("$2: $line"); done < <(grep -E '^not ok ' "$1")
}

run_part() { # PART
	local start=$SECONDS status lines

	printf '\n# %s\n' "$1"
	"part_$1" 2>&1 </dev/null | tee "$out/$1.log"
	status=${PIPESTATUS[0]}
	lines=$(grep -cE '^(not )?ok ' "$out/$1.log")
	if { [ "$status" != 0 ] && ! grep -q '^not ok ' "$out/$1.log"; } || { [ "$lines" = 0 ] && [ "$1" != bench ]; }; then
		echo "not ok - $1 ran to its end: status $status, $lines checks" | tee -a "$out/$1.log"
	fi
	count "$out/$1.log" "$1"
	printf '# %s: %s checks in %s s\n' "$1" "$lines" $((SECONDS - start))
}

mkdir -p $out
[ $# -gt 0 ] || set -- build style units lab cli engine attack screens sanitizers fuzz bench
for part; do
	run_part "$part"
	[ "$part" != build ] || [ $failed = 0 ] || break # nothing to test
	[ "$part" != lab ] || [ $# -lt 11 ] || start_prebuild # the lab compares pauses by the millisecond: not beside it
done
if [ ${#failures[@]} -gt 0 ]; then printf '\nfailed:\n'; printf '  %s\n' "${failures[@]}"; fi
printf '\n%d passed, %d failed, %d skipped\n' $passed $failed $skipped
[ $failed = 0 ]
