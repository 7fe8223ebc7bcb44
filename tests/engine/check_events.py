#!/usr/bin/env python3
"""What happens to containers and networks arrives by itself within a second, and agrees with docker inspect; a daemon that is
stopped, killed and started again is noticed and comes back."""
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import NSDBG, ROOT, Checks, Terminal, docker, end, inspect, netns_of, run, wait_for

PROBE = os.environ.get("PROBE", os.path.join(ROOT, "build-test/tests/engine/engine-probe"))
WITHIN = 1.5  # seconds; 100 ms of them are spent on collecting


class Live:
    """The engine source at work; rows() are those of its last block."""

    def __init__(self, seconds=120):
        self.process = subprocess.Popen([PROBE, os.environ["DOCKER_HOST"], "live", str(seconds)], stdout=subprocess.PIPE)
        self.blocks, self.pending, self.sent = {}, {}, 0
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            _, kind, rest = line.decode("ascii").rstrip("\n").split(" ", 2)
            if kind == "block":
                name = rest.split(" ")[0]
                self.blocks[name] = self.pending.pop(name, [])
                self.sent += 1
            elif kind in ("ls", "networks", "engines"):
                self.pending.setdefault(kind, []).append(" " + rest + " ")

    def row(self, kind, name):
        return next((row for row in self.blocks.get(kind, []) if f" name={name} " in row), "")

    def shows(self, kind, name, *parts):
        return wait_for(lambda: (row := self.row(kind, name)) and all(part in row for part in parts) and row, WITHIN)

    def lacks(self, kind, name):
        return wait_for(lambda: not self.row(kind, name), WITHIN)

    def engine(self, part, seconds):
        return wait_for(lambda: any(part in row for row in self.blocks.get("engines", [])), seconds)


def follows(t):
    live = Live()
    wait_for(lambda: live.blocks.get("networks"), 5)
    docker("run", "-d", "--name", "ev", "bb:1", "sleep", "1000000")
    pid = inspect("ev")[0]["State"]["Pid"]
    address = inspect("ev")[0]["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
    t.ok("run: with pid and address", live.shows("ls", "ev", " state=running ", f" pid={pid} ", f" addresses={address} "), live.row("ls", "ev"))
    t.ok("run: is a member of its network", live.shows("networks", "bridge", "ev"), live.row("networks", "bridge"))
    docker("rename", "ev", "ev2")
    t.ok("rename: the new name", live.shows("ls", "ev2", f" pid={pid} "))
    t.ok("rename: not the old one", live.lacks("ls", "ev"))
    docker("pause", "ev2")
    t.ok("pause: keeps its pid", live.shows("ls", "ev2", " state=paused ", f" pid={pid} "), live.row("ls", "ev2"))
    docker("unpause", "ev2")
    t.ok("unpause", live.shows("ls", "ev2", " state=running "))
    docker("network", "create", "evnet")
    interface = "br-" + inspect("evnet", kind="network")[0]["Id"][:12]
    t.ok("network create: with its bridge", live.shows("networks", "evnet", f" interface={interface} "), live.row("networks", "evnet"))
    docker("network", "connect", "evnet", "ev2")
    t.ok("network connect: the container has it", live.shows("ls", "ev2", " networks=bridge,evnet "), live.row("ls", "ev2"))
    t.ok("network connect: the network has it", live.shows("networks", "evnet", " members=ev2 "), live.row("networks", "evnet"))
    docker("network", "disconnect", "evnet", "ev2")
    t.ok("network disconnect", live.shows("ls", "ev2", " networks=bridge "), live.row("ls", "ev2"))
    docker("network", "rm", "evnet")
    t.ok("network rm", live.lacks("networks", "evnet"))
    docker("stop", "-t", "0", "ev2")
    t.ok("stop: exit code, no pid", live.shows("ls", "ev2", " state=exited ", " exit_code=137 ") and " pid=" not in live.row("ls", "ev2"))
    docker("start", "ev2")
    t.ok("start: another pid", live.shows("ls", "ev2", " state=running ") and f" pid={pid} " not in live.row("ls", "ev2"))
    docker("rm", "-f", "ev2")
    t.ok("rm", live.lacks("ls", "ev2"))
    end(live.process)


def health(t):
    live = Live()
    docker("run", "-d", "--name", "evh", "--health-cmd", "test -e /tmp/ok", "--health-interval", "1s", "--health-retries", "1", "bb:1", "sleep", "1000000")
    t.ok("health: unhealthy arrives", wait_for(lambda: " health=unhealthy " in live.row("ls", "evh"), 6), live.row("ls", "evh"))
    docker("exec", "evh", "touch", "/tmp/ok")
    t.ok("health: healthy arrives", wait_for(lambda: " health=healthy " in live.row("ls", "evh"), 6), live.row("ls", "evh"))
    time.sleep(0.5)
    before = live.sent
    time.sleep(3.2)  # three checks, each with three events that change nothing
    t.ok("health: its checks alone send nothing", live.sent == before, f"{live.sent - before} blocks in 3 s")
    docker("rm", "-f", "evh")
    end(live.process)


def daemon(t):
    live = Live()
    wait_for(lambda: live.blocks.get("networks"), 5)
    rows = len(live.blocks["ls"])
    pid = int(open(os.path.join(os.path.dirname(os.environ["DOCKER_HOST"].removeprefix("unix://")), "dockerd.pid")).read())
    os.kill(pid, signal.SIGSTOP)
    try:
        t.ok("a stopped daemon is noticed when it is asked nothing (within 34 s)", live.engine(" answering=no ", 34), live.blocks.get("engines"))
        t.ok("its rows stay, with their time", len(live.blocks["ls"]) == rows and all(" as_of=" in row for row in live.blocks["ls"]))
        t.ok("the reason says what to do", live.engine("is dockerd hanging?", 1), live.blocks.get("engines"))
    finally:
        os.kill(pid, signal.SIGCONT)
    t.ok("it comes back", live.engine(" answering=yes ", 20))
    t.ok("its rows are fresh again", wait_for(lambda: len(live.blocks["ls"]) == rows and not re.search(" as_of=", "".join(live.blocks["ls"])), 3))
    end(live.process)


def host(t):
    """Links of the host by rtnetlink, where no engine tells: the list is read at once, not at its next turn in 40 s."""
    name = f"late{os.getpid()}"
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as slow:
        slow.write("[settings]\ninterval = 40s\n")
        slow.flush()
        with Terminal(160, 50, [NSDBG, "--config", slow.name]) as terminal:
            terminal.wait("answered in", 8)
            terminal.type(f"/{name}")
            terminal.keys("Enter")
            time.sleep(2)
            run("ip", "netns", "add", name)
            try:
                t.ok("a namespace alone moves no link: not seen yet", f" {name} " not in terminal.screen(), terminal.screen())
                run("ip", "link", "add", f"{name[:13]}a", "type", "veth", "peer", "name", f"{name[:13]}b", "netns", name)
                t.ok("a link into it appears: the row is there", terminal.wait(rf" {name} ", 2), terminal.screen())
            finally:
                run("ip", "netns", "del", name)
            t.ok("the link goes: so does the row", wait_for(lambda: f" {name} " not in terminal.screen(), 2), terminal.screen())


def ends(t):
    """The end of a process that no engine speaks for, and of a namespace's holder: by pidfd, not with the next reading in 40 s."""
    hold = "import os, sys, time; fd = os.open(f'/proc/{sys.argv[1]}/ns/net', os.O_RDONLY); print('up', flush=True); time.sleep(600)"
    bare, left = (subprocess.Popen(["unshare", "-n", "sleep", "600"], stdin=subprocess.DEVNULL) for _ in range(2))
    wait_for(lambda: all(netns_of(p.pid) != netns_of("self") for p in (bare, left)))
    held = netns_of(left.pid)
    holder = subprocess.Popen([sys.executable, "-c", hold, str(left.pid)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    holder.stdout.readline()
    end(left)
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as slow:
        slow.write("[settings]\ninterval = 40s\n")
        slow.flush()
        try:
            with Terminal(160, 50, [NSDBG, "--config", slow.name]) as terminal:
                t.ok("a bare namespace is listed", terminal.wait("answered in", 8) and terminal.type(f"/sleep/{bare.pid}") is None and
                     terminal.keys("Enter") is None and terminal.wait(rf" sleep/{bare.pid} ", 4), terminal.screen())
                os.kill(bare.pid, signal.SIGKILL)
                t.ok("kill -9 of its process: the row goes within a second", wait_for(lambda: f" sleep/{bare.pid} " not in terminal.screen().split("filter:", 1)[1], 1),
                     terminal.screen())
                terminal.keys("/", "C-u")
                terminal.type(f"netns-{held}")
                terminal.keys("Enter")
                terminal.type("R")  # walks over the descriptors, which the reading in 40 s would
                t.ok("a namespace that a descriptor holds is listed", terminal.wait(rf" netns-{held} ", 6), terminal.screen())
                time.sleep(1)
                os.kill(holder.pid, signal.SIGKILL)
                t.ok("kill -9 of its holder: that row goes as well", wait_for(lambda: f" netns-{held} " not in terminal.screen().split("filter:", 1)[1], 2),
                     terminal.screen())
        finally:
            for p in (bare, holder):
                end(p)
            holder.stdout.close()


Checks().run(follows, health, host, ends, daemon)
