#!/bin/bash
# The command line without any engine: grammar, forms of output, exit codes, errors, and what a closed pipe or a full disk does.
# Targets are the host, a namespace that this script makes, and processes in it. Needs root for all but the grammar.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit
. tests/lib.sh

export NSDBG=${NSDBG:-$PWD/build-test/tui/nsdbg}
unset DOCKER_HOST DOCKER_CONTEXT
dir=$(mktemp -d /tmp/nsdbg-cli.XXXXXX)
chmod 755 "$dir"
out=$dir/out err=$dir/err
inside=
ns=nsdbgcli$$
clean() {
	[ -z "$inside" ] || kill "$inside" 2>/dev/null
	ip netns del "$ns" 2>/dev/null
	rm -rf "$dir"
}
trap clean EXIT

run() { # ARGS...: fills $out, $err, $status
	timeout 20 "$NSDBG" "$@" >"$out" 2>"$err" </dev/null
	status=$?
}

# NAME STATUS SAYS ARGS...: fails with that status, one sentence that holds SAYS, and nothing on standard output
refused() {
	local name=$1 want=$2 says=$3

	shift 3
	run "$@"
	if [ $status = "$want" ] && [ ! -s "$out" ] && [ "$(wc -l <"$err")" = 1 ] && grep -qF -- "$says" "$err"; then
		ok "$name"
	else
		not_ok "$name" "status $status, said: $(head -c 300 "$err" | tr '\n' ' ')"
	fi
}

# NAME ARGS...: status 0, something on standard output, nothing on standard error
works() {
	local name=$1

	shift
	run "$@"
	if [ $status = 0 ] && [ -s "$out" ] && [ ! -s "$err" ]; then ok "$name"; else not_ok "$name" "status $status: $(head -c 300 "$err")"; fi
}

json() { # NAME PYTHON-EXPRESSION about d: what the last run printed is one document, and the expression holds
	check "$1" python3 -c "import json,sys; d=json.load(open('$out')); sys.exit(not ($2))"
}

grammar() {
	works "version" version
	works "--version" --version
	works "help" help
	for command in ls networks engines show health doctor ss ps cap dns hostaliases files netns fields help version; do
		works "help $command" help $command
		works "$command --help" $command --help
	done
	refused "unknown command" 2 'did you mean ls?' lss
	refused "unknown word without a terminal" 2 'no command "sockets-please"' sockets-please
	refused "help of nothing" 2 'no command "xyz"' help xyz
	refused "unknown option, with the nearest" 2 'did you mean --no-trunc?' ls --no-trnc
	refused "unknown letter" 2 'unknown option -z' ss host -tz
	refused "option without its value" 2 '--output wants a value' ls -o
	refused "wrong choice" 2 'not "yaml"' ls -o yaml
	refused "wrong number" 2 'wants a number' cap host -c ten
	refused "wrong time" 2 'wants a time' ls --timeout soon
	refused "missing target" 2 'ss wants a target' ss
	refused "a word too many" 2 'takes no "b"' show a b
	refused "wrong filter column" 2 'no column "nosuch"' ss host nosuch:1
	refused "wrong filter number" 2 'not a number' ps host 'rss>much'
	refused "wrong column" 2 'no column "nope"' ls --columns nope
	refused "wrong order" 2 'to sort by' ls --sort nope
	refused "wrong type of record" 2 'not a record type' dns host example.org NOPE
	refused "server that is no address" 2 'not an address' dns host example.org @dns.example
	refused "address that is none" 2 'wants an address' dns host -x example.org
	refused "exec: a namespace that is none" 125 'no namespace "nett"' exec host --ns nett -- true
	refused "exec: an unknown option" 125 'did you mean --caps' exec --carps host
	refused "exec: no such program" 127 'no such program' exec host -- nosuch-program
	refused "engine by ssh" 2 'ssh' ls --docker-host ssh://host
	refused "a runtime that is none" 2 '"dokcer": there are docker' ls --runtime docker,dokcer
	refused "no runtime" 2 '--runtime knows no ""' ls --runtime ''
	refused "an empty address" 2 '--docker-host is empty' ls --docker-host ''
	refused "no packets at all" 2 '--count is at least 1' cap host -c 0
	refused "port 0" 2 '--port is at least 1' dns host example.org -p 0
	refused "--by without --watch" 2 'go with --watch' dns host example.org --by name
	refused "fields of nothing" 2 'no kind of row' fields nope
}

startup() { # what every command would pay for
	for library in libcurl libpcap libsystemd; do
		ldd "$NSDBG" | grep -q "$library" && not_ok "starts without $library" "it is linked" || ok "starts without $library"
	done
}

manual() {
	"$NSDBG" --print-manual >"$dir/nsdbg.1.scd"
	if ! command -v scdoc >/dev/null; then skip "manual page" "no scdoc"; return; fi
	check "manual page: scdoc takes it" sh -c "scdoc <'$dir/nsdbg.1.scd' >'$dir/nsdbg.1'"
	for word in 'nsdbg ss TARGET' 'no-trunc' 'recv_queue' 'EXIT STATUS'; do
		grep -qF -- "$word" "$dir/nsdbg.1" && ok "manual page has $word" || not_ok "manual page has $word" "it has not"
	done
}

completion() {
	local script

	script="$(dirname "$NSDBG")"
	complete_words() { # WORDS...: the last is being typed
		PATH=$script:$PATH timeout 10 bash -c 'source <(nsdbg completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _nsdbg
			printf "%s " "${COMPREPLY[@]}"' bash "$@"
	}
	same "completion: commands" "networks netns " "$(complete_words nsdbg ne)"
	same "completion: options of a command" "--tcp " "$(complete_words nsdbg ss --tc)"
	same "completion: options of all" "--json " "$(complete_words nsdbg ss host --js)"
	same "completion: choices" "ndjson " "$(complete_words nsdbg ls -o nd)"
	check "completion: targets" until_true 15 eval 'complete_words nsdbg ss hos | grep -qw host'
	refused "completion of another shell" 2 'there is bash' completion tcsh
}

forms() {
	works "ls" ls
	grep -q '^host' "$out" && ok "ls shows the host without any engine" || not_ok "ls shows the host without any engine" "$(head -5 "$out")"
	works "ls --json" ls --json
	json "ls --json: a document" "d['schema'] == 'nsdbg.ls/1' and d['errors'] == [] and d['target'] is None and d['data']"
	works "ls -o ndjson" ls -o ndjson
	check "ls -o ndjson: an object a line" python3 -c "import json; [json.loads(l)['name'] for l in open('$out')]"
	works "ls -o csv" ls -o csv
	check "ls -o csv: as many cells in each line" python3 -c "import csv; r=list(csv.reader(open('$out'))); assert len(set(map(len,r)))==1, r"
	works "ls --columns" ls --columns pid,name -H
	works "fields --json" fields --json
	json "fields: every field is explained" "all(f['help'] for f in d['data'])"
	for type in ls networks health doctor ss ps cap dns files netns; do
		works "fields $type" fields $type
	done
	works "color is off in a pipe" ls
	grep -q $'\033' "$out" && not_ok "no escapes in a pipe" "$(head -2 "$out")" || ok "no escapes in a pipe"
}

inside() {
	works "ss of a named namespace" ss "netns:$ns" -tl
	grep -q 7654 "$out" && ok "ss shows its listener" || not_ok "ss shows its listener" "$(cat "$out")"
	works "ss --json" ss "pid:$inside" -tl --json
	json "ss --json: port and process" \
		"[s for s in d['data'] if s['local_port'] == 7654 and s['pid'] == $inside and s['state'] == 'LISTEN' and s['protocol'] == 'tcp']"
	works "ps of a process's namespaces" ps "pid:$inside" --json
	json "ps has it" "[p for p in d['data'] if p['pid'] == $inside]"
	works "ps --tree" ps "pid:$inside" --tree
	works "files of the host" files host
	timeout 20 "$NSDBG" cap "netns:$ns" -i lo -c 2 >"$out" 2>"$err" &
	local cap=$!
	until_true 10 sh -c "ip netns exec $ns bash -c 'echo x >/dev/udp/127.0.0.1/9999'; ! kill -0 $cap"
	wait $cap
	same "cap -c ends by itself" 0 $?
	grep -q 9999 "$out" && ok "cap shows lines" || not_ok "cap shows lines" "$(cat "$out" "$err")"
}

errors() {
	refused "no such target" 3 'no-such-target' ss no-such-target
	refused "no such process" 3 '4194000' ss pid:4194000
	refused "no such process to show" 3 'no process 4194000' show pid:4194000
	refused "no such name to show" 3 '/run/netns/nowhere' show netns:nowhere
	refused "no such namespace" 3 '1234' ss ns:1234
	refused "no such file" 3 '/nowhere' ss netns:/nowhere
	refused "engine that is not there" 5 '/nowhere/docker.sock' ls --docker-host unix:///nowhere/docker.sock
	refused "the engine that is not there is called by its name" 5 'no podman at /nowhere' ls --runtime podman --podman-host unix:///nowhere
	refused "wrong capture filter" 2 'prot' cap host -i lo -c 1 tcp prot 80
	refused "wrong interface" 2 'nosuch0' cap host -i nosuch0 -c 1
	run cap host -i lo -c 1 -w /nowhere/x.pcapng
	same "unwritable folder: status" 2 $status
	grep -q /nowhere/x.pcapng "$err" && ok "unwritable folder: said so" || not_ok "unwritable folder: said so" "$(cat "$err")"
	: >"$dir/empty" && echo full >"$dir/full"
	run cap host -i lo -c 1 -w "$dir/full"
	[ $status = 2 ] && grep -q -- --force "$err" && ok "existing file is kept" || not_ok "existing file is kept" "$status $(cat "$err")"
	same "existing file is kept whole" full "$(cat "$dir/full")"
	timeout 20 "$NSDBG" ls >/dev/full 2>"$err"
	[ $? = 10 ] && grep -q 'No space' "$err" && ok "full disk" || not_ok "full disk" "$(cat "$err")"
	for command in help version "completion bash" "probe netns:$ns tcp 127.0.0.1:7654 -c 2 -i 10ms"; do
		timeout 20 "$NSDBG" $command >/dev/full 2>"$err" </dev/null
		[ $? = 10 ] && grep -q 'No space' "$err" && ok "full disk: $command" || not_ok "full disk: $command" "$(cat "$err")"
	done
	for command in ls "ls --json" help "ss host"; do
		# shellcheck disable=SC2086
		timeout 20 "$NSDBG" $command >&- 2>"$err" </dev/null
		[ $? = 10 ] && grep -q 'Bad file descriptor' "$err" && ok "closed output: $command" || not_ok "closed output: $command" "$(cat "$err")"
	done
	full_file
	mkdir "$dir/crowd" && chmod 777 "$dir/crowd" && crowded
	for command in "ls" "ss netns:$ns" "ps host" "fields" "help"; do
		# shellcheck disable=SC2086
		same "$command into a closed pipe" "0 " "$({ timeout 20 "$NSDBG" $command 2>"$err"; echo $? >"$out"; } | true; echo "$(cat "$out") $(cat "$err")")"
	done
}

without_rights() {
	local copy=$dir/nsdbg

	cp "$NSDBG" "$copy" && chmod 755 "$copy"
	NSDBG="setpriv --reuid=65534 --regid=65534 --clear-groups $copy"
	as_nobody() { timeout 20 setpriv --reuid=65534 --regid=65534 --clear-groups "$copy" "$@" >"$out" 2>"$err"; status=$?; }
	as_nobody ls
	{ [ $status = 0 ] || [ $status = 7 ]; } && [ -s "$out" ] && ok "without rights: ls shows what it may" || not_ok "without rights: ls" "$status $(cat "$err")"
	as_nobody cap "pid:$inside" -c 1
	[ $status = 4 ] && grep -q sudo "$err" && ok "without rights: cap says what is needed" || not_ok "without rights: cap" "$status $(cat "$err")"
	as_nobody ss "pid:$inside"
	[ $status = 4 ] && grep -q sudo "$err" && ok "without rights: ss says what is needed" || not_ok "without rights: ss" "$status $(cat "$err")"
	python3 -c "import socket; s = socket.socket(socket.AF_UNIX); s.bind('$dir/docker.sock')"
	chmod 600 "$dir/docker.sock"
	as_nobody ls --docker-host "unix://$dir/docker.sock"
	[ $status = 4 ] && grep -q docker.sock "$err" && ok "socket without permission is exit 4" || not_ok "socket without permission is exit 4" "$status $(cat "$err")"
}

# A /proc that shows an ordinary user nothing but what is its own: the rest is not silently left out, and the host is still there.
hidden_processes() {
	local copy=$dir/hidden says='/proc hides processes of others (hidepid)'

	cp "${NSDBG##* }" "$copy" && chmod 755 "$copy"
	as_hidden() {
		timeout 20 unshare -m sh -c 'mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"' sh \
			env HOME=/nowhere NSDBG_RUNTIME=netns,host "$copy" "$@" >"$out" 2>"$err"
		status=$?
	}
	for command in ls health "ps host" "ss host"; do
		# shellcheck disable=SC2086
		as_hidden $command
		[ "$status $(cat "$err")" = "7 nsdbg: $says: needs CAP_SYS_PTRACE; run with sudo" ] && ok "hidepid: $command says what is missing" ||
			not_ok "hidepid: $command says what is missing" "$status $(cat "$err")"
	done
	as_hidden ls host --json
	json "hidepid: the host is listed" "[r['runtime'] for r in d['data']] == ['host']"
	as_hidden ports host -a --json
	json "hidepid: ports host are those of ss" "set('$(ss -Hltn | awk '{ sub(".*:", "", $4); print $4 }' | sort -u | tr '\n' ' ')'.split()) == {str(r['port']) for r in d['data'] if r['protocol'] == 'tcp'}"
	as_hidden doctor --json
	same "hidepid: doctor says so" less "$(state_of /proc)"
}

# Root is never sent to sudo: which right it lacks, or that the kernel refuses, is said.
root_refused() {
	local says

	setpriv --bounding-set -net_raw "$NSDBG" cap host -i lo -c 1 >"$out" 2>"$err" </dev/null
	[ $? = 4 ] && grep -q 'needs CAP_NET_RAW, which this root does not have' "$err" && ok "root without a capability hears which" ||
		not_ok "root without a capability hears which" "$(cat "$err")"
	for says in "125 exec pid:$inside -- true" "4 ss pid:$inside" "4 files pid:$inside" "125 exec netns:$ns -- true"; do
		# shellcheck disable=SC2086
		unshare -Ur "$NSDBG" ${says#* } >"$out" 2>"$err" </dev/null
		[ $? = "${says%% *}" ] && grep -q 'the kernel refuses: CAP_[A-Z_]* is held in this user namespace alone' "$err" && ! grep -q sudo "$err" &&
			ok "root of another user namespace hears why: ${says#* }" || not_ok "root of another user namespace hears why: ${says#* }" "$(cat "$err")"
	done
	unshare -Ur "$NSDBG" doctor --json >"$out" 2>"$err" </dev/null
	grep -q sudo "$out" "$err" && not_ok "doctor sends no root to sudo" "$(grep -o '.\{60\}sudo' "$out" "$err")" || ok "doctor sends no root to sudo"
	unshare -Ur "$NSDBG" ls >"$out" 2>"$err" </dev/null
	grep -q sudo "$out" "$err" && not_ok "ls sends no root to sudo" "$(grep sudo "$out" "$err")" || ok "ls sends no root to sudo"
}

state_of() { # CHECK: its state in the doctor's last document
	python3 -c "import json; print(next(r['state'] for r in json.load(open('$out'))['data'] if r['name'] == '$1'))"
}

# Descriptors that nobody takes count for a user on the whole host: those of a stopped nsdbg, or of a container, must not silence ours.
crowded() {
	python3 -c "
import array, os, resource, socket, time
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
os.setgroups([]); os.setgid(65534); os.setuid(65534)
kept = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for i in range(400)]
for a, b in kept:
    a.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [0]))])
open('$dir/crowd/ready', 'w')
time.sleep(60)" 2>"$err" </dev/null &
	local pid=$!

	until_true 5 [ -e "$dir/crowd/ready" ]
	works "400 descriptors of user nobody are under way" ls --runtime host
	same "400 descriptors of user nobody are under way, few may be open" "0 host" \
		"$(ulimit -Sn 128; "$NSDBG" ls --runtime host >"$out" 2>&1; echo "$? $(tail -1 "$out" | cut -d' ' -f1)")"
	kill $pid
	wait $pid 2>/dev/null
}

# Nothing is waited for that would go nowhere.
full_file() {
	local pid

	mkdir "$dir/small" && mount -t tmpfs -o size=16k tmpfs "$dir/small" || { skip "cap into a full disk" "no tmpfs"; return; }
	ip netns exec "$ns" ping -q -c 400 -i 0.01 -s 1000 127.0.0.1 >/dev/null &
	pid=$!
	run cap netns:$ns -i lo -w "$dir/small/x.pcapng"
	[ $status = 7 ] && grep -q 'disk full: stopped writing' "$err" && ok "cap into a full disk ends and says so" ||
		not_ok "cap into a full disk ends and says so" "$status $(cat "$err")"
	wait $pid
	umount "$dir/small"
}

doctor() {
	local held pair cap want

	TERM=xterm-256color run doctor --json
	held=0x$(awk '/CapEff/ { print $2 }' /proc/self/status)
	for pair in CAP_SYS_ADMIN:21 CAP_SYS_PTRACE:19 CAP_NET_ADMIN:12 CAP_NET_RAW:13; do
		cap=${pair%:*} want=missing
		(( held >> ${pair#*:} & 1 )) && want=ok
		[ "$(state_of $cap)" = $want ] && ok "doctor: $cap as /proc/self/status" || not_ok "doctor: $cap as /proc/self/status" "$(state_of $cap), $held"
	done
	json "doctor: what is well costs nothing" "all((r['lost'] is None) for r in d['data'] if r['state'] == 'ok')"
	[ "$(state_of TERM)" = ok ] && [ "$(state_of "packet sockets")" = ok ] && ok "doctor: terminal and packet sockets" ||
		not_ok "doctor: terminal and packet sockets" "$(state_of TERM) $(state_of "packet sockets")"
	TERM=no-such-terminal run doctor --json
	[ "$(state_of TERM)" = missing ] && [ $status = 1 ] && ok "doctor: an unknown terminal is missing, exit 1" ||
		not_ok "doctor: an unknown terminal is missing, exit 1" "$status $(state_of TERM)"
	TERM=no-such-terminal run doctor --docker-host unix:///nowhere/docker.sock
	same "doctor: something missing is exit 1, whatever the engines do" 1 $status
	setpriv --bounding-set -net_raw "$NSDBG" doctor --json >"$out" 2>"$err" </dev/null
	status=$?
	[ "$(state_of CAP_NET_RAW)" = missing ] && [ "$(state_of "packet sockets")" = missing ] && [ $status = 1 ] &&
		ok "doctor: without CAP_NET_RAW there is no capture" || not_ok "doctor: without CAP_NET_RAW" "$status $(state_of "packet sockets")"
	setpriv --bounding-set -net_admin "$NSDBG" doctor --json >"$out" 2>"$err" </dev/null
	json "doctor: without CAP_NET_ADMIN no rules are read" \
		"any(r['name'] == 'CAP_NET_ADMIN' and r['state'] == 'missing' and 'nf_tables' in r['lost'] for r in d['data'])"
	LC_ALL=C run doctor --json
	[ "$(state_of locale)" = less ] && ok "doctor: a locale without UTF-8" || not_ok "doctor: a locale without UTF-8" "$(state_of locale)"
}

grammar
startup
completion
manual
if [ "$(id -u)" != 0 ]; then skip "targets and errors" "needs root"; exit 0; fi
ip netns add "$ns" && ip -n "$ns" link set lo up
ip netns exec "$ns" python3 -c "
import socket, time
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(('127.0.0.1', 7654)); s.listen()
time.sleep(600)" &
inside=$!
until_true 5 sh -c "ip netns exec $ns ss -ltn | grep -q 7654"
forms
inside
errors
doctor
root_refused
without_rights
hidden_processes
NSDBG=${NSDBG##* } python3 tests/cli/check_terminal.py # without_rights put setpriv in front
