#!/bin/bash
# The lab itself: its members answer, its fault is there, and nothing is left of it afterwards, however it ended.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit
. tests/lib.sh

lab=${LAB:-$PWD/build-test/tests/lab/lab}
dir=$(mktemp -u /tmp/nsdbg-lab-check.XXXXXX)
trap 'tests/lab/lab.sh stop "$dir"' EXIT

inside() { # MEMBER COMMAND...
	local ns=$prefix-$1

	shift
	nsenter --net="/run/netns/$ns" "$@"
}

resolves() { [ "$(inside client dig +short +time=1 "@10.77.0.53" "$@" | tail -1)" != "" ]; }
gone() { [ ! -e "$dir" ] && [ ! -e "/run/netns/$prefix-web" ]; }

before=$(host_picture)
prefix=$(tests/lab/lab.sh start "$dir" "$lab") || { not_ok "the lab starts" "see above"; exit 1; }
ok "the lab starts"
same "web answers HTTP" "hello from the lab" "$(inside client curl -s --max-time 2 http://10.77.0.3/)"
same "dns answers A" "10.77.0.2" "$(inside client dig +short @10.77.0.53 db.lab)"
same "dns answers over TCP" "10 web.lab." "$(inside client dig +short +tcp @10.77.0.53 lab MX)"
check "dns says NXDOMAIN" grep -q NXDOMAIN <(inside client dig @10.77.0.53 nope.lab)
check "client holds a connection to the database" until_true 3 bash -c "nsenter --net=/run/netns/$prefix-client ss -Htn state established dst 10.77.0.2:5432 | grep -q ."
check "the fault shows" until_true 5 bash -c "nsenter --net=/run/netns/$prefix-client ss -Htn state syn-sent dst 10.77.0.9 | grep -q ."
tests/lab/lab.sh stop "$dir"
same "nothing is left after stop" "$before" "$(host_picture)"

bash -c 'tests/lab/lab.sh start "$1" "$2" $$ >"$1.prefix"; kill -KILL $$' sh "$dir" "$lab" 2>/dev/null
prefix=$(cat "$dir.prefix"; rm -f "$dir.prefix")
check "it goes away when its owner was killed" until_true 3 gone
same "nothing is left then either" "$before" "$(host_picture)"

python3 tests/lab/check_dns.py
python3 tests/lab/check_probe.py
python3 tests/lab/check_replay.py
python3 tests/lab/check_dnswatch.py
python3 tests/lab/check_nat.py
