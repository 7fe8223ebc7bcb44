#!/usr/bin/env python3
"""Every DNAT rule that a real dockerd wrote into its namespace, as iptables-save -c has it: tcp, udp, ranges, one address, IPv6."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import DOCKER, ROOT, Checks, docker, nsdbg_json, run, text_of

sys.path.insert(0, os.path.join(ROOT, "tests/lab"))
import natrules

os.environ["NSDBG_RUNTIME"] = "docker,netns,host"
NETNS = os.environ["DOCKER_NETNS"]
PUBLISH = ["28080:80", "28081-28083:81-83", "127.0.0.1:28084:84", "28087:87/udp"]


def real_rules(t):
    try:
        docker("run", "-d", "--name", "natted", *[w for p in PUBLISH for w in ("-p", p)], "bb:1", "sleep", "600")
        rows = nsdbg_json("ip", os.path.basename(NETNS), "nat")["data"]
        for family, tool in (("ipv4", "iptables"), ("ipv6", "ip6tables")):
            for origin, kind in (("iptables-nft", "nft"), ("iptables-legacy", "legacy")):
                mine = [r for r in rows if r["family"] == family and r["origin"] == origin]
                wrong, n = natrules.differences(text_of("nsenter", f"--net={NETNS}", f"{tool}-{kind}-save", "-c"), mine)
                t.ok(f"{tool}-{kind}-save -c: {n} rules of Docker's", not wrong, wrong[:3])
        ours = [r for r in rows if r["port"] and 28080 <= r["port"] <= 28087]
        t.same("each published port has its rule", sorted({(r["protocol"], r["port"], r["to_port"]) for r in ours}),
               sorted({*(("tcp", 28080 + i, 80 + i) for i in range(5)), ("udp", 28087, 87)}))
        t.same("for whom: outside and the host, not from its own bridge", {(r["from"], r["local_only"], r["in_not"]) for r in ours if r["address"] is None},
               {("both", True, True)})
        t.same("one of 127.0.0.1 only comes in", {r["from"] for r in ours if r["address"] == "127.0.0.1"}, {"outside"})
    finally:
        run(DOCKER, "rm", "-f", "natted")


if __name__ == "__main__":
    Checks().run(real_rules)
