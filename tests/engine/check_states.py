#!/usr/bin/env python3
"""Every TCP state, bound devices, full queues, raw and ping sockets in a bare namespace: ss and ps agree with ss(8) and ps(1)."""
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import Checks, end, in_net, nsdbg_json, text_of

ZOO = r"""
import os, socket, struct, subprocess, time
def ip(*words): subprocess.run(["ip", *words], check=True)
ip("link", "set", "lo", "up")
ip("link", "add", "d0", "type", "veth", "peer", "name", "d1")
ip("addr", "add", "10.9.0.1/24", "dev", "d0")
for device in ("d0", "d1"): ip("link", "set", device, "up", "arp", "off")
for name in ("all", "lo", "d0", "default"):
    open(f"/proc/sys/net/ipv4/conf/{name}/rp_filter", "w").write("0")
    open(f"/proc/sys/net/ipv4/conf/{name}/accept_local", "w").write("1")
open("/proc/sys/net/ipv4/ping_group_range", "w").write("0 2147483647")
keep = []
def make(family, kind, proto=0, at=None, device=None, listen=None, to=None):
    s = socket.socket(family, kind, proto); keep.append(s)
    if device: s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)
    if at: s.bind(at)
    if listen is not None: s.listen(listen)
    if to:
        s.setblocking(False)
        try: s.connect(to)
        except BlockingIOError: pass
    return s
four, six, stream, dgram = socket.AF_INET, socket.AF_INET6, socket.SOCK_STREAM, socket.SOCK_DGRAM
make(four, stream, at=("0.0.0.0", 7301), listen=2)
for _ in range(3): make(four, stream, to=("127.0.0.1", 7301)); time.sleep(0.02)
make(four, stream, to=("127.0.0.1", 7301))                    # the queue is full: SYN-SENT
make(four, stream, to=("10.9.0.88", 5432))                    # nobody there: SYN-SENT
make(four, dgram, at=("0.0.0.0", 68), device=b"d0")
make(six, stream, at=("::", 7400), device=b"d0", listen=50)
make(four, stream, at=("10.9.0.1", 7500), listen=20)
def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data)); total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff
source, target = socket.inet_aton("10.9.0.77"), socket.inet_aton("10.9.0.1")
tcp = struct.pack("!HHLLBBHHH", 4444, 7500, 1000, 0, 0x50, 2, 65000, 0, 0)
tcp = tcp[:16] + struct.pack("!H", checksum(source + target + struct.pack("!BBH", 0, 6, 20) + tcp)) + tcp[18:]
raw = make(four, socket.SOCK_RAW, socket.IPPROTO_RAW)
raw.sendto(struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 1, 0, 64, 6, 0, source, target) + tcp, ("10.9.0.1", 0))  # SYN-RECV
both = make(six, stream, at=("::", 7600), listen=20)
def pair():
    c = socket.socket(four, stream); c.connect(("127.0.0.1", 7600)); return c, both.accept()[0]
c, a = pair(); c.close(); time.sleep(0.05); a.close()         # TIME-WAIT
c, a = pair(); a.shutdown(socket.SHUT_WR); keep += [c, a]     # FIN-WAIT-2, CLOSE-WAIT
c, a = pair(); keep.append(a); c.send(b"x" * 100); c.close()  # the same, its owner gone
c, a = pair(); keep += [c, a]; c.setblocking(False)
try:
    while True: c.send(b"y" * 65536)                          # queues on both sides
except BlockingIOError: pass
make(four, socket.SOCK_RAW, socket.IPPROTO_ICMP); make(six, socket.SOCK_RAW, 58)
make(four, dgram, socket.IPPROTO_ICMP, at=("127.0.0.1", 0)); make(six, dgram, 58, at=("::1", 0))
make(six, dgram, at=("::1", 7700), to=("::1", 7701))
make(four, dgram, at=("127.0.0.1", 7702)); make(four, dgram).sendto(b"z" * 500, ("127.0.0.1", 7702))
one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET); one.send(b"hello")
make(socket.AF_UNIX, stream, at="\0zoo\0two", listen=3); make(socket.AF_UNIX, stream, to="\0zoo\0two")
if os.fork() == 0:
    if os.fork() == 0: os._exit(0)                            # stays a zombie
    time.sleep(600)
print("ready", flush=True)
time.sleep(600)
"""

STATES = {"LISTEN", "ESTAB", "SYN-SENT", "SYN-RECV", "TIME-WAIT", "CLOSE-WAIT", "FIN-WAIT-2"}


def plain(address):
    address = re.sub(r"^::ffff:", "", address.strip("[]"))
    return "0.0.0.0" if address in ("*", "::") else address


def ss_rows(pid):
    """{(protocol, state, port, remote port): facts} of ss inside."""
    found = {}
    for line in in_net(pid, "ss", "-H", "-O", "-tuwanpe").splitlines():
        words = line.split()
        (local, port), (remote, remote_port) = words[4].rsplit(":", 1), words[5].rsplit(":", 1)
        local, _, device = local.partition("%")
        inode, uid = re.search(r" ino:(\d+)", line), re.search(r" uid:(\d+)", line)
        found[words[0], words[1], port, remote_port] = {
            "local_address": plain(local), "remote_address": plain(remote), "recv_queue": int(words[2]), "send_queue": int(words[3]),
            "interface": device.rstrip("]") or None, "inode": int(inode[1]) or None if inode else None,
            "uid": int(uid[1]) if uid else 0, "pids": sorted({int(pid) for pid in re.findall(r"pid=(\d+)", line)})}
    return found


def our_rows(pid):
    found = {}
    for r in nsdbg_json("ss", f"pid:{pid}")["data"]:
        if r["protocol"] in ("tcp", "udp", "raw"):
            key = r["protocol"], r["state"], str(r["local_port"] or "*"), str(r["remote_port"] or "*")
            found[key] = {**r, "local_address": plain(r["local_address"]), "remote_address": plain(r["remote_address"]),
                          "pids": sorted({o["pid"] for o in r["owners"] or ()})}
    return found


def sockets(t, pid):
    before, ours, after = ss_rows(pid), our_rows(pid), ss_rows(pid)
    t.between("states: the same sockets as ss", ours, before, after)
    t.ok("states: all are there", STATES <= {k[1] for k in ours}, sorted({k[1] for k in ours}))
    stable = [k for k in ours if k in before and before[k] == after.get(k)]
    t.ok("states: most stay as they are meanwhile", len(stable) > 20, len(stable))
    for what in ("local_address", "remote_address", "recv_queue", "send_queue", "interface", "inode", "pids"):
        wrong = [(k, ours[k][what], before[k][what]) for k in stable if ours[k][what] != before[k][what] and (k[0] != "raw" or what != "inode")]
        t.ok(f"states: {what} as in ss", not wrong, wrong[:3])
    rows = nsdbg_json("ss", f"pid:{pid}")["data"]
    syn = [r for r in rows if r["remote_port"] == 5432]
    t.ok("states: a SYN without answer counts its repetitions", syn and syn[0]["retransmits"] >= 1 and syn[0]["timer_ms"] > 0, syn)
    t.same("states: ping sockets of both families", sorted(r["family"] for r in rows if r["protocol"] == "icmp"), ["ipv4", "ipv6"])
    unix = {r["inode"]: r for r in rows if r["protocol"] == "unix"}
    pair = [r for r in unix.values() if r["type"] == "seqpacket"]
    t.ok("states: unix peers point at each other", len(pair) == 2 and pair[0]["peer_inode"] == pair[1]["inode"], pair)
    t.same("states: bytes wait in one of them", sorted(r["recv_queue"] for r in pair), [0, 5])
    t.same("states: an abstract name with a NUL", [r["path"] for r in unix.values() if r["state"] == "LISTEN"], ["@zoo@two"])


def processes(t, pid):
    rows = {r["pid"]: r for r in nsdbg_json("ps", f"pid:{pid}")["data"]}
    truth = {}
    for line in text_of("ps", "-eo", "pid=,ppid=,state=,args=").splitlines():
        word = line.split(None, 3)
        truth[int(word[0])] = (int(word[1]), word[2], word[3])
    family = {pid}
    for _ in range(3):
        family |= {p for p, facts in truth.items() if facts[0] in family}
    t.sets("a bare namespace: its processes, the zombie too", rows, family)
    wrong = [(p, (rows[p]["ppid"], rows[p]["state"]), truth[p]) for p in rows if p in truth and (rows[p]["ppid"], rows[p]["state"]) != truth[p][:2]]
    t.ok("a bare namespace: parents and states", not wrong, wrong)
    zombie = [r for r in rows.values() if r["state"] == "Z"]
    t.ok("a bare namespace: the zombie as ps(1) says it", [r["command"] for r in zombie] == [truth[r["pid"]][2] for r in zombie] and zombie, zombie)


def bare_namespace(t):
    process = subprocess.Popen(["unshare", "-n", "--", sys.executable, "-c", ZOO], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, start_new_session=True)
    try:
        if process.stdout.readline() != b"ready\n":
            return t.ok("a namespace with sockets of all kinds", False, process.stderr.read().decode())
        time.sleep(1.2)  # until the first SYN was repeated
        sockets(t, process.pid)
        processes(t, process.pid)
    finally:
        subprocess.run(["pkill", "-s", str(process.pid)], check=False)
        end(process)


Checks().run(bare_namespace)
