#!/usr/bin/env python3
"""nsdbg ip agrees with ip(8) and bridge(8): every interface, address, route, rule, neighbour of containers and of a lab with 30 links."""
import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import NSDBG, Checks, Terminal, docker, end, in_net, netns_of, nsdbg, nsdbg_json, pid_of, popen_in_net, run, text_of, wait_for

HOLD = [sys.executable, "-c", "import fcntl, struct, time\n"
        "kept = []\n"
        "for name, flags in ((b'tun7', 1), (b'tap7', 2)):\n"
        "    f = open('/dev/net/tun', 'r+b', buffering=0); kept.append(f)\n"
        "    fcntl.ioctl(f, 0x400454ca, struct.pack('16sH', name, flags | 0x1000))\n"
        "print('ready', flush=True); time.sleep(600)"]


def rows(part, target, *more):
    return nsdbg_json("ip", target, part, *more)["data"]


def ip_json(pid, *argv):
    return json.loads(in_net(pid, "ip", "-j", *argv) or "[]", strict=False)  # ip lets control characters through


def differences(expected, found):
    """{key: {field: value}} against the same; what is expected counts."""
    wrong = [f"{key}: missing" for key in expected.keys() - found.keys()] + [f"{key}: extra" for key in found.keys() - expected.keys()]
    for key in expected.keys() & found.keys():
        wrong += [f"{key} {name}: {found[key].get(name)!r}, expected {value!r}" for name, value in expected[key].items()
                  if found[key].get(name) != value]
    return wrong


# --- interfaces ---

def link_of_ip(link):
    """What ip -d -s says, in our words."""
    info, data, slave = link.get("linkinfo", {}), link.get("linkinfo", {}).get("info_data", {}), link.get("linkinfo", {}).get("info_slave_data", {})
    facts = {"index": link["ifindex"], "name": link["ifname"], "kind": info.get("info_kind"), "type": link["link_type"],
             "state": link["operstate"], "flags": sorted(f for f in link["flags"] if f not in ("NO-CARRIER", "M-DOWN")), "mtu": link["mtu"],
             "qdisc": link.get("qdisc"), "queue_length": link.get("txqlen", 0), "promiscuity": link["promiscuity"],
             "master": link.get("master"), "alias": link.get("ifalias"), "link_netnsid": link.get("link_netnsid"),
             "up": "UP" in link["flags"]}
    if link["link_type"] == "ether":
        facts["mac"] = link["address"]
    if "link_index" in link:
        facts["link_index"] = link["link_index"]
    for side in ("rx", "tx"):
        for ours, theirs in (("bytes", "bytes"), ("packets", "packets"), ("errors", "errors"), ("dropped", "dropped")):
            facts[f"{side}_{ours}"] = link["stats64"][side][theirs]
    if info.get("info_kind") in ("macvlan", "macvtap"):
        facts["mode"] = data["mode"]
    if info.get("info_kind") == "vxlan":
        facts |= {"vni": data["id"], "port": data["port"], "remote": data.get("remote") or data.get("group"), "local": data.get("local")}
    if info.get("info_kind") in ("gre", "gretap", "sit", "ipip"):
        facts |= {"remote": data.get("remote"), "local": data.get("local") if data.get("local") not in ("any", "0.0.0.0") else None}
    if info.get("info_kind") == "bond":
        facts["mode"] = data["mode"]
    if info.get("info_kind") == "bridge":
        facts |= {"stp": bool(data["stp_state"]), "vlan_filtering": bool(data["vlan_filtering"])}
    if info.get("info_kind") == "tun":
        facts["mode"] = data["type"]
    if info.get("info_slave_kind") == "bridge":
        facts |= {"port_state": slave["state"], "hairpin": slave["hairpin"], "isolated": slave["isolated"], "learning": slave["learning"],
                  "flood": slave["flood"], "guard": slave["guard"]}
    return facts


def counters_moved(before, after):
    return {k for k in before if k in after and before[k] != after[k]}


def compare_links(t, name, target, pid):
    before = {link["ifindex"]: link_of_ip(link) for link in ip_json(pid, "-d", "-s", "link")}
    ours = {r["index"]: {**r, "flags": sorted(r["flags"] or [])} for r in rows("link", target)}
    after = {link["ifindex"]: link_of_ip(link) for link in ip_json(pid, "-d", "-s", "link")}
    for index, facts in before.items():  # a counter that moves meanwhile proves nothing
        for moved in counters_moved(facts, after.get(index, {})):
            facts.pop(moved)
    wrong = differences(before, ours)
    t.ok(f"ip link {name}: {len(before)} interfaces, every fact as ip -d -s has it", not wrong, wrong[:4])
    shown = {index: {"addresses": sorted(f"{a['local']}/{a['prefixlen']}" for a in link.get("addr_info", [])) or None}
             for index, link in ((link["ifindex"], link) for link in ip_json(pid, "addr"))}
    wrong = differences(shown, {i: {"addresses": sorted(r["addresses"] or []) or None} for i, r in ours.items()})
    t.ok(f"ip link {name}: addresses of each", not wrong, wrong[:4])
    return ours


def compare_ports(t, name, target, pid):
    expected = {p["ifname"]: {"port_state": p["state"], "master": p["master"], "hairpin": p["hairpin"], "learning": p["learning"],
                              "guard": p["guard"], "flood": p["flood"], "isolated": p["isolated"]}
                for p in json.loads(in_net(pid, "bridge", "-j", "-d", "link") or "[]") if p.get("state")}
    found = {r["name"]: r for r in rows("link", target) if r["port_state"]}
    wrong = differences(expected, found)
    t.ok(f"ip link {name}: {len(expected)} bridge ports as bridge -d link", not wrong, wrong[:4])


# --- addresses, routes, rules, neighbours ---

ADDRESS_FLAGS = ("dynamic", "tentative", "dadfailed", "deprecated", "temporary", "secondary", "noprefixroute", "nodad", "mngtmpaddr", "home",
                 "optimistic", "autojoin")


def compare_addresses(t, name, target, pid):
    for _ in range(4):  # containers that start meanwhile bring addresses that are tentative for a moment
        expected = {}
        for link in ip_json(pid, "addr"):
            for a in link.get("addr_info", []):
                key = (link["ifindex"], f"{a['local']}/{a['prefixlen']}")
                expected[key] = {"scope": a["scope"], "broadcast": a.get("broadcast"), "interface": link["ifname"],
                                 "flags": sorted(f for f in ADDRESS_FLAGS if a.get(f)), "peer": a.get("address")}
        found = {(r["index"], r["address"]): {**r, "flags": sorted(f for f in r["flags"] or [] if f in ADDRESS_FLAGS)}
                 for r in rows("addr", target)}
        wrong = differences(expected, found)
        if not wrong:
            break
        time.sleep(1)
    t.ok(f"ip addr {name}: {len(expected)} addresses as ip addr", not wrong, wrong[:4])


def full(destination, family):
    anywhere = "0.0.0.0/0" if family == 4 else "::/0"
    if destination == "default":
        return anywhere
    return destination if "/" in destination else f"{destination}/{32 if family == 4 else 128}"


def route_of_ip(r, family):
    hops = [(h.get("gateway") or h.get("via", {}).get("host"), h["dev"], h["weight"]) for h in r.get("nexthops", [])]
    key = (full(r["dst"], family), str(r.get("table", "main")), r.get("metric"), r.get("dev"), r.get("type", "unicast"),
           r.get("gateway") or r.get("via", {}).get("host"))
    return key, {"protocol": r.get("protocol"), "source": r.get("prefsrc"), "scope": r.get("scope", "global"), "hops": hops,
                 "mtu": (r.get("metrics") or [{}])[0].get("mtu"), "flags": sorted(r.get("flags") or [])}


def route_of_ours(r):
    hops = [(h["gateway"], h["interface"], h["weight"]) for h in r["nexthops"] or []]
    key = (r["destination"], r["table_name"], r["metric"], r["interface"], r["type"], r["gateway"])
    return key, {**r, "hops": hops, "flags": sorted(r["flags"] or [])}


def compare_routes(t, name, target, pid):
    expected = dict(route_of_ip(r, family) for family in (4, 6) for r in ip_json(pid, "-d", f"-{family}", "route", "show", "table", "all"))
    found = dict(route_of_ours(r) for r in rows("route", target, "-a"))
    wrong = differences(expected, found)
    t.ok(f"ip route {name}: {len(expected)} routes of all tables as ip -d route", not wrong, wrong[:4])


def compare_rules(t, name, target, pid):
    expected = {}
    for family in (4, 6):
        for r in ip_json(pid, "-d", f"-{family}", "rule"):
            source = r["src"] + (f"/{r['srclen']}" if "srclen" in r else "")
            expected[(family, r["priority"], source if r["src"] != "all" else None)] = {
                "table_name": str(r["table"]) if "table" in r else None, "in": r.get("iif"), "out": r.get("oif"), "inverted": "not" in r,
                "mark": int(r["fwmark"], 16) if "fwmark" in r else None}
    found = {}
    for r in rows("rule", target):
        source = r["from"]
        if source and source.endswith(("/32", "/128")):
            source = source.rsplit("/", 1)[0]
        found[(4 if r["family"] == "ipv4" else 6, r["priority"], source)] = {
            **r, "mark": int(r["mark"], 16) if isinstance(r["mark"], str) else r["mark"]}
    wrong = differences(expected, found)
    t.ok(f"ip rule {name}: {len(expected)} rules as ip rule", not wrong, wrong[:4])


def compare_neighbours(t, name, target, pid):
    def look():
        return {(n["dev"], n["dst"]): {"state": n["state"][0] if n.get("state") else None, "mac": n.get("lladdr")} for n in ip_json(pid, "neigh")}

    before, found, after = look(), {(r["interface"], r["address"]): r for r in rows("neigh", target)}, look()
    stable = {k: v for k, v in before.items() if after.get(k) == v}
    wrong = differences(stable, {k: v for k, v in found.items() if k in stable or (k not in before and k not in after)})
    t.ok(f"ip neigh {name}: {len(stable)} neighbours as ip neigh", not wrong, wrong[:4])


def compare_all(t, name, target, pid):
    for compare in (compare_links, compare_ports, compare_addresses, compare_routes, compare_rules, compare_neighbours):
        compare(t, name, target, pid)


# --- the lab: namespaces that hold every kind of link that the kernel has ---

class Lab:
    def __init__(self):
        self.processes, self.skipped = [], []
        self.a, self.b, self.host = (self.namespace() for _ in range(3))
        self.tuns = subprocess.Popen(["nsenter", "-n", "-t", str(self.a), *HOLD], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.processes.append(self.tuns)
        self.tuns.stdout.readline()
        try:
            self.build()
        except Exception:
            self.close()
            raise

    def namespace(self):
        p = subprocess.Popen(["unshare", "-n", "sleep", "600"])
        self.processes.append(p)
        wait_for(lambda: netns_of(p.pid) != netns_of("self"))
        self.ip(p.pid, "link set lo up")
        return p.pid

    def ip(self, pid, *lines):
        for line in lines:
            words = line.replace("@A", str(self.a if hasattr(self, "a") else 0)).replace("@B", str(getattr(self, "b", 0))).replace(
                "@H", str(getattr(self, "host", 0))).split()
            in_net(pid, "ip", *words)

    def maybe(self, pid, line):
        """A kind of link that not every kernel has."""
        if run("nsenter", "-n", "-t", pid, "ip", *line.split()).returncode:
            self.skipped.append(line)

    def build(self):
        h, a, b = self.host, self.a, self.b
        self.ip(h, "link add br0 type bridge", "link set br0 up", "addr add 10.77.0.1/24 dev br0")
        for i, pid in enumerate((a, b)):  # two containers on a bridge
            self.ip(h, f"link add v{i} type veth peer name eth0 netns {pid}", f"link set v{i} master br0 up")
            self.ip(pid, f"addr add 10.77.0.{i + 2}/24 dev eth0", "link set eth0 up", "route add default via 10.77.0.1")
        self.ip(h, "link set v1 type bridge_slave hairpin on isolated on learning off", "link set br0 alias the-lab's_bridge")
        for i in range(4):  # straight cables
            self.ip(a, f"link add x{i} type veth peer name y{i} netns @B", f"link set x{i} up")
            self.ip(b, f"link set y{i} up")
        self.ip(a, "link set x1 mtu 1400", "addr add 192.0.2.1 peer 192.0.2.9 dev x1", "link add p0 type veth peer name p1",
                "link set p0 up", "addr add 10.9.9.9/24 dev p0")  # p1 is down: no carrier
        self.ip(a, "addr add 2001:db8::7/64 dev x2 nodad", "addr add 10.1.0.1/24 dev x2", "addr add 10.1.0.2/24 dev x2",
                "addr add 2001:db8::99/64 dev x2 valid_lft 500 preferred_lft 0")
        for mode in ("bridge", "private", "vepa"):
            self.ip(a, f"link add mv-{mode} link x3 type macvlan mode {mode}")
        self.ip(b, "link add mvfar link y3 type macvlan mode bridge", "link set mvfar netns @A")
        self.ip(a, "link add mt0 link x2 type macvtap", "link add vx0 type vxlan id 42 dstport 4789 remote 192.0.2.9 local 192.0.2.1 dev x1",
                "link add br1 type bridge stp_state 1", "link add ifb7 type ifb", "link set tun7 up", "link set tap7 master br1")
        self.ip(a, "link add \x1b[31mred type veth peer name b\u00f6se")
        for line in ("link add link x0 name vl0 type vlan id 7", "link add d0 type dummy", "link add iv0 link x0 type ipvlan mode l3",
                     "link add gv0 type geneve id 9 remote 192.0.2.9", "link add wg0 type wireguard", "link add gr0 type gre remote 192.0.2.9",
                     "link add si0 type sit remote 192.0.2.9", "link add ii0 type ipip remote 192.0.2.9", "link add bo0 type bond", "link add te0 type team",
                     "link add nm0 type nlmon", "link add xf0 type xfrm if_id 7", "link add vc0 type vcan", "link add vr0 type vrf table 9",
                     "link add br2 type bridge vlan_filtering 1"):
            self.maybe(a, line)
        self.routes()

    def routes(self):
        a = self.a
        self.ip(a, "route add 198.51.100.0/24 via 10.77.0.1 metric 50 mtu 1300", "route add blackhole 203.0.113.0/24",
                "route add unreachable 203.0.114.0/24", "route add prohibit 203.0.115.0/24", "route add throw 203.0.116.0/24 table 100",
                "route add default via 10.77.0.1 table 100 proto static", "route add 10.50.0.0/16 nexthop via 10.77.0.1 weight 3 nexthop "
                "via 10.1.0.9 dev x2 weight 1", "route add 10.60.0.0/16 via inet6 fe80::1 dev x2 onlink", "-6 route add 2001:db8:5::/48 via 2001:db8::1",
                "-6 route add blackhole 2001:db8:6::/48", "rule add from 10.77.0.0/24 fwmark 0x10 table 100 priority 500",
                "rule add iif x0 unreachable priority 501", "rule add not from 10.1.0.1 table main priority 502", "-6 rule add from 2001:db8::7 table 100 priority 503",
                "neigh add 10.77.0.55 lladdr 02:00:00:00:00:55 dev eth0 nud permanent", "neigh add 10.77.0.56 dev eth0 nud failed",
                "neigh add 10.77.0.57 lladdr 02:00:00:00:00:57 dev eth0 nud stale")

    def close(self):
        for p in self.processes:
            end(p)


def lab(t):
    world = Lab()
    try:
        a, b, h = (f"pid:{p}" for p in (world.a, world.b, world.host))
        print(f"# this kernel cannot make: {world.skipped}")
        for name, target, pid in (("lab a", a, world.a), ("lab b", b, world.b), ("lab host", h, world.host)):
            compare_all(t, name, target, pid)
        peers(t, world)
        t.ok("ip link: the lab has at least 30 links", sum(len(rows("link", x)) for x in (a, b, h)) >= 30)
        ways(t, world, a)
        findings(t, world, a)
        settings(t, world, a)
    finally:
        world.close()


def peers(t, world):
    """From both ends: what one side says of the other is what the other says of itself."""
    pids = {netns_of(p): p for p in (world.a, world.b, world.host)}
    names = {ns: {link["ifindex"]: link["ifname"] for link in ip_json(p, "link")} for ns, p in pids.items()}
    checked, wrong = 0, []
    for ns, pid in pids.items():
        for r in rows("link", f"pid:{pid}"):
            if r["kind"] not in ("veth", "macvlan", "macvtap") or r["parent"]:
                continue
            there = r["peer_netns"] or ns
            want = names.get(there, {}).get(r["link_index"])
            checked += 1
            if r["peer"] != want or (r["link_netnsid"] is not None and there == ns):
                wrong.append((r["name"], r["peer"], want))
    t.ok(f"ip link: {checked} other ends have their names, from both sides", checked >= 16 and not wrong, (checked, wrong[:4]))


def ways(t, world, target):
    hops = [(h["name"], h["step"]) for h in rows("path", target)]
    t.same("ip path: eth0, its peer, the bridge", hops, [("eth0", "default route"), ("v0", "peer"), ("br0", "bridge")])
    for to in ("198.51.100.7", "10.1.0.77", "127.0.0.1", "2001:db8:5::1", "10.77.0.1"):
        theirs, ours = ip_json(world.a, "route", "get", to)[0], rows("get", target, to)[0]
        found = (ours["gateway"], ours["interface"], ours["source"])
        t.same(f"ip get {to}: as ip route get", found, (theirs.get("gateway"), theirs["dev"], theirs.get("prefsrc")))
    for to, word in (("203.0.113.1", "blackhole"), ("203.0.114.1", "cannot be reached"), ("203.0.115.1", "prohibit")):
        r = nsdbg("ip", target, "get", to)
        t.ok(f"ip get {to}: refused, exit 1, and why", r.returncode == 1 and word in r.stderr.decode(), (r.returncode, r.stderr.decode()))


def findings(t, world, target):
    def found(part, word):
        return [r for r in rows("check", target) if r["part"] == part and word in r["problem"]]

    t.ok("ip check: a cable with two MTUs", [r["object"] for r in found("interface", "MTU")].count("x1") == 1, rows("check", target))
    t.ok("ip check: routes over a link without carrier", any(r["object"] == "p0" for r in found("interface", "route")), rows("check", target))
    t.ok("ip check: a neighbour that does not answer", any(r["object"] == "10.77.0.56" for r in found("neighbour", "ARP")))
    t.ok("ip check: a default route is there", not found("namespace", "default"))
    world.ip(world.a, "addr add 2001:db8:dad::1/64 dev x0 nodad")
    world.ip(world.b, "addr add 2001:db8:dad::1/64 dev y0")
    failed = wait_for(lambda: [r for r in rows("addr", f"pid:{world.b}") if "dadfailed" in (r["flags"] or [])], 5)
    t.ok("ip addr: duplicate address detection failed, as ip says", failed and "somebody" in failed[0]["problem"], failed)
    compare_addresses(t, "lab b after DAD", f"pid:{world.b}", world.b)
    world.ip(world.a, "addr add 10.77.0.2/32 dev x3")
    t.ok("ip check: one address on two interfaces", any("x3" in r["problem"] or "eth0" in r["problem"] for r in found("address", "too")))
    world.ip(world.a, "neigh replace 10.77.0.1 dev eth0 nud failed")
    t.ok("ip check: the gateway does not answer", any(r["gravity"] == "broken" for r in found("neighbour", "gateway")), found("neighbour", ""))
    t.ok("ip route: so its route is broken", any("gateway" in (r["problem"] or "") for r in rows("route", target)))
    world.ip(world.a, "route del default")
    t.ok("ip check: no default route", found("namespace", "no default route"))


def settings(t, world, target):
    in_net(world.a, "sysctl", "-qw", "net.ipv4.conf.eth0.rp_filter=2", "net.ipv4.ip_forward=1", "net.ipv4.tcp_fin_timeout=33")
    shown = {r["name"]: (r["value"], r["default"], r["differs"]) for r in rows("sysctl", target)}
    t.same("ip sysctl: of an interface, against the kernel's default", shown.get("net.ipv4.conf.eth0.rp_filter"), ("2", "0", "default"))
    t.same("ip sysctl: of the namespace", shown.get("net.ipv4.tcp_fin_timeout", ())[:2], ("33", "60"))
    lines = in_net(world.a, "sh", "-c", "sysctl -e net 2>/dev/null").splitlines()
    theirs = {k: " ".join(v.split()) for k, v in (line.split(" = ", 1) for line in lines if " = " in line)}
    ours = {r["name"]: " ".join(r["value"].split()) for r in rows("sysctl", target, "-a")}
    left_out = {k for k in theirs if k.endswith(("_entries", "fastopen_key", "stable_secret", "conntrack_count", "flush"))}
    wrong = [(k, v, ours.get(k)) for k, v in theirs.items() if k not in left_out and ours.get(k) != v and "\x1b" not in k and "\u00f6" not in k]
    t.ok(f"ip sysctl -a: {len(theirs)} settings as sysctl(8) reads them", len(ours) > 300 and not wrong, wrong[:4])


# --- containers ---

def containers(t):
    docker("network", "create", "--ipv6", "--subnet", "fd77::/64", "--subnet", "172.30.77.0/24", "six")
    text_of("nsenter", "--net=" + daemon_net(), "ip", "link", "add", "mvparent", "type", "veth", "peer", "name", "mvother")
    docker("network", "create", "-d", "macvlan", "--subnet", "172.30.78.0/24", "-o", "parent=mvparent", "mac")
    docker("run", "-d", "--name", "ip-six", "--network", "six", "bb:1", "sleep", "1000000")
    docker("run", "-d", "--name", "ip-mac", "--network", "mac", "bb:1", "sleep", "1000000")
    try:
        for name in ("web", "two", "hosty", "lonely", "ip-six", "ip-mac"):
            compare_all(t, name, name, pid_of(name))
        mac = [r for r in rows("link", "ip-mac") if r["kind"] == "macvlan"][0]
        t.same("ip link ip-mac: what lies below the macvlan", mac["peer"], "mvparent")
        hops = rows("path", "web")
        t.same("ip path web: from the container to the bridge", [h["kind"] for h in hops][:3], ["veth", "veth", "bridge"])
        t.ok("ip path web: devices of two namespaces", hops[0]["target"] == "web" and hops[0]["netns"] != hops[1]["netns"], hops)
        in_container = [r["peer_target"] for r in rows("link", "hosty") if r["peer_target"]]
        t.ok("ip link of the engine's namespace: cables have their containers' names", {"web", "two", "db"} <= set(in_container), in_container)
        t.same("ip check lonely: nothing to say about a container without network", rows("check", "lonely"), [])
    finally:
        docker("rm", "-f", "ip-six", "ip-mac")
        docker("network", "rm", "six", "mac")
        run("nsenter", "--net=" + daemon_net(), "ip", "link", "del", "mvparent")


def live(t):
    """The screen follows the kernel's messages, not only its own clock, which is set to a minute."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as slow:
        slow.write("[settings]\ninterval = 60s\n")
        slow.flush()
        watch(t, Terminal(120, 36, [NSDBG, "--config", slow.name, "two"]))


def moved(t, screen):
    """Frames of a protocol that nobody speaks are dropped by who gets them (rx_dropped, as ip -s counts them)."""
    veth = [r["peer"] for r in rows("link", "two") if r["name"] == "eth0"][0]
    before = [link for link in ip_json(pid_of("two"), "-s", "link") if link["ifname"] == "eth0"][0]["stats64"]["rx"]["dropped"]

    def send():
        run("nsenter", "--net=" + daemon_net(), sys.executable, "-c", "import socket, sys\n"
            "s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind((sys.argv[1], 0))\n"
            "for _ in range(7): s.send(b'\\xff' * 6 + b'\\2' * 6 + b'\\x88\\xb5' + bytes(50))", veth)
        screen.keys("R")

    send()
    t.ok("network view: a counter that moved is marked with what it grew by", screen.wait(rf"eth0 .* {before + 7} \+7 ", 6), screen.screen())
    for _ in range(4):  # a sample that comes within 0.4 s of the last one makes no bar
        time.sleep(0.6)
        send()
        if screen.wait(r"eth0 .* [▁-█]+ ", 2):
            break
    t.ok("network view: and the latest rates are drawn", screen.wait(r"eth0 .* [▁-█]+ ", 1), screen.screen())


def watch(t, screen):
    with screen:
        if not t.ok("network view: the screen opens on its target", screen.wait(r"> two .*\n.*Overview\]", 20), screen.screen()):
            return
        screen.keys("6")
        t.ok("network view: the way out and the interfaces", screen.wait(r"eth0.*veth.*br-") and screen.wait("Interfaces 3"), screen.screen())
        in_net(pid_of("two"), "ip", "link", "add", "fresh0", "type", "bridge")
        t.ok("network view: a new interface is there at once", screen.wait("fresh0", 4), screen.screen())
        in_net(pid_of("two"), "ip", "link", "del", "fresh0")
        t.ok("network view: and gone again", wait_for(lambda: "fresh0" not in screen.screen(), 4), screen.screen())
        moved(t, screen)
        screen.keys("]")
        t.ok("network view: routes", screen.wait(r"default +172\.30\.1\.1"), screen.screen())
        in_net(pid_of("two"), "ip", "route", "add", "203.0.113.0/24", "via", "172.30.1.1")
        t.ok("network view: a new route", screen.wait(r"203\.0\.113\.0/24", 4), screen.screen())
        in_net(pid_of("two"), "ip", "route", "del", "203.0.113.0/24")
        screen.keys("q", "q")


def daemon_net():
    return f"/run/netns/{os.path.basename(os.environ['DOCKER_NETNS'])}"


def words(t):
    for argv, code, says in ((("ip", "web", "lonk"), 2, "there are link"), (("ip", "web", "get"), 2, "wants an address"),
                             (("ip", "web", "get", "example"), 2, "not an address"), (("ip",), 2, "wants a target"),
                             (("ip", "netns:nobody-here"), 3, "nobody-here")):
        r = nsdbg(*argv)
        t.ok(f"nsdbg {' '.join(argv)}: exit {code} and a sentence", r.returncode == code and says in r.stderr.decode(), (r.returncode, r.stderr.decode()))
    table = nsdbg("ip", "web").stdout.decode()
    t.ok("ip as text: no escape, the headings of its fields", "\x1b" not in table and "OTHER END" in table, table[:200])


if __name__ == "__main__":
    Checks().run(lab, containers, words, live)
