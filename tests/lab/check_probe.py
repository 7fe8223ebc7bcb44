#!/usr/bin/env python3
"""Probes on a path of network namespaces: each way a connect() can end gives its own verdict with the evidence for it; ping, trace and
mtu agree with ping, traceroute and tracepath; HTTP and HTTPS servers that behave and that do not.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import ROOT, Checks, end, nsdbg, run

sys.path.insert(0, os.path.join(ROOT, "tests/lab"))
import webd
from paths import SMALL, Paths

SERVER, SERVER6, GONE = "10.4.0.2", "fd04::2", "10.1.0.77"


class Lab(Paths):
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="nsdbg-probe-")
        os.chmod(self.dir, 0o755)  # nsdbg opens --cacert without root's rights
        webd.make_certificates(self.dir)
        super().__init__()

    def __enter__(self):
        self.web = self.popen("server", sys.executable, os.path.join(ROOT, "tests/lab/webd.py"), self.dir)
        self.web.stdout.readline()
        return self

    def __exit__(self, *_):
        end(self.web)
        self.close()
        for name in os.listdir(self.dir):
            os.unlink(os.path.join(self.dir, name))
        os.rmdir(self.dir)

    def probe(self, *argv, timeout="4s", start="client"):
        """(row, exit status)"""
        result = nsdbg("probe", f"pid:{self.pid(start)}", *argv, "--timeout", timeout, "--json", timeout=40)
        try:
            rows = json.loads(result.stdout)["data"]
        except ValueError as error:
            raise RuntimeError(f"probe {argv}: exit {result.returncode} {result.stderr.decode()}") from error
        return (rows[0] if rows else {}), result.returncode


def says(row, *parts):
    text = "\n".join([row.get("meaning") or "", *(row.get("evidence") or [])])
    return [p for p in parts if not re.search(p, text)], text


# name, where, what makes it so, what takes it back, destination, verdict, exit status, what evidence and meaning must say
TABLE = "nft add table inet t; nft add chain inet t c '{ type filter hook %s priority 0; }'; nft add rule inet t c %s"
DROP_TABLE = "nft delete table inet t"
RESULTS = [
    ("answers", None, None, None, f"{SERVER}:80", "open", 0, []),
    ("answers over IPv6", None, None, None, f"[{SERVER6}]:80", "open", 0, []),
    ("refused by RST", None, None, None, f"{SERVER}:99", "refused", 1, ["ECONNREFUSED", "RST with TTL 61 came in by east"]),
    ("refused by RST over IPv6", None, None, None, f"[{SERVER6}]:99", "refused", 1, ["RST with TTL 61 came in by east"]),
    ("rejected, port-unreachable", "server", TABLE % ("input", "tcp dport 80 reject"), DROP_TABLE, f"{SERVER}:80", "rejected", 1,
     ["ECONNREFUSED", r"ICMP 3/3, port unreachable, from 10\.4\.0\.2 \(the destination\)", "a firewall at"]),
    ("rejected, admin-prohibited", "server", TABLE % ("input", "tcp dport 80 reject with icmpx type admin-prohibited"), DROP_TABLE,
     f"{SERVER}:80", "rejected", 1, ["EHOSTUNREACH", "ICMP 3/13, communication prohibited"]),
    ("rejected, admin-prohibited, IPv6", "server", TABLE % ("input", "tcp dport 80 reject with icmpx type admin-prohibited"), DROP_TABLE,
     f"[{SERVER6}]:80", "rejected", 1, ["EACCES", "ICMP 1/1, communication prohibited"]),
    ("rejected, host-unreachable", "server", TABLE % ("input", "ip protocol tcp reject with icmp type host-unreachable"), DROP_TABLE,
     f"{SERVER}:80", "rejected", 1, ["EHOSTUNREACH", "ICMP 3/1, host unreachable"]),
    ("rejected, net-prohibited, by a router", "r2", TABLE % ("forward", "ip protocol tcp reject with icmp type net-prohibited"), DROP_TABLE,
     f"{SERVER}:80", "rejected", 1, ["ENETUNREACH", r"ICMP 3/9, network prohibited, from 10\.2\.0\.2", r"on the way, at 10\.2\.0\.2"]),
    ("rejected, proto-unreachable", "server", TABLE % ("input", "ip protocol tcp reject with icmp type prot-unreachable"), DROP_TABLE,
     f"{SERVER}:80", "rejected", 1, ["ENOPROTOOPT", "ICMP 3/2, protocol unreachable"]),
    ("a router has no route", "r2", "ip route del 10.4.0.0/24", "ip route add 10.4.0.0/24 via 10.3.0.2", f"{SERVER}:80", "unreachable", 1,
     [r"router 10\.2\.0\.2 says network unreachable", "ICMP 3/0"]),
    ("dropped", "server", TABLE % ("input", "tcp dport 80 drop"), DROP_TABLE, f"{SERVER}:80", "timeout", 6,
     ["ETIMEDOUT", r"2 SYNs sent \(1 retransmitted\), no SYN-ACK", "neighbour 10.1.0.1: (REACHABLE|DELAY|STALE|PROBE)"]),
    ("no route", "client", "ip route del 10.4.0.0/24", "ip route add 10.4.0.0/24 via 10.1.0.1", f"{SERVER}:80", "no-route", 1,
     ["ENETUNREACH", "route: none"]),
    ("prohibit route", "client", "ip route add prohibit 10.9.0.0/24", "ip route del prohibit 10.9.0.0/24", "10.9.0.1:80", "route-prohibit", 1,
     ["EACCES", "route: prohibit"]),
    ("blackhole route", "client", "ip route add blackhole 10.9.0.0/24", "ip route del blackhole 10.9.0.0/24", "10.9.0.1:80", "route-blackhole", 1,
     ["EINVAL", "route: blackhole"]),
    ("unreachable route", "client", "ip route add unreachable 10.9.0.0/24", "ip route del unreachable 10.9.0.0/24", "10.9.0.1:80",
     "route-unreachable", 1, ["EHOSTUNREACH", "route: unreachable"]),
    ("no neighbour", None, None, None, f"{GONE}:80", "no-neighbour", 1, ["EHOSTUNREACH", rf"neighbour {GONE}: FAILED"]),
    ("own output drop", "client", TABLE % ("output", "tcp dport 80 drop"), DROP_TABLE, f"{SERVER}:80", "own-firewall", 1,
     ["ETIMEDOUT", "sending a SYN by hand: EPERM", "output rules"]),
    ("own output reject", "client", TABLE % ("output", "tcp dport 80 reject"), DROP_TABLE, f"{SERVER}:80", "own-firewall", 1,
     [r"from 10\.1\.0\.2 \(ourselves\)", "output rules"]),
    ("own output tcp-reset", "client", TABLE % ("output", "tcp dport 80 reject with tcp reset"), DROP_TABLE, f"{SERVER}:80", "own-firewall", 1,
     ["ECONNREFUSED", "sending a SYN by hand: EPERM", "made on this side"]),
    ("hangs up at once", None, None, None, f"{SERVER}:81", "closed-at-once", 1, ["end of file after 0 bytes"]),
    ("no local port", "client", "sysctl -qw net.ipv4.ip_local_port_range='50000 50000'; (exec 3<>/dev/tcp/10.4.0.2/82; exec sleep 20) & sleep 0.3",
     "sysctl -qw net.ipv4.ip_local_port_range='32768 60999'", f"{SERVER}:82", "no-local-port", 1, ["EADDRNOTAVAIL", "50000 to 50000"]),
]


def connect_results(t, lab):
    for name, where, script, back, destination, verdict, code, parts in RESULTS:
        keeper = None
        if where and "exec 3<>" in script:  # holds the only port while it lives
            lab.sh(where, script.split(";")[0])
            keeper = lab.popen(where, "bash", "-c", "exec 3<>/dev/tcp/10.4.0.2/82 && echo up && exec sleep 20")
            keeper.stdout.readline()
        elif where:
            lab.sh(where, script)
        row, status = lab.probe("tcp", destination, timeout="4s" if "neighbour" in verdict else "1300ms")
        if keeper:
            end(keeper)
        if back:
            lab.sh(where, back)
        missing, text = says(row, *parts)
        t.ok(f"tcp, {name}: {verdict}, exit {code}", (row.get("verdict"), status) == (verdict, code) and not missing,
             f"{row.get('verdict')}, exit {status}, lacks {missing} in: {text}")
    row, status = lab.probe("tcp", f"{SERVER}:80", "--send", "GET / HTTP/1.0\\r\\n\\r\\n")
    t.same("tcp --send: an answer", (row["verdict"], status), ("open", 0))
    row, status = lab.probe("tcp", f"{SERVER}:82", "--send", "hello", timeout="700ms")
    t.ok("tcp --send to a frozen program: hung", (row["verdict"], status) == ("hung", 6) and "frozen" in row["meaning"], row)
    datagrams(t, lab)


def datagrams(t, lab):
    row, status = lab.probe("udp", f"{SERVER}:9000")
    t.same("udp: answered", (row["verdict"], row["works"], status), ("answered", True, 0))
    row, status = lab.probe("udp", f"{SERVER}:9001")
    t.ok("udp: nobody listens", (row["verdict"], status) == ("refused", 1) and not says(row, "ICMP 3/3")[0], row)
    lab.sh("server", TABLE % ("input", "udp dport 9000 drop"))
    row, status = lab.probe("udp", f"{SERVER}:9000", timeout="500ms")
    lab.sh("server", DROP_TABLE)
    t.same("udp: silence proves nothing", (row["verdict"], row["works"], row["time_us"], status), ("silent", None, None, 6))
    lab.sh("client", TABLE % ("output", "udp dport 9000 drop"))
    row, status = lab.probe("udp", f"{SERVER}:9000", timeout="500ms")
    lab.sh("client", DROP_TABLE)
    t.ok("udp: own output drop", (row["verdict"], row["error"], status) == ("own-firewall", "EPERM", 1), row)


def as_other_tools_see_it(t, lab):
    for server, option in ((SERVER, "-4"), (SERVER6, "-6")):
        row, status = lab.probe("ping", server, "-c", "5", "-i", "50ms")
        t.same(f"ping {server}: all answered", (row["sent"], row["received"], row["loss"], row["ttl"] or 61, status), (5, 5, 0, 61, 0))
        theirs = re.search(r"ttl=(\d+)", lab.try_sh("client", f"ping {option} -c1 -W2 {server}").stdout.decode())
        t.ok(f"ping {server}: its TTL", theirs and row["ttl"] == int(theirs[1]), (row["ttl"], theirs))
        t.ok(f"ping {server}: times in order", row["min_us"] <= row["p50_us"] <= row["max_us"] and row["p95_us"] is None, row)
        lines = lab.sh("client", f"traceroute {option} -n -q1 -w1 {server}").splitlines()[1:]
        theirs = [line.split()[1] for line in lines]
        for how in ([], ["-I"], ["-T"]):
            row, status = lab.probe("trace", server, *how)
            t.same(f"trace {server} {' '.join(how)}: as traceroute", ([h["address"] for h in row["hops"]], row["verdict"], status),
                   (theirs, "reached", 0))
            t.ok(f"trace {server} {' '.join(how)}: nothing lost", all(h["loss"] == 0 and h["sent"] == 3 for h in row["hops"]), row["hops"])
        row, status = lab.probe("mtu", server)
        theirs = re.search(r"Resume: pmtu (\d+)", lab.try_sh("client", f"tracepath {option} -n {server}").stdout.decode()) \
            if run("which", "tracepath").returncode == 0 else None
        t.same(f"mtu {server}: found, as tracepath", (row["verdict"], row["path_mtu"], status), ("mtu-found", int(theirs[1]) if theirs else SMALL, 0))
        t.ok(f"mtu {server}: by a router's word", not says(row, f"router (10.2.0.2|fd02::2) says its next link takes {SMALL}")[0], row["evidence"])
    row, status = lab.probe("trace", "10.4.0.99", timeout="400ms")
    t.ok("trace to nobody: the last hop", (row["verdict"], status, len(row["hops"])) == ("not-reached", 6, 3), row)
    row, status = lab.probe("ping", GONE)
    t.ok("ping to nobody: no neighbour", (row["verdict"], status) == ("no-neighbour", 1), row)
    lab.sh("server", TABLE % ("input", "icmp type echo-request drop"))
    row, status = lab.probe("ping", SERVER, timeout="300ms")
    t.same("ping dropped: timeout", (row["verdict"], status), ("timeout", 6))
    row, status = lab.probe("mtu", SERVER, timeout="1s")
    t.same("mtu where pings are dropped: by port unreachable", (row["verdict"], row["path_mtu"]), ("mtu-found", SMALL))
    lab.sh("server", DROP_TABLE)
    black_hole(t, lab)
    names_and_many(t, lab)


def black_hole(t, lab):
    """r2 keeps to itself that its next link is small. The client's kernel has to forget what it learned before."""
    lab.sh("client", "ip route flush cache; ip -6 route flush cache")
    for table, rule in (("ip", "icmp type destination-unreachable"), ("ip6", "icmpv6 type packet-too-big")):
        lab.sh("r2", f"nft add table {table} t; nft add chain {table} t c '{{ type filter hook output priority 0; }}'; nft add rule {table} t c {rule} drop")
    for server, hop in ((SERVER, "10.2.0.2"), (SERVER6, "fd02::2")):
        row, status = lab.probe("mtu", server)
        t.ok(f"mtu {server}: black hole behind hop 2", (row["verdict"], row["path_mtu"], status) == ("mtu-black-hole", SMALL, 1) and
             not says(row, f"{SMALL + 1} bytes still reach hop 2, {hop}, and vanish behind it")[0], f"{row} exit {status}")
    row, status = lab.probe("tcp", f"{SERVER}:80")
    t.same("tcp through a black hole: the handshake is small", row["verdict"], "open")


def names_and_many(t, lab):
    result = nsdbg("probe", f"pid:{lab.pid('client')}", "tcp", f"{SERVER}:80", f"{SERVER}:99", f"[{SERVER6}]:80", "--json")
    rows = json.loads(result.stdout)["data"]
    t.same("several at once: in order", [(r["destination"], r["verdict"]) for r in rows],
           [(f"{SERVER}:80", "open"), (f"{SERVER}:99", "refused"), (f"[{SERVER6}]:80", "open")])
    t.same("several at once: the worst counts", result.returncode, 1)
    lines = nsdbg("probe", f"pid:{lab.pid('client')}", "ping", SERVER, "-c", "4", "-i", "20ms", "-o", "ndjson").stdout.splitlines()
    t.same("ndjson: a line a try", [json.loads(line)["sent"] for line in lines], [1, 2, 3, 4])
    row, _ = lab.probe("ping", SERVER, "-c", "25", "-i", "10ms")
    t.ok("p95 from 20 answers on, p99 not yet", row["p95_us"] is not None and row["p99_us"] is None and row["jitter_us"] is not None, row)
    for words, part in ((("tcp", "db"), "HOST:PORT"), (("tcp", "::1:80:x"), "brackets"), (("tcp", "1.2.3.4:0"), "HOST:PORT"), (("http", "http://a b/"), "form"),
                        (("nope", "x"), "kind of probe"), (("ping", "a", "--send", "x"), "tcp and udp"), (("tcp",), "wants a destination"),
                        (("http", "http://user:pw@h/"), "no user"), (("ping", "1.2.3.4", "-6"), "not an IPv6")):
        result = nsdbg("probe", f"pid:{lab.pid('client')}", *words)
        t.ok(f"probe {' '.join(words)}: one sentence, exit 2", result.returncode == 2 and part.encode() in result.stderr and
             result.stderr.count(b"\n") == 1, f"exit {result.returncode} {result.stderr.decode()}")


NAMESERVER = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.53", 53))
print("up", flush=True)
while True:
    q, who = s.recvfrom(512)
    word = q[13:13 + q[12]]
    if word != b"silent":
        s.sendto(q[:2] + bytes([0x81, 0x80 | {b"nx": 3, b"fail": 2}.get(word, 0)]) + q[4:6] + bytes(6) + q[12:], who)
"""
NAMES = [
    ("silent.example", "dns-timeout", 6, r"name server 127\.0\.0\.53 did not answer in time when asked for silent\.example"),
    ("nx.example", "no-name", 1, r"no such name: nx\.example is NXDOMAIN for 127\.0\.0\.53"),
    ("empty.example", "no-address", 1, r"exists, but has no address of this kind"),
    ("fail.example", "dns-failed", 1, r"name server 127\.0\.0\.53 does not help .*SERVFAIL"),
]


def names_that_fail(t, lab):
    """In a mount namespace of its own, whose resolv.conf names a server of ours."""
    resolv = os.path.join(lab.dir, "resolv.conf")
    with open(resolv, "w", encoding="ascii") as f:
        f.write("nameserver 127.0.0.53\noptions timeout:1 attempts:1\n")
    server = subprocess.Popen(["unshare", "-n", "-m", "sh", "-c", f"mount --bind {resolv} $(readlink -f /etc/resolv.conf) && ip link set lo up && "
                               'exec "$0" -c "$1"', sys.executable, NAMESERVER], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        server.stdout.readline()
        for name, verdict, code, part in NAMES:
            kinds = (("http", f"http://{name}/"), ("tcp", f"{name}:80"), ("ping", name), ("mtu", name)) if verdict != "no-name" else (("http", name),)
            for words in kinds:
                result = nsdbg("probe", f"pid:{server.pid}", *words, "--timeout", "400ms", "--json", timeout=40)
                row = json.loads(result.stdout)["data"][0]
                t.ok(f"{words[0]} {name}: {verdict}, exit {code}", (row["verdict"], result.returncode) == (verdict, code) and
                     re.search(part, row["meaning"]) and row["address"] is None, f"exit {result.returncode} {row['verdict']}: {row['meaning']}")
    finally:
        end(server)
        server.stdout.close()


# what, url, more words, verdict, exit status, fields
HTTP = [
    ("answers", f"http://{SERVER}/", [], "answered", 0, {"status": 200, "server": "webd", "content_type": "text/plain", "bytes": 6}),
    ("without scheme, IPv6", f"[{SERVER6}]/x?y", [], "answered", 0, {"status": 200}),
    ("refused", f"http://{SERVER}:99/", [], "refused", 1, {"status": None}),
    ("hangs up", f"http://{SERVER}:81/", [], "closed-at-once", 1, {"status": None}),
    ("hung", f"http://{SERVER}:82/", [], "hung", 6, {"status": None, "first_byte_us": None}),
    ("first byte late", f"http://{SERVER}:83/", [], "answered", 0, {"status": 200}),
    ("status 500", f"http://{SERVER}:84/", [], "http-error", 1, {"status": 500}),
    ("garbage", f"http://{SERVER}:85/", [], "broken-reply", 1, {"status": None}),
    ("big", f"http://{SERVER}:86/", [], "answered", 0, {"bytes": 60000}),
    ("breaks off", f"http://{SERVER}:87/", [], "broken-reply", 1, {}),
    ("good certificate", f"https://{SERVER}/", ["--cacert"], "answered", 0, {"status": 200, "tls_verified": True, "tls_version": "TLSv1.3", "tls_problem": None}),
    ("CA not known", f"https://{SERVER}/", [], "bad-certificate", 1, {"status": None, "tls_verified": False}),
    ("CA not known, -k", f"https://{SERVER}/", ["-k"], "answered", 0, {"status": 200, "tls_verified": False}),
    ("expired", f"https://{SERVER}:444/", ["--cacert"], "bad-certificate", 1, {"tls_verified": False}),
    ("expired, -k", f"https://{SERVER}:444/", ["--cacert", "-k"], "answered", 0, {"status": 200, "tls_verified": False}),
    ("another name", f"https://{SERVER}:445/", ["--cacert"], "bad-certificate", 1, {"tls_problem": f"not for {SERVER}"}),
    ("self-signed", f"https://{SERVER}:446/", ["--cacert"], "bad-certificate", 1, {"tls_problem": "self-signed"}),
    ("https to http", f"https://{SERVER}:80/", [], "tls-failed", 1, {"status": None}),
]


def http(t, lab):
    for name, url, words, verdict, code, fields in HTTP:
        more = [w for word in words for w in ((word, os.path.join(lab.dir, "ca.pem")) if word == "--cacert" else (word,))]
        row, status = lab.probe("http", url, *more, timeout="700ms")
        wrong = {k: row.get(k) for k, v in fields.items() if row.get(k) != v}
        t.ok(f"http, {name}: {verdict}, exit {code}", (row.get("verdict"), status) == (verdict, code) and not wrong,
             f"{row.get('verdict')}, exit {status}, {wrong}, {row.get('meaning')}")
        if name == "first byte late":
            t.ok("http: the late byte is in its phase", 0.9 * webd.SLOW * 1e6 < row["first_byte_us"] <= row["total_us"] and row["connect_us"] < 1e5, row)
        if name == "expired":
            chain = row["certificates"]
            t.ok("https: the chain with names and dates", [c["subject"] for c in chain][0].endswith("CN = expired") and len(chain) == 2 and
                 chain[0]["names"] == ["web.lab", SERVER] and chain[0]["not_after"] < row["at"] < chain[1]["not_after"], chain)
            t.ok("https: since when it is expired", re.search(r"expired; it ended \d+d ago", row["tls_problem"]), row["tls_problem"])
    result = nsdbg("probe", f"pid:{lab.pid('client')}", "http", f"http://{SERVER}:88/")
    t.ok("http: hostile headers come out clean", b"\x1b" not in result.stdout and b"\x07" not in result.stdout and result.returncode == 0,
         result.stdout[:300])


with Lab() as shared:
    def within(function):
        def called(t):
            function(t, shared)
        called.__name__ = function.__name__
        return called

    Checks().run(within(names_that_fail), within(connect_results), within(http), within(as_other_tools_see_it))
