#!/usr/bin/env python3
"""The lab, seen by the app and by the command line, without any container engine."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import Checks, Terminal, nsdbg, wait_for

PREFIX = os.environ["LAB_PREFIX"]
ENV = ["DOCKER_HOST="]  # no engine was named, none is there


def plain(*argv):
    return nsdbg(*argv, env={k: v for k, v in os.environ.items() if k != "DOCKER_HOST"})


def rows(t, *argv):
    result = plain(*argv, "--json")
    if not t.ok(f"{' '.join(argv)}: exit 0 or 7", result.returncode in (0, 7), f"exit {result.returncode} {result.stderr.decode()}"):
        return []
    return json.loads(result.stdout)["data"]


def command_line(t):
    names = {r["name"] for r in rows(t, "ls")}
    t.ok("ls: the lab's namespaces", {f"{PREFIX}-{m}" for m in ("web", "db", "client", "dns")} <= {n.removeprefix("netns:") for n in names}, names)
    web = f"{PREFIX}-web"
    sockets = rows(t, "ss", web, "-t")
    t.ok("ss: web listens on 80", any(r["local_port"] == 80 and r["state"] == "LISTEN" and r["process"] for r in sockets), sockets)
    processes = rows(t, "ps", web)
    t.ok("ps: web and its two workers", sum(r["command"] == "web" for r in processes) == 3, [r["command"] for r in processes])
    answers = rows(t, "dns", f"{PREFIX}-client", "db.lab")
    t.ok("dns: the lab's zone", any(r["data"] == "10.77.0.2" and r["server"] == "10.77.0.53" for r in answers), answers)
    searched = rows(t, "dns", f"{PREFIX}-client", "web")
    t.ok("dns: the search domain of its own resolv.conf", any(r["data"] == "10.77.0.3" for r in searched), searched)
    missing = rows(t, "dns", f"{PREFIX}-client", "queue.lab")
    t.ok("dns: NXDOMAIN", any(r["rcode"] == "NXDOMAIN" for r in missing), missing)
    text = plain("cap", f"{PREFIX}-client", "-c", "10").stdout.decode()
    t.ok("cap: ten packets", len(text.splitlines()) in (10, 11), text)
    fault = wait_for(lambda: [r for r in rows(t, "ss", f"{PREFIX}-client", "-t") if r["state"] == "SYN-SENT" and r["remote_port"] == 6379], 3)
    t.ok("ss: the fault shows", fault)


def app(t):
    for columns, lines in ((160, 50), (120, 36), (80, 24), (40, 10)):
        with Terminal(columns, lines, env=ENV) as terminal:
            size = f"{columns}x{lines}"
            t.ok(f"list at {size}", terminal.wait(r"/ filter", 10), terminal.screen())
            terminal.keys("/")
            terminal.type(f"{PREFIX}-web")
            terminal.keys("Enter")
            t.ok(f"list at {size}: the lab is in it", terminal.wait(rf"^>.*{PREFIX}-web"), terminal.screen())
            for key, pattern in (("s", r"LISTEN"), ("p", r"\bweb\b"), ("c", r"\b(TCP|ARP|ACK|FIN)\b"), ("d", r"10\.77\.0\.53")):
                terminal.keys(key)
                t.ok(f"{key} at {size}", terminal.wait(pattern, 8), " / ".join(s.strip() for s in terminal.screen().splitlines() if s.strip()))
            terminal.keys("Q")
            t.ok(f"Q at {size}", wait_for(terminal.dead, 5) and terminal.status() == 0, terminal.screen())


Checks().run(command_line, app)
