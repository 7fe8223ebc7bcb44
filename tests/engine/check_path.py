#!/usr/bin/env python3
"""nsdbg ip T path DEST: the way through several namespaces is the one that each kernel chooses (ip route get) and that packets take
(traceroute); what breaks it is named. a and b are on one bridge of r1, d on another, c behind r2, which has two ways to r1."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import Checks, end, in_net, inspect, netns_of, nsdbg, nsdbg_json, pid_of, run, wait_for

A, B, C, D = "10.81.0.2", "10.81.0.3", "10.83.0.2", "10.82.0.2"


class World:
    def __init__(self):
        self.processes, self.pids = [], {}
        for name in ("a", "b", "c", "d", "r1", "r2"):
            p = subprocess.Popen(["unshare", "-n", "sleep", "600"], stdin=subprocess.DEVNULL)
            self.processes.append(p)
            self.pids[name] = p.pid
        for name, pid in self.pids.items():
            wait_for(lambda pid=pid: netns_of(pid) != netns_of("self"))
            self.ip(name, "link set lo up")
        for name, value in (("r1", 1), ("r2", 1)):
            in_net(self.pids[name], "sysctl", "-qw", f"net.ipv4.ip_forward={value}", f"net.ipv6.conf.all.forwarding={value}",
                   "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0")
        self.build()

    def ip(self, name, *lines):
        for line in lines:
            in_net(self.pids[name], "ip", *line.format(**self.pids).split())

    def build(self):
        for bridge, net in (("br0", 81), ("br1", 82)):
            self.ip("r1", f"link add {bridge} type bridge", f"link set {bridge} up", f"addr add 10.{net}.0.1/24 dev {bridge}",
                    f"-6 addr add fd{net}::1/64 dev {bridge} nodad")
        for name, bridge, net, host in (("a", "br0", 81, 2), ("b", "br0", 81, 3), ("d", "br1", 82, 2)):
            self.ip("r1", f"link add v{name} type veth peer name eth0 netns {{{name}}}", f"link set v{name} master {bridge} up")
            self.ip(name, f"addr add 10.{net}.0.{host}/24 dev eth0", f"-6 addr add fd{net}::{host}/64 dev eth0 nodad", "link set eth0 up",
                    f"route add default via 10.{net}.0.1", f"-6 route add default via fd{net}::1")
        for n in (0, 1):  # two cables from r1 to r2
            self.ip("r1", f"link add up{n} type veth peer name down{n} netns {{r2}}", f"addr add 10.9{n}.0.1/24 dev up{n}", f"link set up{n} up")
            self.ip("r2", f"addr add 10.9{n}.0.2/24 dev down{n}", f"link set down{n} up")
        self.ip("r1", "-6 addr add fd90::1/64 dev up0 nodad", "route add default via 10.90.0.2", "-6 route add default via fd90::2",
                "route add default via 10.91.0.2 metric 200")
        self.ip("r2", "-6 addr add fd90::2/64 dev down0 nodad", "-6 route add default via fd90::1", "link add to-c type veth peer name eth0 netns {c}",
                "addr add 10.83.0.1/24 dev to-c", "-6 addr add fd83::1/64 dev to-c nodad", "link set to-c up", "route add 10.81.0.0/24 via 10.90.0.1",
                "route add 10.82.0.0/24 via 10.90.0.1")
        self.ip("c", f"addr add {C}/24 dev eth0", "-6 addr add fd83::2/64 dev eth0 nodad", "link set eth0 up", "route add default via 10.83.0.1",
                "-6 route add default via fd83::1")

    def path(self, name, to, codes=(0, 1)):
        return nsdbg_json("ip", f"pid:{self.pids[name]}", "path", to, codes=codes)["data"]

    def close(self):
        for p in self.processes:
            end(p)


def names(hops):
    return [h["name"] for h in hops]


def choices(world, hops, to):
    """[(namespace, chosen device, next hop)] of the path against ip route get in each namespace, as for this very packet."""
    by_netns = {netns_of(pid): pid for pid in world.pids.values()}
    ours, theirs, came = [], [], None
    for before, hop in zip([None] + hops, hops):
        if not hop["route"]:
            continue
        pid = by_netns[hop["netns"]]
        came = before["name"] if before else None
        words = ["ip", "-j", "route", "get", to] + (["from", hop["source"], "iif", came] if came else [])
        answer = json.loads(in_net(pid, *words))[0]
        ours.append((hop["netns"], hop["name"], hop["next_hop"]))
        theirs.append((hop["netns"], answer["dev"], answer.get("gateway", to)))
    return ours, theirs


def ways(t, world):
    for name, to, want in (("a", B, ["eth0", "va", "br0", "vb", "eth0"]), ("a", D, ["eth0", "va", "br0", "br1", "vd", "eth0"]),
                           ("a", C, ["eth0", "va", "br0", "up0", "down0", "to-c", "eth0"]), ("c", A, ["eth0", "to-c", "down0", "up0", "br0", "va", "eth0"]),
                           ("a", "fd83::2", ["eth0", "va", "br0", "up0", "down0", "to-c", "eth0"]), ("a", "10.82.0.1", ["eth0", "va", "br0", "br1"]),
                           ("a", "10.81.0.1", ["eth0", "va", "br0"]), ("a", A, ["eth0"])):
        hops = world.path(name, to, codes=(0,))
        t.same(f"path {name} {to}: the devices", names(hops), want)
        t.same(f"path {name} {to}: ends at the destination, nothing wrong", (hops[-1]["end"], [h["problem"] for h in hops if h["problem"]]), ("destination", []))
        ours, theirs = choices(world, hops, to)
        t.same(f"path {name} {to}: each choice as ip route get says", ours, theirs)
    hops = world.path("a", C)
    t.same("path: which routes were taken", [h["route"] for h in hops if h["route"]], ["default", "default", "10.83.0.0/24"])
    trace = in_net(world.pids["a"], "traceroute", "-n", "-q1", "-w1", "-N1", C)
    seen = [line.split()[1] for line in trace.splitlines()[1:]]
    t.same("path: real packets pass the same routers", seen, ["10.81.0.1", "10.90.0.2", C])
    hops = world.path("a", C)
    t.same("path: and after them the neighbours answer", {h["next_hop_state"] for h in hops if h["next_hop"]}, {"REACHABLE"})
    owners = [h["netns"] for h in hops]
    t.same("path: whose devices these are", owners, [netns_of(world.pids[n]) for n in ("a", "r1", "r1", "r1", "r2", "r2", "c")])
    r = nsdbg("ip", f"pid:{world.pids['a']}", "path", "192.0.2.77")
    t.ok("path: a router in between without a route: exit 1, and who has none", r.returncode == 1 and b"no route" in r.stderr and b"down0" in r.stderr, r)


def by_name(t, world):
    """The end of the way as any target word: in the bare world its addresses are asked for, a container's engine tells them."""
    for to, want in (("b", ["eth0", "va", "br0", "vb", "eth0"]), ("c", ["eth0", "va", "br0", "up0", "down0", "to-c", "eth0"])):
        hops = world.path("a", f"pid:{world.pids[to]}", codes=(0,))
        t.same(f"path to {to} by its process", (names(hops), hops[-1]["netns"], hops[-1]["end"]), (want, netns_of(world.pids[to]), "destination"))
    hops = world.path("a", f"pid:{world.pids['r1']}", codes=(0,))
    t.same("path to a router: its address on the network that both are on", (names(hops)[-1], hops[0]["next_hop"]), ("br0", "10.81.0.1"))
    two = inspect("two")[0]
    address = two["NetworkSettings"]["Networks"]["shop"]["IPAddress"]
    for word in ("two", "docker:two", two["Id"][:12], f"pid:{two['State']['Pid']}"):
        hops = nsdbg_json("ip", "client", "path", word)["data"]
        t.same(f"path client {word}: on the network that both are on", (hops[0]["next_hop"], hops[-1]["target"], hops[-1]["end"]), (address, "two", "destination"))
    own = pid_of("client")
    hops = nsdbg_json("ip", f"pid:{own}", "path", "side")["data"]
    t.same("path pid:N side: it has web's network, and the engine is asked", (hops[-1]["target"], hops[-1]["end"]), ("web", "destination"))
    for word, code, says in (("no-such", 3, '"no-such" is neither an address nor a target'), ("10.0.0.0/8", 3, "neither an address nor"),
                             ("stopped", 3, "stopped is not running"), ("pid:4194000", 3, "4194000"), ("lonely", 1, "lonely has no address")):
        r = nsdbg("ip", "client", "path", word)
        t.ok(f"path client {word}: one sentence, exit {code}", r.returncode == code and not r.stdout and says.encode() in r.stderr and
             r.stderr.count(b"\n") == 1, r)
    hops = nsdbg_json("ip", "client", "path", "name=eth0")["data"]
    t.same("path with a filter still is the way out", names(hops), ["eth0"])


def problem_of(t, world, name, to, device, word):
    hops = world.path(name, to)
    found = [h for h in hops if h["problem"] and word in h["problem"]]
    t.ok(f"path {name} {to}: {word}", found and found[0]["name"] == device, [(h["name"], h["problem"], h["end"]) for h in hops])
    return hops


def sends(world, name, to):
    return run("nsenter", "-n", "-t", world.pids[name], "ping", "-c1", "-W0.4", to).returncode == 0


def faults(t, world):
    """Each fault stops real packets as well."""
    def broken(device, word, to=C, stops=True, lost=None):
        hops = problem_of(t, world, "a", to, device, word)
        if stops:
            found = [h["name"] for h in hops if h["end"] == "lost"]
            t.ok(f"path: lost there, and a ping is ({word})", found == (lost or [device]) and not sends(world, "a", to), hops)

    r1, r2 = world.pids["r1"], world.pids["r2"]
    in_net(r1, "sysctl", "-qw", "net.ipv4.ip_forward=0")
    broken("br0", "net.ipv4.ip_forward=0")
    in_net(r1, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.conf.br0.forwarding=0")
    broken("br0", "net.ipv4.conf.br0.forwarding=0")
    in_net(r1, "sysctl", "-qw", "net.ipv4.conf.br0.forwarding=1", "net.ipv6.conf.all.forwarding=0")
    broken("br0", "net.ipv6.conf.all.forwarding=0", "fd83::2")
    in_net(r1, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
    for kind, word in (("blackhole", "blackhole"), ("unreachable", "cannot be reached"), ("prohibit", "prohibit")):
        world.ip("r1", f"route add {kind} 10.83.0.0/24")
        broken("br0", word)
        world.ip("r1", f"route del {kind} 10.83.0.0/24")
    # Sent by the second cable, while the way back is the first one.
    world.ip("r1", "rule add from 10.81.0.0/24 table 7 priority 100", "route add default via 10.91.0.2 table 7")
    hops = world.path("a", C)
    t.same("path: a policy rule of the router is followed", (names(hops)[3:5], hops[3]["route"]), (["up1", "down1"], "default table 7"))
    in_net(r2, "sysctl", "-qw", "net.ipv4.conf.down1.rp_filter=1")
    broken("down1", "net.ipv4.conf.down1.rp_filter=1")
    in_net(r2, "sysctl", "-qw", "net.ipv4.conf.down1.rp_filter=2")
    t.ok("path: loose is fine, and a ping comes through", world.path("a", C)[-1]["end"] == "destination" and sends(world, "a", C))
    world.ip("r1", "rule del priority 100")
    world.ip("r1", "link set up0 mtu 1400")
    broken("up0", "MTU 1400 after 1500 of br0: needs path MTU discovery", stops=False)
    world.ip("r1", "link set up0 mtu 1500")
    world.ip("r2", "link set down0 down")
    broken("down0", "is switched off", lost=["up0", "down0"])
    world.ip("r2", "link set down0 up")
    sends(world, "a", "10.81.0.77")
    wait_for(lambda: world.path("a", "10.81.0.77")[0]["next_hop_state"] == "FAILED", 4)
    hops = problem_of(t, world, "a", "10.81.0.77", "eth0", "does not answer ARP")
    t.ok("path: and the bridge knows nobody", hops[-1]["name"] == "br0" and hops[-1]["end"] == "unknown" and "10.81.0.77" in hops[-1]["problem"], hops[-1])


def more(t, world):
    world.ip("a", "link add gw type veth peer name gwr netns {b}", "addr add 10.84.0.1/24 dev gw", "link set gw up", "route add default via 10.84.0.2 metric 300")
    t.same("path: two default routes, the lower metric is taken", world.path("a", C)[0]["name"], "eth0")
    if run("nsenter", "-n", "-t", world.pids["a"], "ip", "link", "add", "tun0", "type", "ipip", "remote", C, "local", A).returncode:
        t.skip("path: through a tunnel", "this kernel has no ipip")
        return
    world.ip("a", "addr add 10.99.0.1/30 dev tun0", "link set tun0 up")
    hops = world.path("a", "10.99.0.2")
    t.same("path: a tunnel's packets take the way to its far end", (names(hops)[:3], hops[1]["step"], hops[-1]["end"]), (["tun0", "eth0", "va"], "tunnel", "destination"))


def check(t):
    world = World()
    try:
        ways(t, world)
        by_name(t, world)
        faults(t, world)
        more(t, world)
    finally:
        world.close()


if __name__ == "__main__":
    Checks().run(check)
