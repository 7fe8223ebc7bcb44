#!/usr/bin/env python3
"""dns --watch against tshark on the same packets: real clients (glibc, musl, dig) ask a server that loses, delays and cuts short.

Needs no engine: the target is a process in a network namespace of its own. Each question must be there once, with tshark's response
code and tshark's time; and each fault must be found, with evidence.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import NSDBG, ROOT, Checks, end, nsdbg, popen_in_net, text_of

UP = ("ip link set lo up && ip addr add 10.9.9.1/32 dev lo && ip addr add fd99::1/128 dev lo && ip addr add 2001:db8::53/128 dev lo")
RESOLV = "nameserver 127.0.0.1\nsearch shop.internal.example example\noptions timeout:2 attempts:2 ndots:5\n"
MUSL = r"""
#include <netdb.h>
#include <stdio.h>
int main(int argc, char **argv)
{
	struct addrinfo *found = 0;
	for (int i = 1; i < argc; i++)
		printf("%s %d\n", argv[i], getaddrinfo(argv[i], 0, 0, &found));
	return 0;
}
"""


class World:
    """A namespace with servers on 127.0.0.1 (by script), 2001:db8::53 (well) and 127.0.0.3 (silent); 127.0.0.9 is nobody."""

    def __init__(self, dir_):
        self.dir = dir_
        resolv = os.path.join(dir_, "resolv.conf")
        with open(resolv, "w", encoding="ascii") as file:
            file.write(RESOLV)
        self.target = subprocess.Popen(["unshare", "-n", "-m", "sh", "-c", f"mount --bind {resolv} /etc/resolv.conf && {UP} && echo up && exec sleep 600"],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.target.stdout.readline()
        self.pid = self.target.pid
        self.servers = [self.start(*a) for a in (("script", "127.0.0.1"), ("ok", "2001:db8::53"), ("silent", "127.0.0.3"))]

    def start(self, mode, address):
        server = popen_in_net(self.pid, "python3", os.path.join(ROOT, "tests/lab/dnsd.py"), mode, address, "53", "120")
        server.stdout.readline()
        return server

    def inside(self, *argv):
        return subprocess.Popen(["nsenter", "-n", "-m", "-t", str(self.pid), *map(str, argv)], stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def close(self):
        for process in (*self.servers, self.target):
            end(process)


def musl(dir_):
    """A static program that asks as musl does; where musl is the libc, the compiler is cc."""
    source, program = os.path.join(dir_, "ask.c"), os.path.join(dir_, "ask")
    with open(source, "w", encoding="ascii") as file:
        file.write(MUSL)
    text_of(shutil.which("musl-gcc") or "cc", "-static", "-o", program, source)
    return program


def clients(world, program):
    """All at once: what each does is its own matter, and takes seconds where answers are lost."""
    dig = ["dig", "+time=1", "+tries=1"]
    return [world.inside(*argv) for argv in (
        ["getent", "ahosts", "www.example"], ["getent", "ahosts", "db"], ["getent", "ahostsv4", "lose1.wild.example."],
        ["getent", "ahosts", "noaaaa.wild.example."], ["getent", "ahosts", "noaaaa.wild.example."],
        [*dig, "@127.0.0.1", "late.wild.example", "A"],
        [*dig, "@127.0.0.1", "+ignore", "+noedns", "many.example", "A"], [*dig, "@127.0.0.1", "+noedns", "huge.example", "TXT"],
        [*dig, "@127.0.0.1", "+tcp", "+keepopen", "www.example", "A", "v4.example", "A"], [*dig, "@2001:db8::53", "v6.example", "AAAA"],
        [*dig, "@127.0.0.9", "www.example"], ["sh", "-c", f"{' '.join(dig)} @127.0.0.3 a.example; {' '.join(dig)} @127.0.0.3 b.example"],
        [program, "ns1.example", "v6.example.", "nope.example."])]


def tshark(path):
    """{(client port, id, name, type, tcp): (time in us or None, rcode or None)} of all questions in a capture."""
    fields = ["dns.id", "dns.flags.response", "dns.qry.name", "dns.qry.type", "dns.time", "dns.flags.rcode", "udp.srcport", "udp.dstport", "tcp.srcport",
              "tcp.dstport", "icmp.type"]
    text = text_of("tshark", "-r", path, "-Y", "dns && !icmp", "-T", "fields", "-E", "separator=|", *(a for f in fields for a in ("-e", f)), timeout=60)
    found = {}
    for line in text.splitlines():
        id_, reply, name, kind, took, rcode, us, ud, ts, td, _ = line.split("|")
        reply = reply in ("1", "True")
        port = (ud or td) if reply else (us or ts)
        key = (int(port), int(id_, 16), name.lower(), int(kind), bool(ts))
        if not reply:
            found.setdefault(key, (None, None))
        elif found.get(key, (1, 1)) == (None, None):
            found[key] = (float(took) * 1e6 if took else None, int(rcode))
    return found


RCODES = {"NOERROR": 0, "SERVFAIL": 2, "NXDOMAIN": 3}
TYPES = {"A": 1, "AAAA": 28, "TXT": 16}


def ours(rows):
    found = {}
    for r in {r["number"]: r for r in rows}.values():  # glibc asks again with the same id and port what was answered already: the first counts, as above
        found.setdefault((r["client_port"], r["name"].rstrip(".").lower(), TYPES[r["type"]], r["transport"] == "tcp"), r)
    return found


def compare(t, rows, packets):
    mine = ours(rows)
    theirs = {(k[0], k[2], k[3], k[4]): v for k, v in packets.items()}
    t.sets("watch: the questions that tshark sees", mine, theirs)
    both = sorted(set(mine) & set(theirs))
    wrong = [(k, mine[k]["rcode"], theirs[k][1]) for k in both if RCODES.get(mine[k]["rcode"]) != theirs[k][1]]
    t.ok("watch: tshark's response codes", not wrong, wrong)
    # tshark begins anew with a question that is repeated late; we count from the first, as its program does
    off = [(k, mine[k]["time_us"], theirs[k][0]) for k in both if not mine[k]["retries"] and None not in (mine[k]["time_us"], theirs[k][0])
           and abs(mine[k]["time_us"] - theirs[k][0]) > (50 if k[3] else 2)]  # over TCP: the last of many segments
    t.ok("watch: tshark's times, to 2 us", not off, off)
    t.ok("watch: a fair number of them", len(both) >= 30, len(both))


def find(rows, name, kind=None, **more):
    return [r for r in rows if r["name"] == name and (kind is None or r["type"] == kind) and all(r[k] == v for k, v in more.items())]


def outcomes(t, rows):
    t.ok("lost: repeated after the timeout, then answered", any(r["retries"] == 1 and 1.9e6 < r["gap_us"] < 2.3e6 and r["state"] == "answered"
                                                               for r in find(rows, "lose1.wild.example.", "A")), find(rows, "lose1.wild.example."))
    t.ok("AAAA: unanswered", find(rows, "noaaaa.wild.example.", "AAAA", state="unanswered", rcode=None, time_us=None), find(rows, "noaaaa.wild.example."))
    t.ok("late: with its time", any(2.4e6 < r["time_us"] < 5e6 for r in find(rows, "late.wild.example.", state="late")), find(rows, "late.wild.example."))
    t.ok("nobody: unreachable", any("ICMP" in r["note"] for r in find(rows, "www.example.", "A", state="unreachable", server="127.0.0.9")),
         find(rows, "www.example."))
    t.ok("huge: 61 KB over TCP in many segments", any(r["size"] > 60000 and r["n_answers"] == 1 for r in find(rows, "huge.example.", transport="tcp")),
         find(rows, "huge.example."))
    t.same("v6: asked over IPv6", [r["server"] for r in find(rows, "v6.example.", client="2001:db8::53")], ["2001:db8::53"])
    t.ok("two questions in one TCP connection", len({r["client_port"] for r in rows if r["transport"] == "tcp" and r["name"] in ("www.example.", "v4.example.")}) == 1
         and find(rows, "v4.example.", transport="tcp"), [r for r in rows if r["transport"] == "tcp"])
    owners = {r["process"] for r in rows if r["process"]}
    t.ok("owners: who waits is known", {"getent", "dig"} <= {o.split("-")[0] for o in owners}, owners)
    t.ok("owners: no name without a pid", all(r["pid"] for r in rows if r["process"]))


def findings(t, document):
    found = {f["finding"]: f for f in document["findings"]}
    t.sets("findings: each fault, and no other", found, {"five-seconds", "dead-aaaa", "late", "truncated", "unreachable", "ndots"})
    for kind, part in (("five-seconds", "lose1.wild.example."), ("dead-aaaa", "noaaaa.wild.example."), ("late", "late.wild.example."),
                       ("truncated", "many.example."), ("ndots", "NXDOMAIN")):
        evidence = " ".join([found.get(kind, {}).get("text", ""), *found.get(kind, {}).get("evidence", [])])
        t.ok(f"findings: {kind} with evidence and a remedy", part in evidence and found[kind]["remedy"], found.get(kind))
    servers = {f["server"]: f["text"] for f in document["findings"] if f["finding"] == "unreachable"}
    t.sets("findings: the servers that do not answer", servers, {"127.0.0.3", "127.0.0.9"})
    t.same("findings: ndots counts what the searches say", found["ndots"]["count"], sum(s["nxdomain"] for s in document["searches"]))
    t.ok("findings: and the rows", found["ndots"]["count"] >= sum(r["rcode"] == "NXDOMAIN" and r["search"] is not None for r in document["data"]) > 0)
    groups = {s["wanted"]: s for s in document["searches"]}
    t.ok("searches: www.example by the list, found as it is", groups.get("www.example", {}).get("found") == "www.example."
         and groups["www.example"]["tried"][0] == "www.example.shop.internal.example. NXDOMAIN", groups)
    names = {n["name"]: n for n in document["names"]}
    asked = {r["number"] for r in document["data"] if r["name"] == "www.example." and r["state"] != "waiting"}
    t.same("names: counts as the rows", names["www.example."]["count"], len(asked))


def watched(t):
    with tempfile.TemporaryDirectory(prefix="nsdbg-dnswatch-") as dir_:
        os.chmod(dir_, 0o755)
        world = World(dir_)
        try:
            live(t, world, dir_)
        finally:
            world.close()


def live(t, world, dir_):
    program, path = musl(dir_), os.path.join(dir_, "all.pcap")
    tcpdump = popen_in_net(world.pid, "tcpdump", "-i", "lo", "-w", path, "-U", "--immediate-mode", "port 53 or icmp")
    tcpdump.stderr.readline()
    watch = subprocess.Popen([NSDBG, "dns", f"pid:{world.pid}", "--watch", "--json"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    stream = subprocess.Popen([NSDBG, "dns", f"pid:{world.pid}", "--watch", "-o", "ndjson", "-c", "20"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    time.sleep(1.0)  # both take packets
    for client in clients(world, program):
        client.wait(30)
    time.sleep(3.5)  # the last one is given up after timeout and a second
    watch.send_signal(2)
    out, err = watch.communicate(timeout=20)
    end(tcpdump)
    document = json.loads(out)
    t.same("watch: exit 0 and no errors", (watch.returncode, document["errors"]), (0, []))
    t.same("watch: the schema", document["schema"], "nsdbg.dnswire/1")
    compare(t, document["data"], tshark(path))
    outcomes(t, document["data"])
    findings(t, document)
    t.ok("watch: a summary on standard error", re.search(rb"\d+ questions: \d+ answered", err), err)
    lines = [json.loads(line) for line in stream.communicate(timeout=20)[0].splitlines()]
    rows = [line for line in lines if "number" in line and "type" in line]
    t.ok("ndjson: -c 20 rows, each once, then names and findings", len(rows) == 20 == len({r["number"] for r in rows})
         and any("finding" in line for line in lines), len(rows))
    t.same("ndjson: the rows of the document", sorted(r["name"] + r["type"] for r in rows),
           sorted(r["name"] + r["type"] for r in document["data"] if r["number"] in {x["number"] for x in rows}))


def usage(t):
    for argv, part in ((["--watch", "nofield:x"], b"nofield"), (["--watch", "--by", "moon"], b"question, name or search"), (["--watch", "-p", "70000"], b"65535")):
        result = nsdbg("dns", "host", *argv, timeout=10)
        t.ok(f"usage: {argv[-1]}", result.returncode == 2 and part in result.stderr, f"{result.returncode} {result.stderr}")
    result = nsdbg("dns", "host", "--watch", "--for", "300ms", "--by", "name", "--json", timeout=15)
    t.same("--by name: its own schema", json.loads(result.stdout)["schema"], "nsdbg.dnsnames/1")


if __name__ == "__main__" and os.geteuid() != 0:
    print("ok - dns --watch against tshark # SKIP needs root")
elif __name__ == "__main__":
    Checks().run(watched, usage)
