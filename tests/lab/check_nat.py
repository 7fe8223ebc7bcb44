#!/usr/bin/env python3
"""Destination NAT of namespaces made here agrees with iptables-save -c, iptables-legacy-save -c and nft -j: rules of all forms, both kinds
at once, counters; looking makes no table and loads no module; an ordinary user hears which right is missing, its own namespace is open.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import NSDBG, Checks, children_of, end, nsdbg, nsdbg_json, processes_of, run, text_of, wait_for

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import natrules

USER = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

DOCKER = [
    "-N DOCKER", "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER", "-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER",
    "-A DOCKER -i docker0 -j RETURN", "-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80",
    "-A DOCKER -d 127.0.0.1/32 ! -i docker0 -p udp -m udp --dport 53 -j DNAT --to-destination 172.17.0.3:5353",
    "-A DOCKER ! -i docker0 -p tcp -m tcp --dport 7000:7010 -j DNAT --to-destination 172.17.0.4:7000-7010",
    "-A DOCKER -p sctp -m sctp --dport 99 -j DNAT --to-destination 172.17.0.4",
]
NETAVARK = [
    "-N NETAVARK-HOSTPORT-SETMARK", "-N NETAVARK-HOSTPORT-DNAT", "-N NETAVARK-DN-1D8721804F16F",
    "-A PREROUTING -m addrtype --dst-type LOCAL -j NETAVARK-HOSTPORT-DNAT", "-A OUTPUT -m addrtype --dst-type LOCAL -j NETAVARK-HOSTPORT-DNAT",
    "-A NETAVARK-HOSTPORT-SETMARK -j MARK --set-xmark 0x2000/0x2000",
    "-A NETAVARK-HOSTPORT-DNAT -p tcp -m tcp --dport 8090 -m comment --comment \"dnat name: podman id: 1\" -j NETAVARK-DN-1D8721804F16F",
    "-A NETAVARK-DN-1D8721804F16F -s 10.88.0.0/16 -p tcp -m tcp --dport 8090 -j NETAVARK-HOSTPORT-SETMARK",
    "-A NETAVARK-DN-1D8721804F16F -s 127.0.0.1/32 -p tcp -m tcp --dport 8090 -j NETAVARK-HOSTPORT-SETMARK",
    "-A NETAVARK-DN-1D8721804F16F -p tcp -m tcp --dport 8090 -j DNAT --to-destination 10.88.0.2:80",
]
CNI = [
    "-N CNI-HOSTPORT-DNAT", "-N CNI-DN-abc", "-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT",
    "-A OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT",
    "-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment \"dnat name: \\\"bridge\\\" id: \\\"x\\\"\" -m multiport --dports 8100,8101 -j CNI-DN-abc",
    "-A CNI-DN-abc -p tcp -m tcp --dport 8100 -j DNAT --to-destination 10.1.0.2:80",
    "-A CNI-DN-abc -p tcp -m tcp --dport 8101 -j DNAT --to-destination 10.1.0.2:81",
]
KUBE = [
    "-N KUBE-SERVICES", "-N KUBE-SVC-A", "-N KUBE-SEP-1", "-N KUBE-SEP-2", "-A PREROUTING -j KUBE-SERVICES", "-A OUTPUT -j KUBE-SERVICES",
    "-A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment \"default/kubernetes:https cluster IP\" -m tcp --dport 443 -j KUBE-SVC-A",
    "-A KUBE-SVC-A -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-1", "-A KUBE-SVC-A -j KUBE-SEP-2",
    "-A KUBE-SEP-1 -p tcp -m tcp -j DNAT --to-destination 10.0.0.1:6443", "-A KUBE-SEP-2 -p tcp -m tcp -j DNAT --to-destination 10.0.0.2:6443",
]
OTHER = [
    "-A PREROUTING -p tcp -m multiport --dports 80,443,1000:1010 -j REDIRECT --to-ports 3128", "-A PREROUTING -i eth+ -p udp -m udp --dport 53 -j REDIRECT",
    "-A PREROUTING -d 10.9.0.0/24 -j NETMAP --to 10.8.0.0/24", "-A PREROUTING -p tcp -m tcp --dport 81 -m conntrack --ctstate NEW -j DNAT --to-destination 10.0.0.9-10.0.0.12",
    "-A OUTPUT -d 10.44.0.1/32 -p udp -m udp --dport 9 -j DNAT --to-destination 127.0.0.1:10",
]
SIX = [
    "-N DOCKER", "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER", "-A OUTPUT ! -d ::1/128 -m addrtype --dst-type LOCAL -j DOCKER",
    "-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination [fd00::2]:80", "-A DOCKER -d fd00::/64 -p udp -j REDIRECT --to-ports 5",
    "-A PREROUTING -d fd01::1/128 -j DNAT --to-destination fd01::2-fd01::4", "-A OUTPUT -d fd44::1/128 -p udp -m udp --dport 9 -j DNAT --to-destination [::1]:10",
]
FORMS = DOCKER + NETAVARK + CNI + KUBE + OTHER

NFT = """
table ip t {
  map fwds { type inet_service : ipv4_addr . inet_service; elements = { 80 : 10.0.0.1 . 8080, 81 : 10.0.0.2 . 8081 } ; }
  map svc { type ipv4_addr . inet_proto . inet_service : verdict; elements = { 10.96.0.1 . tcp . 443 : goto svc1, 10.96.0.10 . udp . 53 : goto svc2 } ; }
  set ports { type inet_service; flags interval; elements = { 9000-9010, 9100 } ; }
  set hosts { type ipv4_addr . inet_service; flags interval; elements = { 10.2.0.0/16 . 70-79, 10.3.0.1 . 5 } ; }
  set nobody { type inet_service; }
  chain svc1 { numgen random mod 2 vmap { 0 : goto ep1, 1 : goto ep2 } ; }
  chain ep1 { meta l4proto tcp counter dnat to 10.0.0.1:6443 ; }
  chain ep2 { meta l4proto tcp counter dnat to 10.0.0.2:6443 ; }
  chain svc2 { meta l4proto udp dnat to 10.0.0.3:53 ; }
  chain lost { tcp dport 1 dnat to 1.2.3.4 ; }
  chain pre { type nat hook prerouting priority dstnat;
    tcp dport 8080 dnat to 172.17.0.2:80
    ip daddr 127.0.0.1 tcp dport 81 dnat to 10.1.1.1
    fib daddr type local tcp dport 82 counter dnat to 10.1.1.2:8282
    tcp dport 5000-5010 dnat to 10.1.1.3:6000-6010
    tcp dport { 22, 2222 } redirect to :22
    udp dport 53 redirect to :5353
    dnat to tcp dport map { 90 : 10.0.0.1 . 8080, 91 : 10.0.0.2 . 8081 }
    dnat to tcp dport map @fwds
    tcp dport @ports dnat to 10.9.9.9
    tcp dport @nobody dnat to 10.9.9.8
    ip daddr . tcp dport @hosts dnat to 10.9.9.7
    iifname "eth*" ip daddr 10.0.0.0/9 tcp dport != 99 dnat to 10.5.5.5
    iifname { "wg0", "tun0" } ip daddr != 10.1.2.3 udp dport 1000 dnat to 10.5.5.5-10.5.5.9:700-709
    ip daddr . meta l4proto . th dport vmap @svc
    iif "lo" tcp dport 11 dnat to 10.9.9.6
    ct state new limit rate 5/second ip saddr 192.168.0.0/16 meta mark 0x17 tcp dport 7 dnat to 10.6.6.6
  }
  chain out { type nat hook output priority -100; ip daddr != 127.0.0.0/8 tcp dport 8080 dnat to 172.17.0.2:80 ; ip daddr 10.44.0.2 udp dport 9 counter dnat to 127.0.0.1:10 ; }
  chain post { type nat hook postrouting priority 100; masquerade ; }
}
table ip6 t6 {
  chain pre { type nat hook prerouting priority -100; tcp dport 80 dnat to [fd00::2]:8080 ; ip6 daddr fd00::/64 udp dport 9 redirect to :10 ; }
}
table inet x {
  chain pre { type nat hook prerouting priority -101;
    tcp dport 8443 dnat ip to 10.7.7.7:443
    tcp dport 8443 dnat ip6 to [fd00::7]:443
    meta nfproto ipv4 ip daddr 10.8.8.8 tcp dport 1 redirect
    tcp dport 90 dnat ip to numgen inc mod 2 map { 0 : 10.0.0.1, 1 : 10.0.0.2 }
  }
  chain tp { type filter hook prerouting priority mangle; meta nfproto ipv4 tcp dport 8088 tproxy ip to 127.0.0.1:9999 accept ; }
}
table ip asleep {
  flags dormant;
  chain pre { type nat hook prerouting priority -100; tcp dport 80 redirect ; }
}
"""


class Space:
    """A network namespace with a process in it, and nothing else."""

    def __init__(self, prefix=(), unshare=("unshare", "-n")):
        self.process = subprocess.Popen([*prefix, *unshare, "sh", "-c", "ip link set lo up; ip route add default dev lo; ip -6 route add default dev lo; "
                                         "echo up; exec sleep 600"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.process.stdout.readline()
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)

    def sh(self, *argv, **more):
        return text_of("nsenter", "-n", "-t", self.pid, *argv, **more)

    def restore(self, program, rules, table="nat"):
        """All rules of a table by one iptables-restore."""
        chains = [f":{r.split()[1]} - [0:0]" for r in rules if r.startswith("-N")]
        text = "\n".join([f"*{table}", *chains, *(r for r in rules if not r.startswith("-N")), "COMMIT", ""])
        self.sh(program, "--noflush", stdin=None, input=text.encode())

    def rows(self, **more):
        return nsdbg_json("ip", f"pid:{self.pid}", "nat", **more)["data"]

    def send(self, *hosts):
        """A datagram from the namespace to port 9 of each, which the rules send elsewhere: they count it."""
        self.sh(sys.executable, "-c", "import socket, sys\nfor h in sys.argv[1:]:\n"
                "  socket.socket(socket.AF_INET6 if ':' in h else socket.AF_INET, socket.SOCK_DGRAM).sendto(b'hello', (h, 9))", *hosts)


def of(rows, origin, family):
    return [r for r in rows if r["origin"] == origin and r["family"] == family]


def compare(t, space, rows, origin, family, save):
    wrong, n = natrules.differences(space.sh(save, "-c"), of(rows, origin, family))
    t.ok(f"{save} -c: {n} rules, their addresses, ports, interfaces, counters", n and not wrong, wrong[:3])


def ways(rows, chain):
    """{(protocol, port, to address): (from, local_only, loopback_not, in, in_not)} of a chain"""
    return {(r["protocol"], r["port"], r["to_address"]): (r["from"], r["local_only"], r["loopback_not"], r["in"], r["in_not"])
            for r in rows if r["chain"] == chain}


def iptables(t):
    with Space() as space:
        space.restore("iptables-nft-restore", FORMS)
        space.restore("ip6tables-nft-restore", SIX)
        space.restore("iptables-legacy-restore", FORMS)
        space.restore("ip6tables-legacy-restore", SIX)
        space.restore("iptables-legacy-restore", ["-A PREROUTING -p tcp -m tcp --dport 99 -j TPROXY --on-port 1234 --on-ip 127.0.0.1 --tproxy-mark 0x1/0x1"], "mangle")
        space.send("10.44.0.1", "fd44::1")
        rows = space.rows()
        for origin, tool in (("iptables-nft", "tables-nft-save"), ("iptables-legacy", "tables-legacy-save")):
            compare(t, space, rows, origin, "ipv4", "ip" + tool)
            compare(t, space, rows, origin, "ipv6", "ip6" + tool)
            mine = of(rows, origin, "ipv4")
            t.same(f"{origin}: Docker's chain from outside and from the host, not for loopback", ways(mine, "DOCKER")["tcp", 8080, "172.17.0.2"],
                   ("both", True, True, "docker0", True))
            t.same(f"{origin}: a port of 127.0.0.1 is for who comes in", ways(mine, "DOCKER")["udp", 53, "172.17.0.3"][:3], ("outside", True, False))
            t.same(f"{origin}: netavark's chains", ways(mine, "NETAVARK-DN-1D8721804F16F"), {("tcp", 8090, "10.88.0.2"): ("both", True, False, None, False)})
            t.same(f"{origin}: CNI's chains", sorted(ways(mine, "CNI-DN-abc")), [("tcp", 8100, "10.1.0.2"), ("tcp", 8101, "10.1.0.2")])
            kube = [r for r in mine if r["chain"].startswith("KUBE-SEP")]
            t.same(f"{origin}: kube-proxy's chains", sorted((r["address"], r["port"], r["to_address"], r["conditions"], r["from"]) for r in kube),
                   [("10.96.0.1", 443, "10.0.0.1", "50 % by chance", "both"), ("10.96.0.1", 443, "10.0.0.2", None, "both")])
        counted = [r["origin"] for r in rows if r["packets"]]
        t.ok("a datagram was counted", len(counted) >= 2, counted)


def native(t):
    with Space() as space:
        space.sh("nft", "-f", "-", stdin=None, input=NFT.encode())
        space.send("10.44.0.2")
        rows = space.rows()
        wrong, n = [], 0
        for family, name in (("ip", "t"), ("ip6", "t6"), ("inet", "x"), ("ip", "asleep")):
            rules, sets = natrules.nft_rules(space.sh("nft", "-j", "-a", "list", "table", family, name))
            mine = {}
            for row in rows:
                if row["table"] == name:
                    mine.setdefault(row["handle"], []).append(row)
            for handle in set(rules) | set(mine):
                n += 1
                have, said = mine.get(handle, []), natrules.nft_says(rules[handle]) if handle in rules else None
                want = max(1, natrules.alternatives(rules[handle], sets)) if handle in rules else 0
                if len(have) != want:
                    wrong.append(f"{name} {handle}: {len(have)} rows, expected {want}")
                wrong += [f"{name} {handle}: {key} {r[key]!r}, expected {value!r}" for r in have for key, value in (said or {}).items() if r[key] != value]
        t.ok(f"nft -j: {n} rules, a row for each element, addresses, ports, counters", n > 20 and not wrong, wrong[:4])
        pairs = {(r["port"], r["to_address"], r["to_port"]) for r in rows if r["table"] == "t"}
        t.ok("elements of maps, anonymous and named", pairs >= {(90, "10.0.0.1", 8080), (91, "10.0.0.2", 8081), (80, "10.0.0.1", 8080), (81, "10.0.0.2", 8081)}, pairs)
        t.same("a concatenation of network and ports", {(r["address"], r["port"], r["port_last"]) for r in rows if r["to_address"] == "10.9.9.7"},
               {("10.2.0.0/16", 70, 79), ("10.3.0.1", 5, 5)})
        t.same("a verdict map leads to chains with what it asked for",
               {(r["protocol"], r["address"], r["port"], r["to_address"], r["conditions"]) for r in rows if r["chain"] in ("ep1", "ep2", "svc2")},
               {("tcp", "10.96.0.1", 443, "10.0.0.1", "turn 0"), ("tcp", "10.96.0.1", 443, "10.0.0.2", "turn 1"), ("udp", "10.96.0.10", 53, "10.0.0.3", None)})
        t.same("a chain that nothing leads to, an empty set, a dormant table", {r["from"] for r in rows if r["chain"] == "lost" or r["table"] == "asleep" or
               r["to_address"] == "10.9.9.8"}, {"nowhere"})
        t.same("a number of an interface has its name", [(r["in"], r["port"]) for r in rows if r["to_address"] == "10.9.9.6"], [("lo", 11)])
        t.same("other conditions in words", [r["conditions"] for r in rows if r["to_address"] == "10.6.6.6"], ["ct state new; limit; from 192.168.0.0/16; mark 23"])


def nothing_changes(t):
    def picture(space):
        modules = open("/proc/modules", encoding="ascii").read() if os.path.exists("/proc/modules") else ""
        names = [space.sh("cat", f"/proc/self/net/{kind}_tables_names") for kind in ("ip", "ip6") if os.path.exists(f"/proc/net/{kind}_tables_names")]
        return sorted(line.split()[0] for line in modules.splitlines()), names, space.sh("nft", "list", "tables")

    with Space() as space:
        before = picture(space)
        t.same("no rules: an empty list", space.rows(), [])
        t.same("a look makes no table and loads no module", picture(space), before)
    t.ok("who asked the kernel is gone", wait_for(lambda: not any("nat" in c for c in processes_of().values()), 3), processes_of())


def rights(t):
    folder = tempfile.mkdtemp(prefix="nsdbg-nat-")
    os.chmod(folder, 0o755)
    copy = shutil.copy(NSDBG, folder)
    try:
        result = run(*USER, copy, "ip", "host", "nat", timeout=20)
        t.ok("an ordinary user hears which right is missing", result.returncode == 4 and b"CAP_NET_ADMIN" in result.stderr and b"sudo" in result.stderr,
             (result.returncode, result.stderr))
        with Space(USER, ("unshare", "-Ur", "unshare", "-n")) as space:
            run("nsenter", "-n", "-t", space.pid, "iptables-nft", "-t", "nat", "-A", "PREROUTING", "-p", "tcp", "--dport", "80", "-j", "REDIRECT", "--to-ports", "8080")
            run("nsenter", "-n", "-t", space.pid, "iptables-legacy", "-t", "nat", "-A", "PREROUTING", "-p", "tcp", "--dport", "81", "-j", "REDIRECT", "--to-ports", "8081")
            result = run(*USER, copy, "ip", f"pid:{space.pid}", "nat", "--json", timeout=20)
            rows = json.loads(result.stdout or b"{}").get("data", [])
            t.same("a rootless namespace is open to its owner", [(r["port"], r["to_port"], r["origin"]) for r in rows],
                   [(80, 8080, "iptables-nft"), (81, 8081, "iptables-legacy")])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    os.environ["NSDBG_RUNTIME"] = "netns,host"
    Checks().run(iptables, native, nothing_changes, rights)
