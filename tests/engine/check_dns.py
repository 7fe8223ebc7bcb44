#!/usr/bin/env python3
"""dns gives the addresses that Docker assigned, as dig inside the same namespace sees them."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import Checks, docker, in_net, inspect, nsdbg, nsdbg_json, pid_of

FIELDS = ["name", "type", "ttl", "data", "server", "rcode", "time_us"]


def address(name, network="shop"):
    return inspect(name)[0]["NetworkSettings"]["Networks"][network]["IPAddress"]


def answers(*argv, kind="A"):
    return sorted(r["data"] for r in nsdbg_json("dns", *argv)["data"] if r["type"] == kind and r["data"])


def dig(container, *argv):
    return sorted(in_net(pid_of(container), "dig", "+short", "+time=2", *argv).split())


def docker_names(t):
    for name, network in (("web", "shop"), ("db", "shop"), ("two", "shop"), ("web.lab", "shop"), ("client", "shop")):
        owner = name.split(".")[0]
        found = answers("client", name)
        t.same(f"dns client {name}: Docker's address", found, [address(owner, network)])
        t.same(f"dns client {name}: as dig sees it", found, dig("client", "@127.0.0.11", name))
    t.ok("dns two: names of both its networks", answers("two", "web") == [address("web")], answers("two", "web"))
    document = nsdbg_json("dns", "client", "web")
    row = next(r for r in document["data"] if r["data"])
    t.ok("dns: every field of the contract is there", set(FIELDS) <= set(row), set(FIELDS) - set(row))
    t.same("dns: the server and the verdict", (row["server"], row["rcode"]), ("127.0.0.11", "NOERROR"))
    t.ok("dns: the time it took", isinstance(row["time_us"], int) and 0 < row["time_us"] < 2000000, row["time_us"])
    t.same("dns: whose address it is", row.get("target"), "web")


def reverse(t):
    ip = address("web")
    found = answers("client", "-x", ip, kind="PTR")
    t.same("dns -x: the name", found, dig("client", "@127.0.0.11", "-x", ip))


def no_such_name(t):
    result = nsdbg("dns", "client", "no-such-name.invalid", "--json", timeout=40)
    t.ok("dns: no such name is an answer, or no reply", result.returncode in (0, 6), f"exit {result.returncode} {result.stderr.decode()}")


def host_files(t):
    """The default bridge has no DNS of Docker's; its own name stands in /etc/hosts."""
    ip = inspect("busy")[0]["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
    document = nsdbg_json("dns", "busy", "busy-host")
    row = next((r for r in document["data"] if r["data"]), {})
    t.same("dns busy: its own name from /etc/hosts", (row.get("data"), row.get("server")), (ip, "/etc/hosts"))


def dead_server(t):
    result = nsdbg("dns", "lonely", "anything.example", "@127.0.0.1", "--timeout", "1s", "--json", timeout=20)
    t.ok("dns: a server that is not there", result.returncode in (0, 6) and (b"refused" in result.stdout or b"timeout" in result.stdout),
         f"exit {result.returncode} {result.stdout.decode()[:200]} {result.stderr.decode()}")
    t.same("dns: no reply is exit 6", result.returncode, 6)


def short_form(t):
    found = nsdbg("dns", "client", "db", "+short").stdout.decode().split()
    t.same("dns +short: data only", found, [address("db")])
    t.same("dns with @SERVER and +tcp", nsdbg("dns", "client", "db", "A", "@127.0.0.11", "+tcp", "+short").stdout.decode().split(), [address("db")])


def paused_container(t):
    """A paused container's files and resolver still work from outside it; nothing may hang."""
    result = nsdbg("dns", "paused", "paused", "--timeout", "2s", timeout=20)
    t.ok("dns paused: ends in time", result.returncode in (0, 6), f"exit {result.returncode} {result.stderr.decode()}")


def compared(t):
    """All resolvers at once: Docker alone knows its names, and an address that nobody has any more is found."""
    rows = nsdbg_json("dns", "client", "db", "--compare", codes=(0, 7))["data"]
    ip = address("db")
    t.same("dns --compare: the target first", (rows[0]["who"], rows[0]["answers"], rows[0]["targets"]), ("the target itself", [ip], ["db"]))
    t.ok("dns --compare: Docker's resolver says the same", any(r["server"] == "127.0.0.11" and r["who"] == "Docker's embedded DNS" and
                                                             r["answers"] == [ip] and r["finding"] is None for r in rows[1:]), rows)
    t.ok("dns --compare: nobody else knows it", all(r["answers"] in ([], None) for r in rows[1:] if r["server"] != "127.0.0.11"), rows)
    gone = re.sub(r"[.]\d+$", ".251", ip)
    docker("run", "-d", "--name", "stale", "--network", "shop", "--add-host", f"gone:{gone}", "bb:1", "sleep", "1000")
    try:
        own = nsdbg_json("dns", "stale", "gone", "--compare", codes=(0, 7))["data"][0]
        t.same("dns --compare: a stale address", (own["server"], own["finding"]),
               ("/etc/hosts", f"stale: {gone} lies in network shop, but no container has it"))
    finally:
        docker("rm", "-f", "stale")


Checks().run(compared, docker_names, reverse, no_such_name, host_files, dead_server, short_form, paused_container)
