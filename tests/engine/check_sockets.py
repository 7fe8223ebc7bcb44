#!/usr/bin/env python3
"""ss agrees with ss(8) run inside the same network namespace: every socket, its queues, owner, uid and inode."""
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import Checks, end, in_net, nsdbg, nsdbg_json, pid_of, popen_in_net, wait_for

FIELDS = ["protocol", "state", "local_address", "local_port", "remote_address", "remote_port", "recv_queue", "send_queue", "uid",
          "inode", "pid", "process"]

# Opens one socket of every kind and waits; the abstract name holds a newline that looks like a row of /proc/net/unix.
ZOO = r"""
import os, socket, time
open("/proc/sys/net/ipv6/conf/lo/disable_ipv6", "w").write("0")  # of this namespace only: Docker turns ::1 off
keep = []
def make(family, kind, proto=0):
    s = socket.socket(family, kind, proto); keep.append(s); return s
l = make(socket.AF_INET, socket.SOCK_STREAM); l.bind(("0.0.0.0", 7301)); l.listen(7)
l6 = make(socket.AF_INET6, socket.SOCK_STREAM); l6.bind(("::1", 7302)); l6.listen(9)
both = make(socket.AF_INET6, socket.SOCK_STREAM); both.bind(("::", 7303)); both.listen(3)
a = make(socket.AF_INET, socket.SOCK_STREAM); a.connect(("127.0.0.1", 7301)); a.send(b"12345"); peer = l.accept()[0]; keep.append(peer)
waiting = make(socket.AF_INET, socket.SOCK_STREAM); waiting.connect(("127.0.0.1", 7301))
half = make(socket.AF_INET6, socket.SOCK_STREAM); half.connect(("::1", 7302)); other = l6.accept()[0]; keep.append(other); half.shutdown(socket.SHUT_WR)
u = make(socket.AF_INET, socket.SOCK_DGRAM); u.bind(("127.0.0.1", 7304))
u6 = make(socket.AF_INET6, socket.SOCK_DGRAM); u6.bind(("::1", 7305)); u6.connect(("::1", 7306))
make(socket.AF_INET, socket.SOCK_RAW, 253)
os.setresuid(0, 4242, 0)
udp = make(socket.AF_INET, socket.SOCK_DGRAM); udp.bind(("0.0.0.0", 7307))
os.setresuid(0, 0, 0)
x = make(socket.AF_UNIX, socket.SOCK_STREAM); x.bind("\0zoo-stream"); x.listen(4)
y = make(socket.AF_UNIX, socket.SOCK_DGRAM); y.bind("\0zoo-dgram")
z = make(socket.AF_UNIX, socket.SOCK_SEQPACKET); z.bind("\0zoo\n0000000000000000: 00000002 00000000 00010000 0001 01 1 /forged"); z.listen(1)
c = make(socket.AF_UNIX, socket.SOCK_STREAM); c.connect("\0zoo-stream")
print("ready", flush=True)
time.sleep(600)
"""


def plain(address):
    """One spelling for an address: ss says * for an IPv6 socket that takes both families, and maps IPv4 ones."""
    address = (address or "*").strip("[]").split("%")[0]
    address = re.sub(r"^::ffff:(?=\d+\.)", "", address)
    return "::" if address == "*" else address


def remote(address):
    """No peer: unknown, or any of whatever family."""
    return "-" if plain(address) in ("0.0.0.0", "::") else plain(address)


def split(endpoint):
    address, _, port = endpoint.rpartition(":")
    return address, None if port == "*" else int(port)


def ss_inet(pid):
    """{key: facts} of ss -tuanpe inside."""
    found = {}
    for line in in_net(pid, "ss", "-H", "-O", "-tuanpe").splitlines():
        words = line.split()
        (local, local_port), (peer, peer_port) = split(words[4]), split(words[5])
        owners = re.findall(r'\("([^"]*)",pid=(\d+)', line)
        inode, uid = re.search(r" ino:(\d+)", line), re.search(r" uid:(\d+)", line)
        found[(words[0], words[1], plain(local), local_port, remote(peer), peer_port)] = {
            "recv_queue": int(words[2]),
            "send_queue": int(words[3]),
            "inode": int(inode[1]) or None if inode else None,
            "uid": int(uid[1]) if uid else 0,
            "owners": {(int(pid), name) for name, pid in owners},
        }
    return found


def key(row):
    remote_port = row["remote_port"] or None
    return (row["protocol"], row["state"], plain(row["local_address"]), row["local_port"], remote(row["remote_address"]), remote_port)


def compare_inet(t, name, target, pid):
    def look():
        return {key(r): r for r in nsdbg_json("ss", target)["data"] if r["protocol"] in ("tcp", "udp")}

    before, ours, after = ss_inet(pid), look(), ss_inet(pid)
    again = look()  # what lived for our first look only may be in neither of theirs: a busy client's lookups do
    ours = {k: r for k, r in ours.items() if k in again or k in before or k in after}
    t.between(f"ss {name}: the same TCP and UDP sockets", ours, before, after)
    stable = [k for k in ours if k in before and before.get(k) == after.get(k)]
    for what in ("recv_queue", "send_queue", "inode"):
        wrong = [(k, ours[k][what], before[k][what]) for k in stable if ours[k][what] != before[k][what]]
        t.ok(f"ss {name}: {what} of {len(stable)} sockets", not wrong, wrong[:3])
    wrong = [(k, ours[k]["uid"], before[k]["uid"]) for k in stable if before[k]["inode"] and ours[k]["uid"] != before[k]["uid"]]
    t.ok(f"ss {name}: uid", not wrong, wrong[:3])
    wrong = [(k, ours[k]["pid"], ours[k]["process"], before[k]["owners"]) for k in stable
             if before[k]["owners"] and (ours[k]["pid"], ours[k]["process"]) not in before[k]["owners"]]
    t.ok(f"ss {name}: owner", not wrong, wrong[:3])
    wrong = [(k, ours[k]["owners"], before[k]["owners"]) for k in stable if {(o["pid"], o["process"]) for o in ours[k]["owners"] or ()} != before[k]["owners"]]
    t.ok(f"ss {name}: all owners", not wrong, wrong[:3])


def containers(t):
    for name in ("web", "db", "client", "busy", "tiny", "two", "side", "hosty", "lonely", "paused"):
        compare_inet(t, name, name, pid_of(name))
    t.ok("ss: every field of the contract is there", all(set(FIELDS) <= set(r) for r in nsdbg_json("ss", "web")["data"]))
    peers = {r.get("peer") for r in nsdbg_json("ss", "client")["data"] if r["remote_port"] == 5432}
    t.ok("ss client: the database's address has its name", peers and peers <= {"db"}, peers)


def zoo(t):
    pid = pid_of("lonely")
    helper = popen_in_net(pid, sys.executable, "-c", ZOO)
    try:
        if helper.stdout.readline() != b"ready\n":
            return t.ok("zoo starts", False, helper.stderr.read().decode())
        compare_inet(t, "zoo", "lonely", pid)
        rows = nsdbg_json("ss", "lonely")["data"]
        t.same("ss zoo: the raw socket", [r["local_port"] for r in rows if r["protocol"] == "raw"], [253])
        t.sets("ss zoo: the same unix sockets", {(r["type"], r["inode"]) for r in rows if r["protocol"] == "unix"}, ss_unix(pid))
        paths = [r["path"] or "" for r in rows if r["protocol"] == "unix"]
        t.ok("ss zoo: a newline in an abstract name forges no row", "/forged" not in paths and
             len([p for p in paths if p.startswith("@zoo") and "forged" in p]) == 1, paths)
        t.ok("ss zoo: owners outside the container are named", all(r["pid"] == helper_pid(helper) for r in rows if r["local_port"] == 7301
             and r["state"] == "LISTEN"), [r["pid"] for r in rows])
        filters(t)
    finally:
        end(helper)


def helper_pid(helper):
    return helper.pid  # nsenter execs the program


def ss_unix(pid):
    names = {"u_str": "stream", "u_dgr": "dgram", "u_seq": "seqpacket"}
    found = set()
    for record in re.split(r"\n(?=u_(?:str|dgr|seq) )", in_net(pid, "ss", "-H", "-O", "-xan").strip()):
        words = re.match(r"(u_\w+)\s.*\s(\d+) \S+ \d+\s*$", record, re.S)
        if words:
            found.add((names[words[1]], int(words[2])))
    return found


def filters(t):
    for options, want in ((["-t"], {"tcp"}), (["-u"], {"udp"}), (["-x"], {"unix"})):
        protocols = {r["protocol"] for r in nsdbg_json("ss", "lonely", *options)["data"]}
        t.same(f"ss {options[0]}: only these", protocols, want)
    listening = nsdbg_json("ss", "lonely", "-t", "-l")["data"]
    t.ok("ss -l: only listening", listening and all(r["state"] == "LISTEN" for r in listening))
    words = nsdbg_json("ss", "lonely", "local_port:7304")["data"]
    t.same("ss with a filter word", [r["local_port"] for r in words], [7304])


def many_states(t):
    """TIME-WAIT has no owner and no inode: unknown, not zero."""
    rows = wait_for(lambda: [r for name in ("web", "client") for r in nsdbg_json("ss", name)["data"] if r["state"] == "TIME-WAIT"], 5)
    t.ok("ss: TIME-WAIT is listed", rows)
    t.ok("ss: its owner is unknown", rows and all(r["pid"] is None and r["inode"] is None for r in rows), rows[:1])


def output_forms(t):
    lines = nsdbg("ss", "client", "-o", "ndjson").stdout.decode().splitlines()
    t.ok("ss -o ndjson: an object a line", lines and all(line.startswith("{") and line.endswith("}") for line in lines), lines[:1])
    table = nsdbg("ss", "web").stdout.decode()
    t.ok("ss as text: no colour, no escape", "\x1b" not in table and "LISTEN" in table, table[:200])


Checks().run(containers, zoo, many_states, output_forms)
