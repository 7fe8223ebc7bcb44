#!/usr/bin/env python3
"""probe from container to container by name: the address Docker gave, DNS aliases, what a paused, stopped or absent one means, the hops."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import NSDBG, Checks, Terminal, docker, in_net, inspect, nsdbg, nsdbg_json, pid_of, processes_of, wait_for

os.environ["NSDBG_RUNTIME"] = "docker,netns,host"  # another engine that is ill on this host would make every result partial


def address(name, network="shop"):
    return inspect(name)[0]["NetworkSettings"]["Networks"][network]["IPAddress"]


def probe(*argv, codes=(0, 1, 6)):
    rows = nsdbg_json("probe", *argv, codes=codes, timeout=30)["data"]
    return rows[0] if len(rows) == 1 else rows


def by_name(t):
    row = probe("client", "tcp", "db:5432", codes=(0,))
    t.same("tcp client to db: by the container's name", (row["verdict"], row["address"], row["target"], row["how"]),
           ("open", address("db"), "db", "container"))
    row = probe("client", "tcp", "db.lab:5432", codes=(0,))
    t.same("tcp client to db.lab: an alias by Docker's DNS", (row["verdict"], row["address"], row["target"], row["how"]),
           ("open", address("db"), "db", "dns"))
    t.ok("the lookup's time is said", row["resolve_us"] > 0, row["resolve_us"])
    row = probe("client", "ping", "two", codes=(0,))
    t.same("ping client to two: the network that both share", (row["verdict"], row["address"], row["source"]), ("answered", address("two"), address("client")))
    row = probe("busy", "tcp", "busy-host:1", codes=(1,))
    t.same("a name of /etc/hosts", (row["how"], row["verdict"]), ("hosts", "refused"))
    row = probe("two", "http", "http://web/", codes=(0,))
    t.same("http two to web", (row["verdict"], row["status"], row["target"]), ("answered", 200, "web"))
    row = probe("side", "tcp", "127.0.0.1:80", codes=(0,))
    t.same("from a container that shares web's network", row["verdict"], "open")
    row = probe("tiny", "ping", "ill", codes=(0,))
    t.same("from a FROM scratch container", row["verdict"], "answered")


def says_no(t):
    row = probe("client", "tcp", "db:1", codes=(1,))
    t.ok("refused: exit 1, by RST", row["verdict"] == "refused" and any("RST" in e for e in row["evidence"]), row)
    row = probe("busy", "ping", "paused", codes=(0,))
    t.same("ping of a paused one: its kernel answers", row["verdict"], "answered")
    docker("exec", "-d", "ill", "nc", "-l", "-p", "7070")
    wait_for(lambda: ":7070 " in in_net(pid_of("ill"), "ss", "-Hltn"), 3)
    docker("pause", "ill")
    row = wait_for(lambda: (lambda r: r if r["verdict"] == "paused" else None)(probe("well", "tcp", "ill:7070")), 3)
    docker("unpause", "ill")
    t.ok("tcp to a paused one: the kernel accepts, nobody reads", row and row["works"] is False and "paused" in row["meaning"], row)
    result = nsdbg("probe", "client", "tcp", "stopped:80")
    t.ok("a stopped container: said by name, exit 1", result.returncode == 1 and b"container stopped is not running: exited" in result.stderr, result.stderr)
    row = probe("client", "tcp", "no-such-name:80", "--timeout", "1s", codes=(1, 6))
    t.ok("no such name: Docker's DNS cannot say so without a way out", row["verdict"] in ("dns-timeout", "dns-failed", "no-name") and row["address"] is None and
         "127.0.0.11" in row["meaning"], row)
    row = probe("lonely", "tcp", f"{address('web')}:80", codes=(1,))
    t.same("from a container without network", (row["verdict"], row["error"]), ("no-route", "ENETUNREACH"))


def the_way(t):
    row = probe("client", "trace", f"{address('web')}", codes=(0,))
    t.same("trace: one hop, named", [(h["address"], h["name"]) for h in row["hops"]], [(address("web"), "web")])
    row = probe("client", "mtu", "db", codes=(0,))
    t.same("mtu between containers", (row["verdict"], row["path_mtu"], row["interface_mtu"]), ("mtu-found", 1500, 1500))
    rows = probe("client", "tcp", "db:5432", "web:80", "db:9", codes=(1,))
    t.same("three at once", [r["verdict"] for r in rows], ["open", "open", "refused"])


def on_the_screen(t):
    with Terminal(120, 36, [NSDBG, "client"]) as term:
        term.wait(r"\[1 Overview\]")
        term.keys("s")
        term.wait("5432")
        term.type("/5432")
        term.keys("Enter")
        term.type("P")
        t.ok("P on a socket probes its peer", term.wait(r"tcp\s+\S+:5432\s+open", 6), term.screen())
        term.type("a")
        term.wait("probe:")
        term.type("ping two")
        term.keys("Enter")
        t.ok("a new probe by its container's name", term.wait(r"ping\s+two\s+answered", 6) and term.wait("container's address", 3), term.screen())
        term.type("S")
        t.ok("S stops it", term.wait("stopped", 3), term.screen())
        term.type("D")
        t.ok("D removes it", wait_for(lambda: "ping two" not in term.screen(), 3), term.screen())
        term.type("Q")
    t.ok("nothing is left running", wait_for(lambda: not processes_of(), 3), processes_of())


Checks().run(by_name, says_no, the_way, on_the_screen)
