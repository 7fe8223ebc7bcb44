"""A path of network namespaces for probes: client, three routers, server, each a process of its own; the link between the second and
third router takes 1400 bytes. Nothing of it is visible on the host, and it goes when its processes end.

  client 10.1.0.2 - 10.1.0.1 r1 10.2.0.1 - 10.2.0.2 r2 10.3.0.1 - 10.3.0.2 r3 10.4.0.1 - 10.4.0.2 server      (fd01:: ... alike)
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import end, run, text_of, wait_for

NAMES = ("client", "r1", "r2", "r3", "server")
SMALL = 1400


class Paths:
    def __init__(self):
        self.procs = {}
        try:
            self.build()
        except BaseException:
            self.close()
            raise

    def build(self):
        for name in NAMES:
            process = subprocess.Popen(["unshare", "-n", "sh", "-c", "ip link set lo up && echo up && exec sleep 600"],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            process.stdout.readline()
            self.procs[name] = process
        for i in range(4):
            self.link(i + 1, NAMES[i], NAMES[i + 1])
        for i, name in enumerate(NAMES[:4]):  # onwards
            self.route(name, range(i + 2, 5), f"10.{i + 1}.0.{'1' if i == 0 else '2'}", f"fd0{i + 1}::{'1' if i == 0 else '2'}")
        for i, name in enumerate(NAMES):  # and back
            if i > 1:
                self.route(name, range(1, i), f"10.{i}.0.1", f"fd0{i}::1")
        for name in NAMES:
            self.sh(name, "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 "
                          "net.ipv4.ping_group_range='1 0'")
        for server in ("10.4.0.2", "fd04::2"):  # neighbours and forwarding are up when an echo comes back
            if not wait_for(lambda s=server: self.try_sh("client", f"ping -c1 -W1 {s}").returncode == 0, 10):
                raise RuntimeError(f"no way to {server} in the lab")
        self.sh("r2", f"ip link set east mtu {SMALL}")
        self.sh("r3", f"ip link set west mtu {SMALL}")

    def pid(self, name):
        return self.procs[name].pid

    def sh(self, name, script, **more):
        return text_of("nsenter", "-n", "-t", self.pid(name), "sh", "-ec", script, **more)

    def try_sh(self, name, script):
        return run("nsenter", "-n", "-t", self.pid(name), "sh", "-c", script)

    def popen(self, name, *argv, **more):
        return subprocess.Popen(["nsenter", "-n", "-t", str(self.pid(name)), *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, **more)

    def link(self, n, west, east):
        """`east` of one is `west` of the other; client and server are .2 of their networks, routers that face each other .1 and .2."""
        a, b = ("2", "1") if west == "client" else ("1", "2")
        text_of("ip", "link", "add", "name", "east", "netns", self.pid(west), "type", "veth", "peer", "name", "west", "netns", self.pid(east))
        for name, interface, host in ((west, "east", a), (east, "west", b)):
            self.sh(name, f"ip addr add 10.{n}.0.{host}/24 dev {interface}; ip addr add fd0{n}::{host}/64 dev {interface} nodad; "
                          f"ip link set {interface} up")

    def route(self, name, networks, via4, via6):
        for n in networks:
            self.sh(name, f"ip route add 10.{n}.0.0/24 via {via4}; ip route add fd0{n}::/64 via {via6}")

    def close(self):
        for process in self.procs.values():
            end(process)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
