#!/usr/bin/env python3
"""health agrees with docker stats, ip -s link, ss -s and nstat, and says what is wrong in words."""
import json
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import NSDBG, Checks, docker, end, in_net, nsdbg_json, pid_of, popen_in_net, run, text_of, wait_for

UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
EAT = "while :; do (x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done) 2>/dev/null; sleep 1; done"
# A listener that never accepts, and clients that fill its queue: connections are dropped, their SYNs sent again.
FLOOD = """
import socket, time
s = socket.socket(); s.bind(("127.0.0.1", 7999)); s.listen(0)
c = [socket.socket() for i in range(8)]
for x in c: x.setblocking(False); x.connect_ex(("127.0.0.1", 7999))
print("up", flush=True); time.sleep(60)
"""


def size(text):
    number, unit = re.fullmatch(r"([0-9.]+)([KMG]?i?B)", text.strip()).groups()
    return float(number) * UNITS[unit]


def ours(rows):
    """By name, those of the tests' engine alone: others on the machine may have containers of the same names."""
    pids = docker("inspect", "-f", "{{.State.Pid}}", *docker("ps", "-q").split()).split()
    return {r["name"]: r for r in rows if str(r["pid"]) in [*pids, "1"]}


def rows_of(*words):
    return ours(nsdbg_json("health", *words)["data"])


def inside(name, *command):
    return text_of("nsenter", "-t", pid_of(name), "-n", *command)


def links(name):
    data = [d["stats64"] for d in json.loads(inside(name, "ip", "-j", "-s", "link")) if d["ifname"] != "lo"]
    return {f"{way}_{key}": sum(d[way][word] for d in data) for way in ("rx", "tx")
            for key, word in (("bytes", "bytes"), ("packets", "packets"), ("drops", "dropped"), ("errors", "errors"))}


def nstat(name):
    lines = inside(name, "nstat", "-asz").splitlines()[1:]
    return {line.split()[0]: int(line.split()[1]) for line in lines}


def against_docker(t):
    rows = rows_of("--for", "10ms")
    for line in docker("stats", "--no-stream", "--format", "{{json .}}").splitlines():
        stats = json.loads(line)
        name, row = stats["Name"], rows.get(stats["Name"])
        t.ok(f"health {name}: there", row is not None)
        if not row or name in ("web", "db", "client", "ill", "well"):  # these work all the time
            continue
        used, limit = (size(x) for x in stats["MemUsage"].split("/"))
        t.ok(f"health {name}: memory as docker stats", abs(row["memory_bytes"] - used) <= max(65536, used * 0.05),
             (row["memory_bytes"], used))
        t.ok(f"health {name}: processes as docker stats", row["processes"] == int(stats["PIDs"]), (row["processes"], stats["PIDs"]))
        if row["memory_limit_bytes"] is not None:
            t.ok(f"health {name}: memory limit", abs(row["memory_limit_bytes"] - limit) <= 65536, (row["memory_limit_bytes"], limit))


def against_kernel(t):
    for name in ("web", "db", "tiny", "two"):
        before, stat = links(name), nstat(name)
        row = rows_of("--for", "10ms")[name]
        after, stat_after = links(name), nstat(name)
        bad = {k: (before[k], row[k], after[k]) for k in before if not before[k] <= row[k] <= after[k]}
        t.ok(f"health {name}: counters as ip -s link", not bad, bad)
        pairs = {"segments_sent": "TcpOutSegs", "retransmits": "TcpRetransSegs", "resets": "TcpEstabResets",
                 "listen_overflows": "TcpExtListenOverflows", "listen_drops": "TcpExtListenDrops"}
        bad = {k: (stat[n], row[k], stat_after[n]) for k, n in pairs.items() if not stat[n] <= row[k] <= stat_after[n]}
        t.ok(f"health {name}: counters as nstat", not bad, bad)
    total = int(re.search(r"Total: (\d+)", inside("tiny", "ss", "-s")).group(1))
    row = rows_of("--for", "10ms")["tiny"]
    t.ok("health tiny: sockets as ss -s", row["sockets"] == total, (row["sockets"], total))


def sick(t):
    docker("run", "-d", "--name", "hungry", "--memory", "16m", "bb:1", "sh", "-c", EAT)
    docker("run", "-d", "--name", "full", "--pids-limit", "3", "bb:1", "sh", "-c", "sleep 1000003 & sleep 1000004 & wait")
    docker("run", "-d", "--name", "spinner", "--cpus", "0.1", "bb:1", "sh", "-c", "while :; do :; done")
    wait_for(lambda: (rows_of("--for", "10ms")["hungry"]["oom_kills"] or 0) > 0, 20)
    health = subprocess.Popen([NSDBG, "health", "--json", "--for", "2500ms"], stdout=subprocess.PIPE, text=True)
    time.sleep(0.7)
    flood = popen_in_net(pid_of("lonely"), sys.executable, "-c", FLOOD)
    rows = ours(json.loads(health.communicate()[0])["data"])
    stat = nstat("lonely")
    end(flood)
    t.ok("a listener that drops connections is a finding", "listener's queue is full" in (rows["lonely"]["problem"] or ""), rows["lonely"])
    t.ok("... counted as nstat does", 0 < rows["lonely"]["listen_drops_recent"] <= stat["TcpExtListenDrops"],
         (rows["lonely"]["listen_drops_recent"], stat["TcpExtListenDrops"]))
    t.ok("an OOM kill is a finding", "want of memory" in (rows["hungry"]["problem"] or "") or "memory at" in (rows["hungry"]["problem"] or ""),
         rows["hungry"]["problem"])
    t.ok("its limit is said", rows["hungry"]["memory_limit_bytes"] == 16 << 20, rows["hungry"]["memory_limit_bytes"])
    t.ok("a container at its limit of processes is a finding", "fork fails" in (rows["full"]["problem"] or ""), rows["full"]["problem"])
    t.ok("a CPU quota that is used up is a finding", "CPU quota" in (rows["spinner"]["problem"] or ""), rows["spinner"]["problem"])
    t.ok("CPU is near the quota", 5 <= rows["spinner"]["cpu_percent"] <= 16, rows["spinner"]["cpu_percent"])
    t.ok("nothing is wrong with a container at rest", rows["busy"]["problem"] is None, rows["busy"]["problem"])
    docker("rm", "-f", "hungry", "full", "spinner")


def host_and_shared(t):
    ping = popen_in_net(pid_of("two"), "ping", "-q", "-i", "0.1", "-c", "50", "172.30.1.1")
    rows = rows_of()
    end(ping)
    t.ok("the traffic of a container on the host's network is not told apart: unknown, not zero",
         rows["hosty"]["rx_bytes"] is None and rows["hosty"]["sockets"] is None and rows["hosty"]["cpu_percent"] is not None, rows["hosty"])
    t.ok("traffic has a rate, and the rate a history", (rows["two"]["rx_bytes_per_second"] or 0) > 400 and rows["two"]["rates"], rows["two"])
    with open("/proc/meminfo", encoding="ascii") as file:
        total = int(re.search(r"MemTotal:\s+(\d+)", file.read()).group(1)) * 1024
    t.same("the host's memory is that of /proc/meminfo", rows["host"]["memory_limit_bytes"], total)


def few_files(t):
    """Where descriptors are few, what is left out is said and counted, the rest is there."""
    result = run("prlimit", "--nofile=40", NSDBG, "health", "--json", "--for", "10ms")
    document = json.loads(result.stdout)
    said = re.search(r"health of (\d+) targets is not read", result.stderr.decode())
    t.ok("health with few descriptors: says how many are left out", result.returncode == 7 and said, result.stderr)
    t.ok("... and the others are there", said and int(said.group(1)) > 0 and document["data"], len(document["data"]))


Checks().run(against_docker, against_kernel, host_and_shared, sick, few_files)
