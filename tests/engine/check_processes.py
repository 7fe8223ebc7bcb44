#!/usr/bin/env python3
"""ps agrees with docker top and with ps(1) and /proc on the host."""
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import Checks, docker, nsdbg, nsdbg_json, pid_of, text_of

FIELDS = ["pid", "ns_pid", "ppid", "user", "state", "cpu_percent", "rss_bytes", "threads", "command"]


def top(name):
    lines = docker("top", name, "-eo", "pid,ppid,args").splitlines()[1:]
    return {int(line.split()[0]): (int(line.split()[1]), line.split(None, 2)[2]) for line in lines}


def status(pid, word):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next(line.split()[1:] for line in file if line.startswith(word + ":"))


def containers(t):
    for name in ("web", "client", "busy", "tiny", "side", "hosty", "lonely", "paused", "user"):
        rows = {r["pid"]: r for r in nsdbg_json("ps", name)["data"]}
        truth = top(name)
        t.sets(f"ps {name}: the same processes as docker top", rows, truth)
        for pid in set(rows) & set(truth):
            compare_one(t, f"ps {name} {pid}", rows[pid], truth[pid])
    t.ok("ps: every field of the contract is there", all(set(FIELDS) <= set(r) for r in nsdbg_json("ps", "busy")["data"]))


def compare_one(t, what, row, truth):
    user, state, rss, threads = text_of("ps", "-o", "user:64=,state=,rss=,nlwp=", "-p", row["pid"]).split()
    want = {
        "ppid": truth[0],
        "command": truth[1],
        "ns_pid": int(status(row["pid"], "NSpid")[-1]),
        "user": user,
        "state": state,
        "threads": int(threads),
    }
    found = {k: row[k] for k in want}
    if want["state"] in "SDR" and found["state"] in ("S", "D", "R"):  # it may have gone to sleep meanwhile
        want["state"] = found["state"]
    t.ok(f"{what}: agrees with ps(1)", found == want, {k: (found[k], want[k]) for k in want if found[k] != want[k]})
    t.ok(f"{what}: memory", abs((row["rss_bytes"] or 0) - int(rss) * 1024) <= 512 * 1024, (row["rss_bytes"], int(rss) * 1024))


def busy_cpu(t):
    docker("exec", "-d", "busy", "sh", "-c", "while :; do :; done")
    rows = nsdbg_json("ps", "busy")["data"]
    spinning = [r for r in rows if "while :" in r["command"]]
    t.ok("ps busy: a process that was exec'ed in is listed", len(spinning) == 1, [r["command"] for r in rows])
    t.ok("ps busy: its CPU is seen", spinning and (spinning[0]["cpu_percent"] or 0) > 1, spinning)
    for r in spinning:
        os.kill(r["pid"], signal.SIGKILL)


def tree(t):
    rows = nsdbg_json("ps", "busy", "--tree")["data"]
    main = next(r for r in rows if r["pid"] == pid_of("busy"))
    kids = [r for r in rows if r["ppid"] == main["pid"]]
    t.same("ps --tree: the shell has its two children", sorted(r["command"] for r in kids), ["sleep 1000001", "sleep 1000002"])
    text = nsdbg("ps", "busy", "--tree").stdout.decode()
    t.ok("ps --tree as text", "sleep 1000001" in text, text)


Checks().run(containers, busy_cpu, tree)
