#!/usr/bin/env python3
"""dns --watch with real Docker: its embedded resolver, whose port is redirected before a capture sees it, its upstream questions, the
containers behind the answers, an answer that points to nobody; and the Wire half of the DNS view."""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import NSDBG, ROOT, Checks, Terminal, docker, end, in_net, inspect, pid_of, popen_in_net, run


class Watch:
    """nsdbg dns NAME --watch --json around a block; .document afterwards."""

    def __init__(self, name):
        self.process = subprocess.Popen([NSDBG, "dns", name, "--watch", "--json"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.document = {}

    def __enter__(self):
        time.sleep(1.0)  # until it takes packets
        return self

    def __exit__(self, *_):
        time.sleep(0.3)
        self.process.send_signal(2)
        out, err = self.process.communicate(timeout=20)
        self.document = json.loads(out)
        self.errors = err.decode()

    def rows(self, name=None, **more):
        return [r for r in self.document["data"] if name in (None, r["name"]) and all(r[k] == v for k, v in more.items())]


def address(name, network="shop"):
    return inspect(name)[0]["NetworkSettings"]["Networks"][network]["IPAddress"]


def embedded(t):
    with Watch("two") as watch:
        docker("exec", "two", "nslookup", "web")
        in_net(pid_of("two"), "dig", "+short", "+tcp", "@127.0.0.11", "db")
        run("nsenter", "-n", "-t", pid_of("two"), "dig", "+short", "+tries=1", "+time=2", "@127.0.0.11", "upstream.example", timeout=20)
    found = watch.rows("web.", type="A", server="127.0.0.11")
    t.ok("embedded: Docker's answer, its address and whose it is", found and all((r["answers"], r["target"], r["rcode"], r["server_port"]) ==
         ([address("web")], "web", "NOERROR", 53) for r in found), watch.document["data"])
    t.ok("embedded: it took some time", found and all(0 < r["time_us"] < 5e6 for r in found), found)
    found = watch.rows("db.", transport="tcp")
    t.ok("embedded: over TCP", [(r["answers"], r["target"]) for r in found] == [([address("db")], "db")], found)
    upstream = watch.rows("upstream.example.", forwarded=True)
    t.ok("embedded: its upstream question is told apart", all(r["server"] != "127.0.0.11" for r in upstream) and
         watch.rows("upstream.example.", server="127.0.0.11", forwarded=False), watch.rows("upstream.example."))
    t.ok("embedded: dockerd asks upstream", all(r["process"] in ("dockerd", None) for r in upstream), upstream)
    t.same("embedded: the target", watch.document["target"]["name"], "two")


def stale(t):
    """A name server in the container's namespace that still knows an address of the network which nobody has."""
    server = popen_in_net(pid_of("two"), "python3", os.path.join(ROOT, "tests/lab/dnsd.py"), "ok", "127.0.0.1", "53", "60")
    try:
        server.stdout.readline()
        with Watch("two") as watch:
            for name in ("stale.example", "www.example"):
                in_net(pid_of("two"), "dig", "+short", "@127.0.0.1", name, "A")
    finally:
        end(server)
    found = [f for f in watch.document["findings"] if f["finding"] == "stale-address"]
    t.ok("stale: found, with address and network", len(found) == 1 and "172.30.1.250" in found[0]["evidence"][0] and "shop" in found[0]["evidence"][0]
         and found[0]["count"] == 1, watch.document["findings"])


def waiting_process(t):
    """What still waits at the end is a row, too, and its process is known."""
    server = popen_in_net(pid_of("two"), "python3", os.path.join(ROOT, "tests/lab/dnsd.py"), "silent", "127.0.0.1", "53", "60")
    try:
        server.stdout.readline()
        with Watch("two") as watch:
            asking = popen_in_net(pid_of("two"), "dig", "@127.0.0.1", "+time=5", "+tries=1", "nobody.example", "A")
            time.sleep(1.5)
        end(asking)
    finally:
        end(server)
    found = watch.rows("nobody.example.")
    t.ok("waiting: a row with its process", [(r["state"], r["time_us"], r["pid"]) for r in found] == [("waiting", None, asking.pid)], found)
    t.ok("waiting: and a word of it", "1 still waiting" in watch.errors, watch.errors)


def screen(t):
    with Terminal(120, 36, [NSDBG, "two"]) as terminal:
        terminal.wait(r"1 Overview")
        terminal.keys("d")
        terminal.wait(r"\[Ask\]")
        terminal.keys("]")
        t.ok("screen: the Wire half watches", terminal.wait(r"LIVE 0 asked", 8), terminal.screen())
        docker("exec", "two", "nslookup", "web")
        t.ok("screen: the question shows with its container", terminal.wait(rf"web\. +A +127\.0\.0\.11 .*NOERROR.*{address('web')} = web", 5), terminal.screen())
        terminal.keys("g", "Enter")
        t.ok("screen: Enter says more", terminal.wait(r"─ Question \d+ .*web\.", 5) and terminal.wait(r"asked .*> 127\.0\.0\.11 +udp"), terminal.screen())
        terminal.keys("t", "t", "t", "t")
        t.ok("screen: names", terminal.wait(r"\[names \d+\]", 3) and terminal.wait(r"web\. .*A"), terminal.screen())
        terminal.keys("]")
        t.ok("screen: and back", terminal.wait(r"\[Ask\]", 3), terminal.screen())


Checks().run(embedded, stale, waiting_process, screen)
