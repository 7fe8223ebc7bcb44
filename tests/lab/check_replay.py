#!/usr/bin/env python3
"""Packet by packet: what getaddrinfo of glibc and of musl sends for a name, and what nsdbg sends when it replays it.

Each case is a resolv.conf, servers that behave in a certain way, and a name. It runs in network and mount namespaces of its own, many
at a time: first the libc, then nsdbg, each against a fresh server. Both records must be equal: protocol, server, name, type, flags,
EDNS, the socket (so that a retry from the same one is told from one from another), the order, and the pauses between.
"""
import ctypes
import json
import os
import select
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import NSDBG, ROOT, Checks

LAB = os.path.dirname(os.environ.get("LAB", os.path.join(ROOT, "build-test/tests/lab/lab")))
AT_ONCE = 12
SO_TIMESTAMPNS = 35
CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000

# What a server does with a question, by letters; the n-th time by the n-th of them, the last one from then on:
#   +  an answer   e  the name, without such records   n  NXDOMAIN   s  SERVFAIL   r  REFUSED   i  NOTIMP   f  FORMERR
#   -  nothing   t  cut short over UDP, an answer over TCP   T  cut short, and TCP closes   l  a referral to nowhere   w  a wrong id, then +
#   m  malformed: promises a record that is not there
# Rules: (server or "*", name or "*", type or "*", letters), the first that fits; a server "x" is not there at all.
SEARCH = "search a.lab b.lab"


def case(what, conf, name, *rules, servers=1, family=0, hosts="", nss="dns"):
    return dict(what=what, conf=conf, name=name, rules=[list(r) for r in rules], servers=servers, family=family, hosts=hosts, nss=nss)


CASES = [
    # search, ndots, dots in the name
    case("no search list", "", "db", ("*", "*", "*", "+")),
    case("a short name, first domain", SEARCH, "db", ("*", "db.a.lab", "*", "+")),
    case("a short name, second domain", SEARCH, "db", ("*", "db.b.lab", "*", "+")),
    case("a short name, as typed at last", SEARCH, "db", ("*", "db", "*", "+")),
    case("a short name nowhere", SEARCH, "db"),
    case("a dot in the name, ndots 1: as typed", SEARCH, "db.x", ("*", "db.x", "*", "+")),
    case("a dot in the name, not there", SEARCH, "db.x"),
    case("ndots 5, two dots, second domain", SEARCH + "\noptions ndots:5", "api.x.example", ("*", "api.x.example.b.lab", "*", "+")),
    case("ndots 5, nowhere", "search ns.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5", "api.x.example"),
    case("ndots 2, exactly as many dots", SEARCH + "\noptions ndots:2", "a.b.c", ("*", "a.b.c", "*", "+")),
    case("ndots 0, a short name there", SEARCH + "\noptions ndots:0", "db", ("*", "db", "*", "+")),
    case("ndots 0, a short name not there", SEARCH + "\noptions ndots:0", "db"),
    case("a final dot", SEARCH + "\noptions ndots:9", "db.x."),
    case("search of the root", "search .", "db"),
    case("search of the root among others", "search a.lab .", "db"),
    case("a domain that is none", "search a..b b.lab", "db", ("*", "db.b.lab", "*", "+")),
    case("a domain too long for the name", "search " + ".".join(["d" * 60] * 4) + " b.lab", "host-with-a-name", ("*", "host-with-a-name.b.lab", "*", "+")),
    case("domain instead of search", "domain b.lab", "db", ("*", "db.b.lab", "*", "+")),
    # A and AAAA
    case("A only there", SEARCH, "db", ("*", "db.a.lab", "A", "+"), ("*", "db.a.lab", "AAAA", "e")),
    case("AAAA only there", SEARCH, "db", ("*", "db.a.lab", "A", "e"), ("*", "db.a.lab", "AAAA", "+")),
    case("IPv4 wanted", SEARCH, "db", ("*", "db.b.lab", "A", "+"), family=4),
    case("IPv6 wanted, name without", SEARCH, "db", ("*", "*", "AAAA", "e"), family=6),
    case("A answered, AAAA NXDOMAIN", SEARCH, "db", ("*", "db.a.lab", "A", "+")),
    case("A NXDOMAIN, AAAA answered", SEARCH, "db", ("*", "db.a.lab", "AAAA", "+")),
    # response codes
    case("no data in the first domain", SEARCH, "db", ("*", "db.a.lab", "*", "e"), ("*", "db.b.lab", "*", "+")),
    case("SERVFAIL in the first domain", SEARCH, "db", ("*", "db.a.lab", "*", "s"), ("*", "db.b.lab", "*", "+")),
    case("SERVFAIL as typed", SEARCH, "db.x", ("*", "db.x", "*", "s")),
    case("SERVFAIL for A only", SEARCH, "db", ("*", "*", "A", "s"), ("*", "*", "AAAA", "+")),
    case("SERVFAIL for AAAA only", SEARCH, "db", ("*", "*", "A", "+"), ("*", "*", "AAAA", "s")),
    case("SERVFAIL once", "", "db", ("*", "*", "*", "s+")),
    case("REFUSED in the first domain", SEARCH, "db", ("*", "db.a.lab", "*", "r"), ("*", "db.b.lab", "*", "+")),
    case("NOTIMP for AAAA", SEARCH, "db", ("*", "db.a.lab", "A", "e"), ("*", "db.a.lab", "AAAA", "i"), ("*", "*", "*", "+")),
    case("FORMERR", SEARCH, "db", ("*", "*", "*", "f")),
    case("FORMERR to EDNS", SEARCH + "\noptions edns0", "db", ("*", "*", "*", "f")),
    case("a referral to nowhere", SEARCH, "db", ("*", "*", "*", "l"), servers=2),
    # several servers
    case("SERVFAIL, then another server", "", "db", (0, "*", "*", "s"), ("*", "*", "*", "+"), servers=2),
    case("REFUSED, then another server", "", "db", (0, "*", "*", "r"), ("*", "*", "*", "+"), servers=3),
    case("NXDOMAIN, other servers", SEARCH, "db.x", ("*", "*", "*", "n"), servers=3),
    case("one server is not there", SEARCH, "db.x", (0, "*", "*", "x"), ("*", "*", "*", "+"), servers=2),
    case("no server is there", SEARCH, "db", ("*", "*", "*", "x"), servers=2),
    case("all servers SERVFAIL", "", "db", ("*", "*", "*", "s"), servers=3),
    # time
    case("silence", "options attempts:2", "db.x", ("*", "*", "*", "-")),
    case("silence, three attempts, a search list", SEARCH + "\noptions attempts:3", "db.x", ("*", "*", "*", "-")),
    case("silence once", "options attempts:2", "db.x", ("*", "*", "*", "-+")),
    case("the first of two servers is silent", "options attempts:2", "db.x", (0, "*", "*", "-"), ("*", "*", "*", "+"), servers=2),
    case("three servers, all silent", "options attempts:1", "db.x", ("*", "*", "*", "-"), servers=3),
    case("AAAA is never answered", "options attempts:2", "db.x", ("*", "*", "AAAA", "-"), ("*", "*", "A", "+")),
    case("A is never answered", "options attempts:1", "db.x", ("*", "*", "A", "-"), ("*", "*", "*", "+")),
    case("AAAA is lost once", "options attempts:2", "db.x", ("*", "*", "AAAA", "-+"), ("*", "*", "A", "+")),
    # truncation
    case("cut short", SEARCH, "db", ("*", "*", "*", "t")),
    case("A cut short, AAAA not", SEARCH, "db", ("*", "*", "A", "t"), ("*", "*", "*", "+")),
    case("AAAA cut short, A not", SEARCH, "db", ("*", "*", "AAAA", "t"), ("*", "*", "*", "+")),
    case("cut short, TCP closes, another server", "options ", "db.x", (0, "*", "*", "T"), ("*", "*", "*", "+"), servers=2),
    # options
    case("single-request", SEARCH + "\noptions single-request", "db", ("*", "db.b.lab", "*", "+")),
    case("single-request-reopen", SEARCH + "\noptions single-request-reopen", "db", ("*", "db.b.lab", "*", "+")),
    case("single-request, no AAAA", "options single-request timeout:1 attempts:1", "db.x", ("*", "*", "AAAA", "-"), ("*", "*", "A", "+")),
    case("single-request, SERVFAIL", "options single-request ", "db.x", ("*", "*", "A", "s"), ("*", "*", "*", "+")),
    case("use-vc", SEARCH + "\noptions use-vc", "db", ("*", "db.b.lab", "*", "+")),
    case("use-vc, SERVFAIL", SEARCH + "\noptions use-vc", "db", ("*", "*", "*", "s"), servers=2),
    case("use-vc, nobody there", SEARCH + "\noptions use-vc ", "db", ("*", "*", "*", "x"), servers=2),
    case("edns0 and trust-ad", SEARCH + "\noptions edns0 trust-ad", "db", ("*", "db.b.lab", "*", "+")),
    case("no-aaaa", SEARCH + "\noptions no-aaaa", "db", ("*", "db.b.lab", "*", "+")),
    case("no-tld-query", SEARCH + "\noptions no-tld-query", "db"),
    case("rotate", SEARCH + "\noptions rotate", "db", ("*", "*", "*", "n"), servers=3),
    case("rotate, silence", "options rotate timeout:1 attempts:2", "db.x", ("*", "*", "*", "-"), servers=2),
    # hostile or broken
    case("a wrong id before the true reply", SEARCH, "db.x", ("*", "*", "*", "w")),
    case("half a message", "options ", "db.x", ("*", "*", "*", "m"), servers=2),
    # files
    case("hosts has it", SEARCH, "db", hosts="192.0.2.7 db\n", nss="files dns"),
    case("hosts has another", SEARCH, "db", ("*", "db.a.lab", "*", "+"), hosts="192.0.2.7 web\n", nss="files dns"),
    case("hosts has it in capitals", SEARCH, "db", ("*", "db.a.lab", "*", "+"), hosts="192.0.2.7 DB\n", nss="files dns"),
    case("dns before files", SEARCH, "db", ("*", "db.a.lab", "*", "+"), hosts="192.0.2.7 db\n", nss="dns files"),
    case("files after dns", SEARCH, "db", hosts="192.0.2.7 db\n", nss="dns files"),
    case("no dns at all", SEARCH, "db", ("*", "*", "*", "+"), nss="files"),
    case("return when not found", SEARCH, "db", ("*", "*", "*", "+"), nss="files [NOTFOUND=return] dns"),
    case("IPv6 wanted, hosts has IPv4", SEARCH, "db", ("*", "db.a.lab", "*", "+"), hosts="192.0.2.7 db\n", nss="files dns", family=6),
    case("a literal address", SEARCH, "192.0.2.9", ("*", "*", "*", "+")),
]


class Server(threading.Thread):
    """Servers 127.0.0.1, .2, .3 on port 53 in one loop, so that the record has the order in which packets came."""

    TYPES = {1: "A", 28: "AAAA", 12: "PTR"}
    RDATA = {1: socket.inet_aton("192.0.2.1"), 28: socket.inet_pton(socket.AF_INET6, "2001:db8::1")}

    def __init__(self, job):
        super().__init__(daemon=True)
        self.rules, self.record, self.count, self.end = job["rules"], [], {}, False
        self.udp, self.listeners, self.peers = {}, {}, {}
        for i in range(job["servers"]):
            if any(r[0] in (i, "*") and r[3] == "x" for r in self.rules):
                continue
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            udp.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            tcp = socket.socket()
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            for s in (udp, tcp):
                s.bind((f"127.0.0.{i + 1}", 53))
            tcp.listen(16)
            self.udp[udp], self.listeners[tcp] = i, i

    def close(self):
        self.end = True
        self.join()
        for s in [*self.udp, *self.listeners, *self.peers]:
            s.close()

    def action(self, server, name, kind):
        for who, what, type_, letters in self.rules:
            if who in (server, "*") and what in (name, "*") and type_ in (kind, "*"):
                key = (server, name, kind)
                self.count[key] = self.count.get(key, 0) + 1
                return letters[min(self.count[key], len(letters)) - 1]
        return "n"

    def note(self, when, proto, server, port, msg):
        flags, at, labels = struct.unpack(">H", msg[2:4])[0], 12, []
        while at < len(msg) and msg[at]:
            labels.append(msg[at + 1:at + 1 + msg[at]].decode("latin1"))
            at += 1 + msg[at]
        if at >= len(msg):  # musl, told to search the root: a name that never ends
            self.record.append((when, proto, server, msg[12:].decode("latin1"), "malformed", f"flags {flags:#06x}", port))
            return None, None, msg
        kind = struct.unpack(">H", msg[at + 1:at + 3])[0]
        edns = struct.unpack(">H", msg[at + 8:at + 10])[0] if msg[11] else 0
        name = ".".join(labels)
        self.record.append((when, proto, server, name, self.TYPES.get(kind, kind), f"flags {flags:#06x} edns {edns}", port))
        return name, kind, msg[:at + 5]

    def reply(self, proto, server, name, kind, msg):
        """What goes back: a list of messages; None: TCP is closed."""
        if name is None:
            return [msg[:2] + struct.pack(">5H", 0x8181, 0, 0, 0, 0)]
        letter = self.action(server, name, self.TYPES.get(kind))
        head = lambda flags, n=0, extra=0: msg[:2] + struct.pack(">5H", flags, 1, n, 0, extra) + msg[12:]
        record = b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(self.RDATA.get(kind, b""))) + self.RDATA.get(kind, b"")
        if letter in "tT" and proto == "tcp":
            return None if letter == "T" else [head(0x8180, 1) + record]
        if letter == "w":
            return [bytes([msg[0] ^ 1]) + head(0x8180, 1)[1:] + record, head(0x8180, 1) + record]
        codes = {"e": 0x8180, "n": 0x8183, "s": 0x8182, "r": 0x8185, "i": 0x8184, "f": 0x8181, "t": 0x8380, "T": 0x8380, "l": 0x8100}
        if letter in codes:
            return [head(codes[letter])]
        return [] if letter == "-" else [head(0x8180, 1) + (record if letter == "+" else b"")]

    def datagrams(self, ready):
        got = []
        for s in ready:
            while True:
                try:
                    msg, anc, _, peer = s.recvmsg(2048, 256, socket.MSG_DONTWAIT)
                except BlockingIOError:
                    break
                stamp = next((struct.unpack("qq", c[2][:16]) for c in anc if c[1] == SO_TIMESTAMPNS), None)
                got.append((stamp[0] + stamp[1] / 1e9 if stamp else time.time(), self.udp[s], msg, peer, s))
        for when, server, msg, peer, s in sorted(got, key=lambda g: g[0]):
            for back in self.reply("udp", server, *self.note(when, "udp", server, peer[1], msg)):
                s.sendto(back, peer)

    def stream(self, s):
        server, port, have = self.peers[s]
        new = s.recv(4096)
        have += new
        while len(have) > 2 and len(have) >= 2 + struct.unpack(">H", have[:2])[0]:
            n = struct.unpack(">H", have[:2])[0]
            back = self.reply("tcp", server, *self.note(time.time(), "tcp", server, port, have[2:2 + n]))
            have = have[2 + n:]
            if back is None:
                new = b""
                break
            for b in back:
                s.sendall(struct.pack(">H", len(b)) + b)
        self.peers[s] = (server, port, have)
        if not new:
            del self.peers[s]
            s.close()

    def run(self):
        while not self.end:
            ready = select.select([*self.udp, *self.listeners, *self.peers], [], [], 0.05)[0]
            self.datagrams([s for s in ready if s in self.udp])
            for s in ready:
                try:
                    if s in self.listeners:
                        new, peer = s.accept()
                        self.peers[new] = (self.listeners[s], peer[1], b"")
                    elif s in self.peers:
                        self.stream(s)
                except OSError:
                    self.peers.pop(s, None)


def plain(record):
    """Ports become numbers in the order in which they appear, times the whole seconds since the packet before."""
    ports, lines, last = {}, [], None
    for when, proto, server, name, kind, flags, port in record:
        socket_ = ports.setdefault((proto, port), len(ports) + 1)
        lines.append([proto, server, name.lower(), kind, flags, socket_, when - last if last else 0.0])
        last = when
    return lines


def equal(ours, libc):
    return len(ours) == len(libc) and all(x[:-1] == y[:-1] and abs(x[-1] - y[-1]) < 0.6 for x, y in zip(ours, libc))


def rotated(lines):
    """"rotate" begins anywhere: servers by the distance from the first one asked."""
    n = max((l[1] for l in lines), default=0) + 1
    return [[l[0], (l[1] - lines[0][1]) % n, *l[2:]] for l in lines]


def show(lines):
    return " | ".join(f"{l[0]}{l[1]} {l[2]}/{l[3]} {l[4]} s{l[5]} {l[6]:+.1f}" for l in lines)


def recorded(job, argv):
    server = Server(job)
    server.start()
    try:
        result = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
        time.sleep(0.02)
    finally:
        server.close()
    return plain(server.record), result


def ours_found(result):
    rows = json.loads(result.stdout)["data"] if result.stdout else []
    return sorted({r["address"] for r in rows if r["section"] == "answer" and r["address"]})


def inside(job, libc, dir_):
    """One case, in namespaces of this process's own: what libc sent and found, what we did."""
    lib = ctypes.CDLL(None, use_errno=True)
    if lib.unshare(CLONE_NEWNS | CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    servers = "".join(f"nameserver 127.0.0.{i + 1}\n" for i in range(job["servers"]))
    for name, text in (("resolv.conf", servers + "options timeout:1\n" + job["conf"] + "\n"), ("hosts", job["hosts"]), ("nsswitch.conf", f"hosts: {job['nss']}\n")):
        with open(f"{dir_}/{name}", "w", encoding="ascii") as file:
            file.write(text)
    script = "mount --make-rprivate / && ip link set lo up && ip addr add 10.9.9.1/32 dev lo && ip addr add fd99::1/128 dev lo nodad"
    script += "".join(f" && mount --bind {dir_}/{n} /etc/{n}" for n in ("resolv.conf", "hosts", "nsswitch.conf"))
    subprocess.run(["sh", "-c", script], check=True)
    hold = f"{LAB}/resolve" if libc == "glibc" else f"{LAB}/resolve-musl-dynamic"
    target = subprocess.Popen([hold, "hold"], stdout=subprocess.PIPE)
    target.stdout.readline()
    try:
        program = f"{LAB}/resolve" if libc == "glibc" else f"{LAB}/resolve-musl"
        sent, result = recorded(job, [program, job["name"], str(job["family"])])
        types = {4: ["A"], 6: ["AAAA"]}.get(job["family"], [])
        ours, mine = recorded(job, [NSDBG, "dns", f"pid:{target.pid}", job["name"], *types, "--timeout", "40s", "-v", "--json"])
    finally:
        target.kill()
        target.wait()
    addresses = sorted(set(result.stdout.decode().split())) if result.returncode == 0 else []
    return dict(sent=sent, ours=ours, found=addresses, mine=ours_found(mine), error=mine.stderr.decode(), rows=mine.stdout.decode())


def start(job, libc):
    """Forks; the result comes through a pipe."""
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(r)
        try:
            with tempfile.TemporaryDirectory(prefix="nsdbg-replay-") as dir_:
                os.chmod(dir_, 0o755)
                answer = inside(job, libc, dir_)
        except BaseException:
            answer = dict(failure=traceback.format_exc().strip().splitlines()[-1])
        with os.fdopen(w, "w") as file:
            json.dump(answer, file)
        os._exit(0)
    os.close(w)
    return pid, r


def good(job, answer):
    if "failure" in answer:
        return False
    turn = rotated if "rotate" in job["conf"] else lambda x: x
    return equal(turn(answer["ours"]), turn(answer["sent"])) and answer["mine"] == answer["found"]


def all_of(jobs):
    """[(job, libc, answer)] in the order of jobs; what differs is done again, at most twice: the machine may have stumbled."""
    answers, tries, running, todo = {}, {}, {}, list(range(len(jobs)))
    while todo or running:
        while todo and len(running) < AT_ONCE:
            i = todo.pop(0)
            pid, fd = start(*jobs[i])
            running[fd] = (i, pid, b"")
        for fd in select.select(list(running), [], [])[0]:
            i, pid, have = running[fd]
            more = os.read(fd, 65536)
            running[fd] = (i, pid, have + more)
            if not more:
                os.close(fd)
                os.waitpid(pid, 0)
                del running[fd]
                answers[i] = json.loads(have)
                tries[i] = tries.get(i, 0) + 1
                if tries[i] < 3 and not good(jobs[i][0], answers[i]):
                    todo.append(i)
    return [(*jobs[i], answers[i]) for i in range(len(jobs))]


def replays(t):
    libcs = ["glibc"] + (["musl"] if os.path.exists(f"{LAB}/resolve-musl") else [])
    only = os.environ.get("ONLY", "")
    jobs = [(job, libc) for libc in libcs for job in CASES if only in job["what"]]
    for job, libc, answer in all_of(jobs):
        what = f"as {libc}: {job['what']}"
        t.ok(what, good(job, answer), answer.get("failure") or
             f"{libc} {show(answer['sent'])} found {answer['found']}; ours {show(answer['ours'])} found {answer['mine']} {answer['error']}")
    if "musl" not in libcs:
        t.skip("as musl", "no musl-gcc on this machine")


if __name__ == "__main__" and os.geteuid() != 0:
    print("ok - replay of libc # SKIP needs root")
elif __name__ == "__main__":
    Checks().run(replays)
