#!/usr/bin/env python3
"""Namespaces that only a descriptor, a socket or a thread keeps alive: listed with their holder, entered, and let go of."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import NSDBG, Checks, Terminal, end, netns_of, nsdbg, nsdbg_json, one_line, processes_of, run, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))
WAYS = {"descriptor": "descriptor", "socket": "socket", "deleted": "descriptor", "thread": "thread"}


class Keeper:
    """The program keeper.py in a mount namespace of its own: its /run/netns is not ours."""

    def __enter__(self):
        self.process = subprocess.Popen(["unshare", "-m", sys.executable, os.path.join(HERE, "keeper.py")], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.kept = json.loads(self.process.stdout.readline())
        self.pid = self.process.pid
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def rows(*argv, **more):
    return {row["netns"]: row for row in nsdbg_json("ls", *argv, codes=(0, 7), **more)["data"]}  # 7: some engine of the host does not answer


def listed(t):
    with Keeper() as keeper:
        found = rows("-a")
        for way, inode in keeper.kept.items():
            row = found.get(inode) or {}
            holders = [(h["pid"], h["by"]) for h in row.get("holders", [])]
            t.ok(f"ls -a: held by a {way}, and by whom", holders == [(keeper.pid, WAYS[way])] and str(keeper.pid) in (row["problem"] or ""), row)
        others = [r for r in found.values() if r["processes"] and r["holders"]]
        t.ok("what has a process is not called held", not others, others[:2])
        t.ok("ls without -a does not pay for the walk", not set(keeper.kept.values()) & set(rows()))
    left = wait_for(lambda: not set(keeper.kept.values()) & set(rows("-a")), 3)
    t.ok("they are gone with their holder", left)


def entered(t):
    with Keeper() as keeper:
        for way, inode in keeper.kept.items():
            link = nsdbg("ip", f"ns:{inode}", "link", "--json")
            want = "down" if way == "deleted" else "up"
            state = json.loads(link.stdout)["data"][0]["up"] if link.returncode == 0 else None
            t.ok(f"ip ns:INODE, held by a {way}: inside", state is (want == "up"), one_line(link.stdout + link.stderr))
            said = nsdbg("exec", f"netns-{inode}", "--", "stat", "-Lc", "%i", "/proc/self/ns/net")
            t.same(f"exec, held by a {way}: inside", said.stdout.decode().strip(), str(inode))
        sockets = nsdbg_json("ss", f"ns:{keeper.kept['socket']}", "-l")["data"]
        t.ok("ss: the socket that holds it, with its owner", [(s["local_port"], s["pid"]) for s in sockets] == [(4321, keeper.pid)], sockets)
        shown = nsdbg("show", f"netns-{keeper.kept['thread']}").stdout.decode()
        t.ok("show: who holds it", re.search(r"by +thread", shown) and str(keeper.pid) in shown, shown)
        for command in (["ps"], ["files"], ["probe", "ping", "127.0.0.1"]):
            words = [command[0], f"ns:{keeper.kept['descriptor']}", *command[1:]]
            result = nsdbg(*words)
            t.ok(f"{command[0]} works in it", result.returncode in (0, 1) and b"process" not in result.stderr, result)


def on_the_screen(t):
    with Keeper() as keeper, Terminal() as terminal:
        inode = keeper.kept["socket"]
        terminal.wait("Targets", 5)
        terminal.keys("/")
        terminal.type(f"netns-{inode}")
        terminal.keys("Enter")
        t.ok("the list shows it a moment later, as held", terminal.wait(rf"netns-{inode} +ns +held", 25), terminal.screen())
        t.ok("and by whom", terminal.wait(rf"held by +python3 \({keeper.pid}\) by socket", 3), terminal.screen())
        terminal.keys("s")
        t.ok("its sockets open", terminal.wait(r"127\.0\.0\.1:4321", 5), terminal.screen())
        terminal.keys("0")
        time.sleep(2.5)  # one scan with our worker inside
        t.ok("our own worker inside is not taken for a process of it", terminal.wait(rf"netns-{inode} +ns +held", 3), terminal.screen())
        terminal.keys("Enter")
        end(keeper.process)
        t.ok("the holder's end is said", terminal.wait(r"ended|gone|no longer holds|has left the list", 5), terminal.screen())
        terminal.keys("q")


def workers_do_not_count(t):
    """A view open on a bare namespace puts workers of ours into it: the list still says how many processes live there."""
    bare = subprocess.Popen(["unshare", "-n", "sleep", "100000"])
    try:
        wait_for(lambda: netns_of(bare.pid) != netns_of(os.getpid()), 3)
        with Terminal(command=[NSDBG, f"pid:{bare.pid}"]) as terminal:
            terminal.wait(rf"sleep/{bare.pid}", 10)
            terminal.keys("s")
            inside = wait_for(lambda: [p for p in processes_of() if netns_of_or_none(p) == netns_of(bare.pid)], 5)
            t.ok("a worker of ours is in the namespace", inside, terminal.screen())
            terminal.keys("0")
            terminal.keys("/")
            terminal.type(f"sleep/{bare.pid}")
            terminal.keys("Enter")
            time.sleep(2.5)
            t.ok("the list counts one process in it", terminal.wait(rf"sleep/{bare.pid} +ns +1 proc ", 3), terminal.screen())
            terminal.keys("q")
    finally:
        end(bare)


def ordinary_user(t):
    """Without root: one's own namespaces are listed and entered by views and tools, by way of the user namespace that owns them; others are refused
    with the right that is missing and the remedy."""
    user = ["setpriv", "--reuid=1234", "--regid=1234", "--clear-groups", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
    directory = tempfile.mkdtemp(prefix="nsdbg-user-")
    own = subprocess.Popen([*user, "unshare", "-Urn", "sh", "-c", "ip link set lo up; echo up; exec sleep 100000"], stdout=subprocess.PIPE)
    try:
        os.chmod(directory, 0o755)
        program = shutil.copy(NSDBG, directory)
        own.stdout.readline()
        wait_for(lambda: name_of(own.pid) == "sleep", 3)
        inode = netns_of(own.pid)
        rows = {r["netns"]: r for r in json.loads(run(*user, program, "ls", "--json").stdout)["data"]}
        t.ok("an ordinary user's own namespace is listed", rows.get(inode, {}).get("pid") == own.pid, rows.get(inode))
        links = run(*user, program, "ip", f"ns:{inode}", "link", "--json")
        t.ok("a view enters it", links.returncode == 0 and json.loads(links.stdout)["data"][0]["up"] is True, links)
        for words in (["--"], ["--ns", "net,user", "--"]):
            said = run(*user, program, "exec", f"pid:{own.pid}", *words, "stat", "-Lc", "%i", "/proc/self/ns/net")
            t.same(f"exec {words[0]} enters it", said.stdout.decode().strip(), str(inode))
        other = run(*user, program, "exec", "pid:1", "--", "true")
        t.ok("another's is refused with the missing right and the remedy", other.returncode == 125 and re.search(rb"needs CAP_\w+; run with sudo", other.stderr), other)
    finally:
        end(own)
        shutil.rmtree(directory, ignore_errors=True)


def name_of(pid):
    with open(f"/proc/{pid}/comm", encoding="ascii") as file:
        return file.read().strip()


def netns_of_or_none(pid):
    try:
        return netns_of(pid)
    except OSError:
        return None


Checks().run(listed, entered, on_the_screen, workers_do_not_count, ordinary_user)
