#!/usr/bin/env python3
"""ports against real connections where no Docker is: CNI's portmap, kube-proxy's rules by iptables and nft, rootless podman's two ways out.

A host with a cable to a LAN and a container, all three namespaces of our own, and a user made for rootless podman.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import ROOT, Checks, end, nsdbg_json, run, text_of, wait_for

os.environ["NSDBG_RUNTIME"] = "podman,netns,host"
HERE = os.path.join(ROOT, "tests/engine")
BASE = tempfile.mkdtemp(prefix="nsdbg-fwd-")
os.chmod(BASE, 0o755)  # the user goes through it
TAG = str(os.getpid())
HOST, POD, LAN = (f"nf{TAG}{word}" for word in "hpl")
USER = f"nf{TAG}"
# 81 on loopback only, 83 by IPv6 only, 85 on the first own address only, 86 nowhere; what it does not have it leaves out.
SERVE = """
import select, socket, sys
kept = []
def add(family, address, port, only=0):
    s = socket.socket(family, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
    s.bind((address, port))
    s.listen()
    kept.append(s)
for port in (80, 82, 84):
    add(socket.AF_INET6, '::', port)
add(socket.AF_INET, '127.0.0.1', 81)
add(socket.AF_INET6, '::', 83, 1)
add(socket.AF_INET, sys.argv[1], 85)
print('ready', flush=True)
while True:
    for s in select.select(kept, [], [])[0]:
        c = s.accept()[0]
        c.sendall(b'served')
        c.close()
"""
CONNECT = """
import socket, sys
for line in sys.stdin.read().splitlines():
    address, port = line.split()
    try:
        with socket.create_connection((address, int(port)), 1.0) as s:
            s.settimeout(1.0)
            if s.recv(6) == b'served':
                print(line)
    except OSError:
        pass
"""
PUBLISH = [(8080, 80, None), (8081, 81, None), (8082, 82, "127.0.0.1"), (8083, 83, None), (8084, 84, "192.168.77.1"), (8085, 85, None), (8086, 86, None)]
KUBE = """*nat
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-SVC-A - [0:0]
:KUBE-EXT-A - [0:0]
:KUBE-SEP-A - [0:0]
:KUBE-SEP-B - [0:0]
-A PREROUTING -j KUBE-SERVICES
-A OUTPUT -j KUBE-SERVICES
-A POSTROUTING -j KUBE-POSTROUTING
-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MASQUERADE
-A KUBE-SERVICES -d 10.96.0.7/32 -p tcp -m comment --comment "shop/web cluster IP" -m tcp --dport 80 -j KUBE-SVC-A
-A KUBE-SERVICES -d 203.0.113.80/32 -p tcp -m comment --comment "shop/web loadbalancer IP" -m tcp --dport 80 -j KUBE-EXT-A
-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
-A KUBE-NODEPORTS -p tcp -m tcp --dport 30080 -j KUBE-EXT-A
-A KUBE-EXT-A -j KUBE-MARK-MASQ
-A KUBE-EXT-A -j KUBE-SVC-A
-A KUBE-SVC-A -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-A
-A KUBE-SVC-A -j KUBE-SEP-B
-A KUBE-SEP-A -p tcp -m tcp -j DNAT --to-destination 10.244.9.2:80
-A KUBE-SEP-B -p tcp -m tcp -j DNAT --to-destination 10.244.9.2:84
COMMIT
"""
KUBE_NFT = """table ip kube-proxy {
  set nodeport-ips { type ipv4_addr; elements = { 192.168.77.1 } ; }
  map service-ips { type ipv4_addr . inet_proto . inet_service : verdict;
    elements = { 10.97.0.7 . tcp . 80 : goto service-A, 203.0.113.81 . tcp . 80 : goto external-A } ; }
  map service-nodeports { type inet_proto . inet_service : verdict; elements = { tcp . 30081 : goto external-A } ; }
  chain mark-for-masquerade { mark set mark or 0x4000; }
  chain endpoint-A1 { meta l4proto tcp dnat to 10.244.9.2:80; }
  chain endpoint-A2 { meta l4proto tcp dnat to 10.244.9.2:84; }
  chain service-A { numgen random mod 2 vmap { 0 : goto endpoint-A1, 1 : goto endpoint-A2 }; }
  chain external-A { jump mark-for-masquerade; goto service-A; }
  chain services {
    ip daddr . meta l4proto . th dport vmap @service-ips
    ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports
  }
  chain nat-output { type nat hook output priority -100; jump services; }
  chain nat-prerouting { type nat hook prerouting priority -100; jump services; }
}
"""


def cni_folder():
    return next((d for d in ("/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni") if os.path.exists(f"{d}/portmap")), None)


def inside(name, *argv, **more):
    return text_of("ip", "netns", "exec", name, *argv, **more)


def served(prefix, wanted):
    """Those of (address, port) that the service answers when asked from there."""
    said = text_of(*prefix, sys.executable, "-c", CONNECT, stdin=None, input="\n".join(f"{a} {p}" for a, p in wanted).encode())
    return {(a, int(p)) for a, p in (line.split() for line in said.splitlines())}


def serve(prefix, address):
    process = subprocess.Popen([*prefix, sys.executable, "-c", SERVE, address], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    process.stdout.readline()
    return process


def wrong(rows, origins):
    """What reached_from says and connections do not; origins: {name: (own address or None for loopback, prefix)}"""
    ask = {name: {} for name in origins}
    for i, row in enumerate(rows):
        for name, (own, _) in origins.items():
            host = row["host_address"]
            if host in ("0.0.0.0", "::"):
                ask[name][i] = (own or "127.0.0.1", row["host_port"])
            elif host.startswith("127.") == (own is None):
                ask[name][i] = (host, row["host_port"])
    real = {name: served(origins[name][1], set(wanted.values())) for name, wanted in ask.items()}
    for i, row in enumerate(rows):
        found = [name for name in origins if i in ask[name] and ask[name][i] in real[name]]
        if [name for name in row["reached_from"] or () if name in origins] != found:
            yield row["host_address"], row["host_port"], "said", row["reached_from"], "really", found, row["problem"]


def rows_of(*target):
    return nsdbg_json("ports", *target, "--timeout", "30s", codes=(0, 5, 7))["data"]


def published(*target):
    return [r for r in rows_of(*target) if r["kind"] == "published" and r["protocol"] == "tcp"]


# --- CNI and kube-proxy ---

class Node:
    """A node of a cluster: the namespace that is its host, the pod's, and a neighbour on the LAN."""

    def __init__(self, plugins):
        for name in (HOST, POD, LAN):
            text_of("ip", "netns", "add", name)
            text_of("ip", "-n", name, "link", "set", "lo", "up")
        for words in (f"-n {HOST} link add up0 type veth peer name up1 netns {LAN}", f"-n {HOST} addr add 192.168.77.1/24 dev up0", f"-n {HOST} link set up0 up",
                      f"-n {LAN} addr add 192.168.77.2/24 dev up1", f"-n {LAN} link set up1 up", f"-n {HOST} route add default via 192.168.77.2",
                      f"-n {LAN} route add default via 192.168.77.1"):
            text_of("ip", *words.split())
        self.kept = [subprocess.Popen(["ip", "netns", "exec", HOST, "sleep", "600"])]  # a namespace is found by its processes
        self.plug(plugins)
        self.kept.append(serve(("ip", "netns", "exec", POD), "10.244.9.2"))
        self.origins = {"loopback": (None, ("ip", "netns", "exec", HOST)), "host": ("192.168.77.1", ("ip", "netns", "exec", HOST)),
                        "outside": ("192.168.77.1", ("ip", "netns", "exec", LAN))}

    def plug(self, plugins):
        """As nerdctl and CRI do it: bridge, then portmap with its result."""
        env = {**os.environ, "CNI_COMMAND": "ADD", "CNI_CONTAINERID": f"pod{TAG}", "CNI_NETNS": f"/run/netns/{POD}", "CNI_IFNAME": "eth0", "CNI_PATH": plugins}
        common = {"cniVersion": "0.4.0", "name": "shop"}
        bridge = {**common, "type": "bridge", "bridge": "cni0", "isGateway": True, "ipMasq": True, "hairpinMode": True, "ipam": {
            "type": "host-local", "dataDir": BASE, "subnet": "10.244.9.0/24", "routes": [{"dst": "0.0.0.0/0"}]}}
        result = inside(HOST, f"{plugins}/bridge", env=env, stdin=None, input=json.dumps(bridge).encode())
        ports = [{"hostPort": outer, "containerPort": inner, "protocol": "tcp", **({"hostIP": ip} if ip else {})} for outer, inner, ip in PUBLISH]
        portmap = {**common, "type": "portmap", "capabilities": {"portMappings": True}, "snat": True, "prevResult": json.loads(result),
                   "runtimeConfig": {"portMappings": ports}}
        inside(HOST, f"{plugins}/portmap", env=env, stdin=None, input=json.dumps(portmap).encode())

    def close(self):
        for process in self.kept:
            end(process)
        for name in (HOST, POD, LAN):
            run("ip", "netns", "del", name)


def cluster(t):
    plugins = cni_folder()
    if not t.ok("CNI's plugins are there", plugins, "no portmap in /usr/lib/cni, /opt/cni/bin"):
        return
    node = Node(plugins)
    try:
        rows = published(POD)
        t.same("portmap: each port once", sorted((r["host_port"], r["port"], r["host_address"]) for r in rows), [(o, i, ip or "0.0.0.0") for o, i, ip in PUBLISH])
        bad = list(wrong(rows, node.origins))
        t.ok("portmap: connections end as each row says", not bad and len(rows) == len(PUBLISH), bad)
        own = [r for r in rows_of(POD) if r["kind"] == "listens"]
        t.ok("portmap: what is not published is for this machine", {r["exposure"] for r in own} <= {"host", "loopback"}, own)
        inside(HOST, "iptables-restore", "--noflush", stdin=None, input=KUBE.encode())
        inside(HOST, "nft", "-f", "-", stdin=None, input=KUBE_NFT.encode())
        rows = [r for r in published(POD) if r["host_port"] in (80, 30080, 30081)]
        t.same("kube-proxy: cluster, load balancer and node ports of both kinds, each end point", sorted({(r["host_address"], r["host_port"], r["port"], r["exposure"]) for r in rows}),
               sorted((a, p, to, e) for a, p, e in (("10.96.0.7", 80, "lan"), ("203.0.113.80", 80, "world"), ("0.0.0.0", 30080, "lan"), ("10.97.0.7", 80, "lan"),
                                                    ("203.0.113.81", 80, "world"), ("192.168.77.1", 30081, "lan")) for to in (80, 84)))
        bad = list(wrong(rows, node.origins))
        t.ok("kube-proxy: connections end as each row says", not bad, bad)
        t.same("kube-proxy: nothing is wrong", {r["problem"] for r in rows}, {None})
        everything = [r for r in rows_of() if r["kind"] == "leftover" and r["outside_netns"] == os.stat(f"/run/netns/{HOST}").st_ino]
        t.same("ports of all: nothing is left over", everything, [])
    finally:
        node.close()


# --- rootless podman ---

class Podman:
    def __init__(self):
        self.env = {**{k: v for k, v in os.environ.items() if k != "DOCKER_HOST"}, "PODMAN_USER": USER}
        self.script("start")

    def script(self, command, *argv):
        return text_of(f"{HERE}/podman.sh", command, f"{BASE}/rl", *argv, env=self.env, timeout=90)

    def run(self, name, handler, first):
        ports = [word for outer, inner, ip in PUBLISH[:4] + PUBLISH[5:] for word in ("-p", f"{ip}:{first + outer}:{inner}" if ip else f"{first + outer}:{inner}")]
        self.script("run", "run", "-d", "--name", name, "--network", f"slirp4netns:port_handler={handler}", *ports, "bb:1", "/bin/sleep", "1000")
        return serve(("nsenter", "-n", "-t", self.script("run", "inspect", "-f", "{{.State.Pid}}", name).strip()), "10.0.2.100")

    def close(self):
        run(f"{HERE}/podman.sh", "stop", f"{BASE}/rl", env=self.env, timeout=90)


def rootless(t):
    own = text_of("sh", "-c", "ip -o -4 addr show scope global | awk '{ sub(\"/.*\", \"\", $4); print $4; exit }'").strip()
    origins = {"loopback": (None, ()), **({"host": (own, ())} if own else {})}
    engine, servers = Podman(), []
    os.environ["CONTAINER_HOST"] = f"unix:///run/user/{text_of('id', '-u', USER).strip()}/podman/podman.sock"
    try:
        for first, handler, program in ((10000, "slirp4netns", "slirp4netns"), (11000, "rootlesskit", "rootlessport")):
            servers.append(engine.run(handler, handler, first))
            rows = published(handler)
            t.same(f"rootless podman, {handler}: who forwards each port", {(r["host_port"], r["port"], r["forwarder"]) for r in rows},
                   {(first + o, i, program) for o, i, ip in PUBLISH if ip != "192.168.77.1"})
            bad = list(wrong(rows, origins))
            t.ok(f"rootless podman, {handler}: connections end as each row says", not bad, bad)
    finally:
        for server in servers:
            end(server)
        engine.close()


if __name__ == "__main__":
    checks = Checks()
    try:
        checks.run(cluster, rootless)
    finally:
        shutil.rmtree(BASE, ignore_errors=True)
