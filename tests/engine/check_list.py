#!/usr/bin/env python3
"""ls, networks and show agree with docker inspect, field by field."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import Checks, docker, inspect, nsdbg, nsdbg_json, one_line

LS = ["name", "id", "runtime", "state", "health", "pid", "image", "networks", "addresses", "ports"]
NETWORKS = ["name", "id", "runtime", "driver", "subnets", "gateway", "interface", "members"]


def everything():
    return inspect(*docker("ps", "-aq").split())


def expected_ports(c):
    found = set()
    for key, bindings in (c["NetworkSettings"]["Ports"] or {}).items():
        port, protocol = key.split("/")
        for b in bindings or [{"HostIp": None, "HostPort": 0}]:
            found.add((b["HostIp"], int(b["HostPort"]) or None, int(port), protocol))
    return found


def expected(c):
    networks = c["NetworkSettings"]["Networks"]
    addresses = {n[k] for n in networks.values() for k in ("IPAddress", "GlobalIPv6Address")} - {""}
    health = c["State"].get("Health", {}).get("Status")
    return {
        "name": c["Name"].lstrip("/"),
        "id": c["Id"],
        "runtime": "docker",
        "state": c["State"]["Status"],
        "health": health if health != "none" else None,
        "pid": c["State"]["Pid"] or None,
        "image": c["Config"]["Image"],
        "networks": sorted(networks),
        "addresses": sorted(addresses),
    }


def ls_agrees(t):
    document = nsdbg_json("ls", "-a")
    t.ok("ls: schema", re.fullmatch(r"nsdbg\.ls/1", document["schema"]), document["schema"])
    ours = {row["id"]: row for row in document["data"]}
    t.ok("ls: every field of the contract is there", all(set(LS) <= set(row) for row in document["data"]),
         [set(LS) - set(row) for row in document["data"]][:3])
    truth = everything()
    t.sets("ls -a: the same containers", [r["id"] for r in ours.values() if r["runtime"] == "docker" and r["engine"]], [c["Id"] for c in truth])
    for c in truth:
        row, want = ours.get(c["Id"], {}), expected(c)
        found = {k: sorted(row.get(k) or []) if isinstance(want[k], list) else row.get(k) for k in want}
        t.ok(f"ls: {want['name']} agrees with docker inspect", found == want,
             {k: (found[k], want[k]) for k in want if found[k] != want[k]})
        ports = {(p["host_address"], p["host_port"], p["port"], p["protocol"]) for p in row.get("ports") or []}
        t.ok(f"ls: {want['name']} ports", ports == expected_ports(c), f"{ports} instead of {expected_ports(c)}")


def ls_without_stopped(t):
    running = {c["Id"] for c in everything() if c["State"]["Status"] in ("running", "paused", "restarting")}
    ours = {r["id"] for r in nsdbg_json("ls")["data"] if r["runtime"] == "docker" and r["engine"]}
    t.sets("ls without -a: what runs", ours, running)


def ls_text(t):
    lines = nsdbg("ls").stdout.decode().splitlines()
    t.ok("ls as text: a heading in capitals", lines and lines[0].split()[0].isupper(), lines[:1])
    for name in ("web", "two", "hosty"):
        t.ok(f"ls as text: {name} has a line", any(name in line.split() for line in lines), lines[:8])
    bare = nsdbg().stdout.decode()
    t.ok("without a terminal nsdbg prints the list", "web" in bare.split(), bare)
    quiet = nsdbg("ls", "-q").stdout.decode().split()
    t.ok("ls -q: ids only", set(i[:12] for i in docker("ps", "-q").split()) <= {q[:12] for q in quiet}, quiet)


def networks_agree(t):
    ours = {row["id"]: row for row in nsdbg_json("networks")["data"] if row["runtime"] == "docker"}
    truth = inspect(*docker("network", "ls", "-q").split(), kind="network")
    t.sets("networks: the same ones", ours, [n["Id"] for n in truth])
    for n in truth:
        row = ours.get(n["Id"], {})
        config = n["IPAM"]["Config"] or []
        bridge = n["Options"].get("com.docker.network.bridge.name") or ("br-" + n["Id"][:12] if n["Driver"] == "bridge" else None)
        want = {
            "name": n["Name"],
            "driver": n["Driver"],
            "subnets": [c["Subnet"] for c in config],
            "interface": bridge,
            "members": sorted(c["Name"] for c in n["Containers"].values()),
        }
        found = {k: sorted(row.get(k) or []) if k == "members" else row.get(k) for k in want}
        found["subnets"] = row.get("subnets") or []
        t.ok(f"networks: {n['Name']} agrees with docker network inspect", found == want,
             {k: (found[k], want[k]) for k in want if found[k] != want[k]})
        if config and "Gateway" in config[0]:
            t.same(f"networks: {n['Name']} gateway", row.get("gateway"), config[0]["Gateway"])
        t.ok(f"networks: {n['Name']} has every field", set(NETWORKS) <= set(row), set(NETWORKS) - set(row))


def show_agrees(t):
    for name in ("web", "stopped", "side"):
        data = nsdbg_json("show", name)["data"]
        row = data[0] if isinstance(data, list) else data
        t.same(f"show {name}: the id", row["id"], inspect(name)[0]["Id"])
    side = nsdbg_json("show", "side")["data"]
    side = side[0] if isinstance(side, list) else side
    t.same("show side: names the container whose network it uses", side.get("shares_with"), "web")
    text = nsdbg("show", "two").stdout.decode()
    t.ok("show as text: both addresses", all(a in text for a in expected(inspect("two")[0])["addresses"]), text)


def targets_by_any_name(t):
    c = inspect("web")[0]
    netns = os.stat(f"/proc/{c['State']['Pid']}/ns/net").st_ino
    for word in ("web", c["Id"], c["Id"][:12], c["Id"][:4], "docker:web", f"pid:{c['State']['Pid']}", f"ns:{netns}"):
        result = nsdbg("ss", word, "-l", "--json")
        t.ok(f"target {one_line(word)[:16]} is web", result.returncode == 0 and b'"local_port": 80' in result.stdout.replace(b'":80', b'": 80'),
             f"exit {result.returncode} {result.stderr.decode()}")


Checks().run(ls_agrees, ls_without_stopped, ls_text, networks_agree, show_agrees, targets_by_any_name)
