#!/usr/bin/env python3
"""ports agrees with docker port, iptables-save, nft and ss, and each row's verdict with real connections from loopback, host and LAN."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import DOCKER, ROOT, Checks, Terminal, docker, end, in_net, netns_of, nsdbg, nsdbg_json, pid_of, run, text_of, wait_for

LAN4, LAN6 = "192.168.77.1", "fd99:77::1"
PUBLISH = ["18080:80", "18081-18083:81-83", "127.0.0.1:18084:84", f"{LAN4}:18085:85", "[::1]:18086:86", "18087:87/udp", "18088:88",
           "18089:89", "18090:90"]
# What answers in the container: any address; 89 on loopback only, 90 by IPv6 only, 95 published nowhere, 88 nowhere at all.
SERVE = """
import select, socket, sys
kept, V6 = {}, socket.IPPROTO_IPV6
def add(kind, family, address, port, only=0):
    s = socket.socket(family, kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        s.setsockopt(V6, socket.IPV6_V6ONLY, only)
    s.bind((address, port))
    if kind == socket.SOCK_STREAM:
        s.listen()
    kept[s] = kind
for port in (80, 81, 82, 83, 84, 85, 86, 95):
    add(socket.SOCK_STREAM, socket.AF_INET6, '::', port)
add(socket.SOCK_STREAM, socket.AF_INET, '127.0.0.1', 89)
add(socket.SOCK_STREAM, socket.AF_INET6, '::', 90, 1)
add(socket.SOCK_DGRAM, socket.AF_INET, '0.0.0.0', 87)
print('ready', flush=True)
while True:
    for s in select.select(list(kept), [], [])[0]:
        if kept[s] == socket.SOCK_STREAM:
            c = s.accept()[0]
            c.sendall(b'served')
            c.close()
        else:
            s.sendto(b'served', s.recvfrom(100)[1])
"""
TAKE = "import socket, time; s = socket.create_server(('127.0.0.1', 18081)); print('ready', flush=True); time.sleep(600)"
# Lines "PROTO ADDRESS PORT" from stdin; those that a service answers are printed.
CONNECT = """
import concurrent.futures, socket, sys
def served(line):
    protocol, address, port = line.split()
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM if protocol == 'tcp' else socket.SOCK_DGRAM) as s:
        s.settimeout(1.0)
        try:
            s.connect((address, int(port)))
            if protocol == 'udp':
                s.send(b'?')
            return s.recv(6) == b'served'
        except OSError:
            return False
lines = sys.stdin.read().splitlines()
with concurrent.futures.ThreadPoolExecutor(64) as pool:
    for line, good in zip(lines, pool.map(served, lines)):
        if good:
            print(line)
"""


class Net:
    """A daemon's network namespace with a neighbour on a cable, who stands for the LAN."""

    def __init__(self, path):
        self.path = path
        self.holder = subprocess.Popen(["unshare", "-n", "sleep", "1000000"])
        wait_for(lambda: netns_of(self.holder.pid) != netns_of(os.getpid()))
        self.lan = f"/proc/{self.holder.pid}/ns/net"
        self.run("ip", "link", "add", "lan0", "type", "veth", "peer", "name", "lan1", "netns", self.holder.pid)
        for where, device, host in ((self.path, "lan0", "1"), (self.lan, "lan1", "2")):
            for words in (f"addr add 192.168.77.{host}/24 dev {device}", f"-6 addr add fd99:77::{host}/64 dev {device} nodad",
                          f"link set {device} up"):
                text_of("nsenter", f"--net={where}", "ip", *words.split())

    def run(self, *argv, **more):
        return text_of("nsenter", f"--net={self.path}", *argv, **more)

    def served(self, where, wanted):
        """Those of (protocol, address, port) that a service answers when asked from there."""
        if not wanted:
            return set()
        result = subprocess.run(["nsenter", f"--net={where}", sys.executable, "-c", CONNECT], capture_output=True, timeout=60, check=True,
                                input="\n".join(" ".join(map(str, w)) for w in wanted).encode())
        return {(p, a, int(n)) for p, a, n in (line.split() for line in result.stdout.decode().splitlines())}

    def close(self):
        run("nsenter", f"--net={self.path}", "ip", "link", "del", "lan0")
        end(self.holder)


def ways(row):
    """From where to which address: what the row's reached_from is about."""
    host, six = row["host_address"], ":" in row["host_address"]
    wildcard, loopback = host in ("0.0.0.0", "::"), host.startswith("127.") or host == "::1"
    own = (LAN6 if six else LAN4) if wildcard else host
    if wildcard or loopback:
        yield "loopback", ("::1" if six else "127.0.0.1") if wildcard else host
    if not loopback:
        yield "host", own
        yield "outside", own


def agrees(t, name, net, rows):
    """Each published row's reached_from against connections that are really made."""
    wanted = {"loopback": [], "host": [], "outside": []}
    for row in rows:
        for origin, address in ways(row):
            wanted[origin].append((row["protocol"], address, row["host_port"]))

    def differences():
        served = {origin: net.served(net.lan if origin == "outside" else net.path, list_) for origin, list_ in wanted.items()}
        for row in rows:
            real = [origin for origin, address in ways(row) if (row["protocol"], address, row["host_port"]) in served[origin]]
            if row["reached_from"] != real:
                yield row["host_address"], row["host_port"], row["protocol"], "said", row["reached_from"], "really", real, row["problem"]

    for _ in range(3):  # a container's IPv6 address is tentative for its first two seconds
        wrong = list(differences())
        if not wrong:
            break
        time.sleep(1)
    t.ok(f"{name}: {sum(map(len, wanted.values()))} connections end as each row says", not wrong and len(rows) > 2, (len(rows), wrong))


def serve(pid):
    process = subprocess.Popen(["nsenter", "-n", "-t", str(pid), sys.executable, "-c", SERVE], stdout=subprocess.PIPE)
    process.stdout.readline()
    return process


def rows_of(*target, **more):
    # 5, 7: another engine of this machine is dead. A machine that tests much at once may be slow.
    return nsdbg_json("ports", *target, "--timeout", "30s", codes=(0, 5, 7), **more)["data"]


def published(name, **more):
    return [r for r in rows_of(name, **more) if r["kind"] == "published"]


def find(rows, port, six=False):
    return next(r for r in rows if r["host_port"] == port and (":" in r["host_address"]) == six)


def told(name):
    """docker port prints 80/tcp -> 0.0.0.0:18080"""
    found = set()
    for line in docker("port", name).splitlines():
        inside, outside = line.split(" -> ")
        found.add((outside.rsplit(":", 1)[0].strip("[]"), int(outside.rsplit(":", 1)[1]), inside))
    return found


class World:
    def __init__(self):
        self.net = Net(os.environ["DOCKER_NETNS"])
        docker("run", "-d", "--name", "harbour", *[w for p in PUBLISH for w in ("-p", p)], "bb:1", "sleep", "1000000")
        docker("network", "create", "--ipv6", "--subnet", "fd99:78::/64", "harbour-six")
        docker("run", "-d", "--name", "harbour6", "--network", "harbour-six", "-p", "18100:80", "bb:1", "sleep", "1000000")
        self.servers = [serve(pid_of("harbour")), serve(pid_of("harbour6"))]
        self.saved = self.net.run("iptables-save", "-c", "-t", "nat")

    def restore(self):
        subprocess.run(["nsenter", f"--net={self.net.path}", "iptables-restore", "-c", "-T", "nat"], input=self.saved.encode(), check=True)

    def close(self):
        for server in self.servers:
            end(server)
        docker("rm", "-f", "harbour", "harbour6")
        docker("network", "rm", "harbour-six")
        self.net.close()


def truth(t, world):
    rows, net = published("harbour"), world.net
    t.sets("ports: what docker port says", {(r["host_address"], r["host_port"], f"{r['port']}/{r['protocol']}") for r in rows}, told("harbour"))
    agrees(t, "ports", net, rows + published("harbour6"))
    dnat = dict(re.findall(r"--dport (\d+) -j DNAT --to-destination (\S+)", net.run("iptables-save", "-t", "nat")))
    t.ok("ports: DNAT as iptables-save has it", all((f"{r['to_address']}:{r['to_port']}" == dnat.get(str(r["host_port"])) and r["rule"]) ==
                                                    (":" not in r["host_address"]) for r in rows), (dnat, rows))
    handles = dict(re.findall(r"dport (\d+).* # handle (\d+)", net.run("nft", "-a", "list", "chain", "ip", "nat", "DOCKER")))
    t.same("ports: the rule's handle as nft has it", {str(r["host_port"]): r["rule_place"] for r in rows if r["rule"]},
           {port: f"iptables-nft nat/DOCKER handle {handle}" for port, handle in handles.items() if port in {str(r["host_port"]) for r in rows}})
    proxies = {(m[0].strip("[]"), int(m[1]), int(m[2])) for m in re.findall(r"(\S+):(\d+) +\S+ +users:\(\(\"docker-proxy\",pid=(\d+)",
                                                                              net.run("ss", "-Hltunp"))}
    t.ok("ports: its proxy as ss has it", all((r["host_address"], r["host_port"], r["forwarder_pid"]) in proxies for r in rows), (proxies, rows))
    listens = in_net(pid_of("harbour"), "ss", "-Hltnp", "sport = :80")
    t.ok("ports: who listens, as ss says", f"pid={find(rows, 18080)['pid']}," in listens, (listens, find(rows, 18080)))


def verdicts(t, world):
    rows = published("harbour")
    for port, words in ((18080, None), (18088, "nobody listens on 88/tcp"), (18089, "127.0.0.1 only"), (18090, "IPv6 only")):
        problem = find(rows, port)["problem"]
        t.ok(f"ports: {port}: {words or 'nothing wrong'}", words in problem if words and problem else problem == words, find(rows, port))
    t.same("ports: to whom they are exposed", [find(rows, 18080)["exposure"], find(rows, 18084)["exposure"], find(rows, 18085)["exposure"],
                                               find(rows, 18086, True)["exposure"]], ["lan", "loopback", "lan", "loopback"])
    everything = rows_of()
    ours = [r for r in everything if r["target"] == "harbour"]
    t.ok("ports of all targets: the same rows", [r for r in ours if r["kind"] == "published"] == rows, ours)
    t.ok("ports: a listener that is not published", any(r["port"] == 95 and r["exposure"] == "host" and r["kind"] == "listens" for r in ours), ours)
    t.ok("ports of all targets: nothing is left over", not [r for r in everything if r["kind"] == "leftover" and r["outside_netns"] ==
                                                            os.stat(world.net.path).st_ino], everything)
    hosty = [r for r in rows_of("hosty") if r["port"] == 7777]
    t.ok("ports of a host-network container: the host's own", hosty and "host network" in hosty[0]["note"], hosty)
    t.ok("ports host: no other namespace's", all(r["target"] == "host" or r["note"] for r in rows_of("host")), rows_of("host"))
    side = {(r["target"], r["host_port"]) for r in rows_of("side") if r["host_port"]}
    t.ok("ports of one that shares a namespace: its owner's", ("web", 8080) in side, side)
    document = nsdbg_json("ports", f"pid:{pid_of('harbour')}", "--timeout", "30s", codes=(0, 5, 7),
                          env={**os.environ, "DOCKER_HOST": "unix:///tmp/nobody-here.sock"})
    dead = document["data"]
    t.ok("ports without the engine: rules, proxies and sockets", find(dead, 18080)["reached_from"] == ["loopback", "host", "outside"] and
         find(dead, 18080)["published"] is None, (document["errors"], find(dead, 18080)))


def trouble(t, world):
    """Rules that go, come first, or stay behind; proxies that end."""
    net = world.net
    try:
        net.run("iptables", "-t", "nat", "-I", "DOCKER", "1", "-p", "tcp", "--dport", "18080", "-j", "DNAT", "--to-destination", "172.17.0.250:80")
        net.run("iptables", "-t", "nat", "-A", "DOCKER", "-p", "tcp", "--dport", "18200", "-j", "DNAT", "--to-destination", "172.17.0.251:80")
        rows = published("harbour")
        t.ok("ports: another rule comes first", "172.17.0.250:80" in (find(rows, 18080)["problem"] or ""), find(rows, 18080))
        left = [r for r in rows_of() if r["host_port"] == 18200]
        t.ok("ports: a rule that is left over", len(left) == 1 and "which no container has" in left[0]["problem"] and left[0]["target"] is None, left)
        net.run("iptables", "-t", "nat", "-F", "DOCKER")
        rows = published("harbour")
        t.ok("ports: rules flushed: only the proxy forwards", find(rows, 18080)["rule"] is False and "no DNAT rule" in find(rows, 18080)["problem"],
             find(rows, 18080))
        os.kill(find(rows, 18081)["forwarder_pid"], signal.SIGKILL)
        wait_for(lambda: find(published("harbour"), 18081)["forwarder"] is None)
        rows = published("harbour")
        t.ok("ports: neither rule nor proxy", "no rule and no proxy" in (find(rows, 18081)["problem"] or ""), find(rows, 18081))
        agrees(t, "ports, rules flushed", net, rows)
    finally:
        world.restore()
    rows = published("harbour")
    t.ok("ports: the proxy has ended", "no proxy listens" in (find(rows, 18081)["problem"] or ""), find(rows, 18081))
    taker = subprocess.Popen(["nsenter", f"--net={net.path}", sys.executable, "-c", TAKE], stdout=subprocess.PIPE)
    taker.stdout.readline()
    rows = published("harbour")
    t.ok("ports: somebody else has it on loopback", f"(pid {taker.pid})" in (find(rows, 18081)["problem"] or ""), find(rows, 18081))
    end(taker)


def legacy(t, _world):
    """A second daemon, without proxies and with the xtables of old."""
    directory = tempfile.mktemp(prefix="nsdbg-ports.", dir="/tmp")
    tools = tempfile.mkdtemp(prefix="nsdbg-legacy-")
    script = os.path.join(ROOT, "tests/engine/dockerd.sh")
    for name in ("iptables", "ip6tables"):
        os.symlink(shutil.which(f"{name}-legacy"), os.path.join(tools, name))
    env = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "DOCKERD_ARGS": "--userland-proxy=false"}
    try:
        text_of(script, "start", directory, env=env, timeout=60)
        use_legacy(t, directory, text_of(script, "env", directory))
    finally:
        run(script, "stop", directory, timeout=60)
        shutil.rmtree(tools)


def use_legacy(t, directory, said):
    host = {**os.environ, "DOCKER_HOST": f"unix://{directory}/docker.sock"}
    net = Net(re.search(r"DOCKER_NETNS=(\S+)", said).group(1))
    server = None
    try:
        text_of(DOCKER, "run", "-d", "--name", "old", "-p", "19080:80", "-p", "127.0.0.1:19084:84", "-p", f"{LAN4}:19085:85", "-p", "19088:88",
                "bb:1", "sleep", "1000000", env=host)
        server = serve(int(text_of(DOCKER, "inspect", "-f", "{{.State.Pid}}", "old", env=host)))
        rows = published("old", env=host)
        agrees(t, "ports, no proxies, legacy iptables", net, rows)
        order = re.findall(r"^-A DOCKER .*", net.run("iptables-legacy-save", "-t", "nat"), re.M)
        at = next(i for i, rule in enumerate(order, 1) if "--dport 19080 " in rule)
        t.same("ports: the rule as iptables-legacy-save has it", find(rows, 19080)["rule_place"], f"iptables-legacy nat/DOCKER rule {at}")
        t.same("ports: who holds the port outside", find(rows, 19080)["forwarder"], "dockerd")
        t.ok("ports: nobody listens, without proxies", "nobody listens" in (find(rows, 19088)["problem"] or ""), find(rows, 19088))
    finally:
        if server:
            end(server)
        net.close()


def words(t, _world):
    for argv, code, says in ((("ports", "nobody-here"), (3, 5), "nobody-here"), (("ports", "harbour", "no-such=1"), (2,), "no-such"),
                             (("ports", "--lol"), (2,), "--lol")):
        r = nsdbg(*argv)
        t.ok(f"nsdbg {' '.join(argv)}: exit {code[0]} and a sentence", r.returncode in code and says in r.stderr.decode(), (r.returncode, r.stderr.decode()))
    table = nsdbg("ports", "harbour").stdout.decode()
    t.ok("ports as text: the headings of its fields", "\x1b" not in table and re.search("HOST +PROTO +PORT +EXPOSED +BY +LISTENS", table), table[:200])


def elsewhere(t, _world):
    """A filter alone is about all targets; the host is one, and a process stands for its namespace."""
    loopback = rows_of("exposure=loopback")
    t.ok("ports exposure=loopback: of all targets", {r["exposure"] for r in loopback} == {"loopback"} and 18084 in {r["host_port"] for r in loopback}, loopback[:2])
    heard = {int(line.split()[3].rsplit(":", 1)[1]) for line in text_of("ss", "-Hltn").splitlines()}
    host = rows_of("host", "-a")
    t.same("ports host -a: the TCP ports of ss -ltn", {r["port"] for r in host if r["protocol"] == "tcp" and r["kind"] == "listens"}, heard)
    for word in ("host", f"pid:{pid_of('harbour')}"):  # text asks for less than JSON does
        r = nsdbg("ports", word, "-a")
        t.ok(f"ports {word.split(':')[0]} as text", r.returncode == 0 and len(r.stdout.splitlines()) > 1, (r.returncode, r.stderr))
    by_pid = {r["port"] for r in rows_of(f"pid:{pid_of('harbour')}") if r["protocol"] == "tcp" and r["listen_address"]}
    t.ok("ports pid:N: those of its namespace", {80, 81, 95} <= by_pid, by_pid)


def screen(t, _world):
    with Terminal(120, 36, [os.environ.get("NSDBG", "nsdbg"), "harbour"]) as s:
        if not t.ok("ports on the screen: it opens on its target", s.wait(r"> harbour .*\n.*Overview\]", 20), s.screen()):
            return
        s.keys("6", "[")
        t.ok("ports on the screen: the sub-tab", s.wait(r"0\.0\.0\.0:18088 .*nobody listens on 88/tcp", 8), s.screen())
        s.keys("q", "q")


if __name__ == "__main__":
    checks = Checks()
    there = World()
    checks.run(*[lambda t, f=f: f(t, there) for f in (truth, verdicts, screen, elsewhere, trouble, words, legacy)], lambda _t: there.close())
