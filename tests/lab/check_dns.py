#!/usr/bin/env python3
"""dns against dig: every record type that has a form of its own, and every server that lies, stalls or breaks off. And against libc:
which questions its getaddrinfo sends for a name under a resolv.conf, and which ones we do.

Needs no engine: the target is a process in a network namespace of its own, the server is dnsd.py inside it.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import ROOT, Checks, end, in_net, nsdbg, nsdbg_json, popen_in_net, run, wait_for

sys.path.insert(0, os.path.join(ROOT, "tests/lab"))
import dnsd

SERVER = ["@127.0.0.1"]
UP = "ip link set lo up && ip addr add 10.9.9.1/32 dev lo && ip addr add fd99::1/128 dev lo"  # getaddrinfo asks only what it could use


class Inside:
    """A network namespace with a server of this mode on 127.0.0.1:53, and a resolv.conf of its own when one is given."""

    def __init__(self, mode, log=None, resolv=None):
        mount = f"mount --bind {resolv} /etc/resolv.conf && " if resolv else ""
        self.target = subprocess.Popen(["unshare", "-n", "-m", "sh", "-c", f"{mount} {UP} && echo up && exec sleep 600"],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.target.stdout.readline()
        self.pid = self.target.pid
        argv = ["python3", os.path.join(ROOT, "tests/lab/dnsd.py"), mode, "127.0.0.1", "53", "120"]
        self.server = popen_in_net(self.pid, *argv, *([log] if log else []))
        self.server.stdout.readline()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.server)
        end(self.target)

    def ask(self, *argv, timeout="3s", codes=(0,)):
        return nsdbg_json("dns", f"pid:{self.pid}", *argv, *SERVER, "--timeout", timeout, "-v", codes=codes)["data"]


def ours(rows):
    """(section, name, ttl, type, data) of the records"""
    return sorted((r["section"], r["name"], r["ttl"], r["type"], r["data"])
                  for r in rows if r["section"] in ("answer", "authority", "additional") and r["data"] is not None)


def digs(inside, name, kind, *more):
    text = in_net(inside.pid, "dig", *SERVER, "+noall", "+nosplit", "+answer", "+authority", "+additional", "+comments", *more, name, kind)
    found, section = [], None
    for line in text.splitlines():
        title = re.match(r";; (ANSWER|AUTHORITY|ADDITIONAL) SECTION", line)
        if title:
            section = title.group(1).lower()
        elif line and not line.startswith(";"):
            name, ttl, _, kind, data = line.split(None, 4)
            found.append((section, name, int(ttl), kind, data))
    return sorted(found)


def every_type(t):
    with Inside("ok") as inside:
        for name, kind in sorted({(r[0].replace("*", "any"), r[1]) for r in dnsd.ZONE}):
            t.same(f"as dig: {name} {kind}", ours(inside.ask(name, kind)), digs(inside, name, kind))
        for name, kind in (("nope.example.", "A"), ("v4.example.", "AAAA"), ("alias.example.", "A"), ("alias.example.", "AAAA"),
                           ("dangling.example.", "A"), ("example.", "ANY"), ("WWW.EXAMPLE.", "A"), ("www.example.", "TYPE28")):
            t.same(f"as dig: {name} {kind}", ours(inside.ask(name, kind)), digs(inside, name, kind))
        t.same("as dig: -x 198.51.100.4", ours(inside.ask("-x", "198.51.100.4")), digs(inside, "4.100.51.198.in-addr.arpa.", "PTR"))
        t.same("as dig: +tcp", ours(inside.ask("www.example.", "A", "+tcp")), digs(inside, "www.example.", "A", "+tcp"))
        row = next(r for r in inside.ask("www.example.", "A") if r["section"] == "answer")
        t.ok("every field is there", set(row) == {"name", "type", "ttl", "data", "server", "rcode", "time_us", "section", "flags", "transport",
                                                  "size", "address", "target", "asked", "position"}, sorted(row))
        t.same("flags, transport, size", (row["flags"], row["transport"], row["size"]), ("qr aa rd ra", "udp", 61))


# mode, more words, exit code, rcode of the verdict, a text in some row, seconds it may take
HOSTILE = [
    ("wrongid", [], 0, "NOERROR", "unexpected replies: 1", 1),
    ("wrongq", [], 0, "NOERROR", "unexpected replies: 1", 1),
    ("wrongqr", [], 0, "NOERROR", "unexpected replies: 1", 1),
    ("flood", [], 7, "NOERROR", "unexpected replies: 10", 1),
    ("tc", [], 0, "NOERROR", "asked again over TCP", 1),
    ("tcrefuse", [], 6, "refused by 127.0.0.1:53", "asked again over TCP", 1),
    ("tccut", [], 6, "closed by 127.0.0.1:53", "asked again over TCP", 1),
    ("tcstall", [], 6, "timeout", "asked again over TCP", 4.9),
    ("tcdribble", [], 6, "timeout", "asked again over TCP", 4.9),
    ("silent", [], 6, "timeout", "timeout", 4.9),
    ("loop", [], 6, "malformed", "malformed", 1),
    ("fwd", [], 6, "malformed", "malformed", 1),
    ("cut", [], 6, "malformed", "malformed", 1),
    ("count", [], 6, "malformed", "malformed", 1),
    ("self", [], 0, "NOERROR", "\\# 2", 1),
    ("rdlen", [], 0, "malformed", "\\# 3 010203", 1),
    ("nxdomain", [], 0, "NXDOMAIN", "NXDOMAIN", 1),
    ("servfail", [], 0, "SERVFAIL", "SERVFAIL", 1),
    ("refused", [], 0, "REFUSED", "REFUSED", 1),
    ("notimp", [], 0, "NOTIMP", "NOTIMP", 1),
    ("formerr", [], 0, "FORMERR", "FORMERR", 1),
    ("names", [], 0, "NOERROR", "\\000\\001\\002", 1),
    ("esc", [], 0, "NOERROR", "\\027[2J\\007evil.dot\\.in\\\"side.\\226\\128\\174", 1),
    ("slow", [], 0, "NOERROR", "192.0.2.10", 1),
]


def verdict(rows):
    return next((r["rcode"] for r in reversed(rows) if r["section"] == "answer" and r["rcode"] != "malformed"),
                next((r["rcode"] for r in reversed(rows) if r["section"] == "answer"), None))


def every_liar(t):
    for mode, words, code, rcode, part, seconds in HOSTILE:
        with Inside(mode) as inside:
            result = nsdbg("dns", f"pid:{inside.pid}", "www.example.", "A", *words, *SERVER, "--timeout", "4s", "-v", "--json", timeout=30)
            rows = json.loads(result.stdout)["data"] if result.stdout else []
            took = max((r["time_us"] or 0 for r in rows), default=0) / 1e6  # in the worker: a busy machine starts programs late
            text = "\n".join(str(v) for r in rows for v in r.values())
            t.ok(f"{mode}: exit {code}, {rcode}, in time", (result.returncode, verdict(rows)) == (code, rcode) and part in text and took < seconds,
                 f"exit {result.returncode}, {verdict(rows)}, {took:.1f} s, {text!r} {result.stderr!r}")
            t.ok(f"{mode}: nothing but printable text", not re.search(rb"[^\x20-\x7e\n]", nsdbg(
                "dns", f"pid:{inside.pid}", "www.example.", "A", *SERVER, "--timeout", "1s", "-v", timeout=30).stdout))


def big_answer(t):
    with Inside("ok") as inside:
        rows = [r for r in inside.ask("huge.example.", "TXT") if r["section"] == "answer"]
        t.same("61 KB over TCP", (len(rows), rows[0]["transport"], rows[0]["size"] > 60000, len(rows[0]["data"]) > 61000), (1, "tcp", True, True))
        short = nsdbg("dns", f"pid:{inside.pid}", "huge.example.", "TXT", *SERVER, "+short").stdout
        t.ok("and +short begins as it should", short.startswith(b'"000 yyyy'), short[:60])


# resolv.conf (without its nameserver), mode of the server, names
LIBC = [
    ("", "ok", ["www.example", "nope", "nope.example", "www.example.", "v4.example", "v6.example", "alias.example", "dangling.example"]),
    ("search shop.internal.example example", "ok", ["db", "www", "nope", "www.example", "nope.x", "v6", "alias"]),
    ("search shop.internal.example example\noptions ndots:5", "ok", ["db", "www.example", "nope.a.b", "v6.example", "nope.example."]),
    ("search shop.internal.example example\noptions ndots:0", "ok", ["db", "nope", "www"]),
    ("domain example", "ok", ["www", "nope", "v6"]),
    ("search .", "ok", ["nope", "www.example"]),
    ("search a.example b.example", "servfail", ["db", "db.x"]),
    ("search a.example b.example", "refused", ["db", "db.x"]),
    ("search a.example b.example", "nxdomain", ["db", "db.x"]),
    ("search a.example b.example\noptions attempts:3", "servfail", ["db"]),
    ("search a.example b.example\noptions timeout:1 attempts:2", "silent", ["db.x"]),
    ("search a.example b.example\noptions use-vc", "ok", ["db"]),
    ("search example\noptions edns0", "ok", ["www", "nope"]),
]


def logged(path, skip):
    with open(path, encoding="ascii") as file:
        lines = [line.split() for line in file][skip:]
    return [(l[0], l[3].lower(), l[4], l[5]) for l in lines]


def as_libc(t):
    """The same questions in the same order as glibc's getaddrinfo; both types at once in any order."""
    if "CS_GNU_LIBC_VERSION" not in os.confstr_names:
        t.skip("the questions that libc asks", "this machine's libc is not glibc")
        return
    for options, mode, names in LIBC:
        with tempfile.TemporaryDirectory(prefix="nsdbg-dns-") as dir_:
            resolv, log = os.path.join(dir_, "resolv.conf"), os.path.join(dir_, "log")
            with open(resolv, "w", encoding="ascii") as file:
                file.write(f"nameserver 127.0.0.1\n{options}\n")
            os.chmod(dir_, 0o755)
            open(log, "w", encoding="ascii").close()
            with Inside(mode, log, resolv) as inside:
                for name in names:
                    for database, types, order in (("ahostsv4", ["A"], list), ("ahosts", [], sorted)):
                        before = len(logged(log, 0))
                        run("nsenter", "-n", "-m", "-t", inside.pid, "getent", database, name, timeout=60)
                        libc = logged(log, before)
                        nsdbg("dns", f"pid:{inside.pid}", name, *types, "--timeout", "30s", timeout=60)
                        ours_ = logged(log, before + len(libc))
                        t.same(f"as libc: {mode}, {options!r}, {name} {types or 'A+AAAA'}", order(ours_), order(libc))


def guessing(t):
    """D16: an attacker has to guess id and port, new ones each time."""
    with tempfile.TemporaryDirectory(prefix="nsdbg-dns-") as dir_, Inside("ok", os.path.join(dir_, "log")) as inside:
        for i in range(50):
            inside.ask(f"n{i}.wild.example.")
        lines = wait_for(lambda: [l.split() for l in open(os.path.join(dir_, "log"), encoding="ascii")])
        t.same("100 questions were asked", len(lines), 100)
        t.ok("ids and ports differ", len({(l[1], l[2]) for l in lines}) >= 99 and len({l[1] for l in lines}) >= 95 and
             len({l[2] for l in lines}) >= 95, f"{len({l[1] for l in lines})} ports, {len({l[2] for l in lines})} ids")


def strange_names(t):
    with Inside("ok") as inside:
        for name, code in (("", 2), ("..", None), ("a" * 300, None), ("x" * 63 + ".example.", 0), ("a b.example.", 0), ("a\\000c.example.", 0),
                           ("bücher.example.", None), ("\x1b[2J.example.", 0), ("%s%n.example.", 0)):
            result = nsdbg("dns", f"pid:{inside.pid}", "--", name, "A", *SERVER, timeout=40)
            good = result.returncode == 0 if code == 0 else result.returncode in (2, 5, 7, 10) and result.stderr
            t.ok(f"the name {name[:20]!r}", good and b"\x1b" not in result.stdout + result.stderr, f"exit {result.returncode} {result.stderr!r}")


def environment(t):
    """D15: libc's variables change nothing, since libc's resolver is not used."""
    with Inside("ok") as inside:
        env = {**os.environ, "RES_OPTIONS": "ndots:9", "LOCALDOMAIN": "evil", "HOSTALIASES": "/tmp/h"}
        result = nsdbg("dns", f"pid:{inside.pid}", "www.example", "A", *SERVER, "-v", "--json", env=env)
        t.ok("LOCALDOMAIN and RES_OPTIONS have no effect", b"evil" not in result.stdout and b"192.0.2.10" in result.stdout, result.stdout[:300])


if __name__ == "__main__" and os.geteuid() != 0:
    print("ok - dns against dig # SKIP needs root")
elif __name__ == "__main__":
    Checks().run(every_type, every_liar, as_libc, big_answer, guessing, strange_names, environment)
