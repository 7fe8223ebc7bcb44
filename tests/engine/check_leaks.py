#!/usr/bin/env python3
"""Nothing stays behind: no process, namespace, mount or descriptor, also when a container dies or a worker is killed meanwhile."""
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import NSDBG, Checks, Terminal, children_of, docker, end, mounts, namespaces, netns_of, nsdbg, pid_of, processes_of, wait_for


def picture():
    """A namespace lives by a process, a descriptor in one, or a mount: with no process and no mount left, no namespace is."""
    return (frozenset(processes_of()), frozenset(mounts()))


def unchanged(t, name, before):
    wait_for(lambda: picture() == before, 5)
    after = picture()
    for what, x, y in zip(("process", "mount"), before, after):
        t.ok(f"{name}: no {what} more or less", x == y, f"before {sorted(x - y)[:4]} after {sorted(y - x)[:4]} {processes_of()}")


def commands(t):
    before = picture()
    for argv in (["ls"], ["networks"], ["ss", "web"], ["ps", "web"], ["dns", "client", "web"], ["cap", "client", "-c", "3"], ["show", "web"]):
        nsdbg(*argv)
    unchanged(t, "after each command", before)


def removed_while_capturing(t):
    docker("run", "-d", "--name", "brief", "--network", "shop", "bb:1", "sleep", "1000000")
    process = subprocess.Popen([NSDBG, "cap", "brief", "-w", "/dev/null"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    wait_for(lambda: len(processes_of()) > 1, 3)
    inode = netns_of(pid_of("brief"))
    docker("rm", "-f", "brief")
    try:
        said = process.communicate(timeout=5)[1].decode()
        t.ok("cap: the container's end ends it within 5 s", True)
        t.ok("cap: says why it ended", said.strip(), f"exit {process.returncode}")
    except subprocess.TimeoutExpired:
        t.ok("cap: the container's end ends it within 5 s", False, "still running")
        end(process)
    t.ok("cap: the dead container's namespace is gone", wait_for(lambda: inode not in namespaces(), 3))


def killed_front(t):
    """kill -9 of the front: broker and workers must follow."""
    before = picture()
    process = subprocess.Popen([NSDBG, "cap", "web", "-w", "/dev/null"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: len(processes_of()) >= 3, 10)
    process.send_signal(signal.SIGKILL)
    process.wait()
    unchanged(t, "after kill -9 of the front", before)


def killed_worker(t):
    before = picture()
    process = subprocess.Popen([NSDBG, "cap", "web", "-w", "/dev/null"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    wait_for(lambda: len(processes_of()) >= 3, 10)
    for pid in processes_of():
        if pid != process.pid and not children(pid):
            os.kill(pid, signal.SIGKILL)
    try:
        said = process.communicate(timeout=5)[1].decode()
        t.ok("cap: a killed worker is said in a sentence", process.returncode not in (0,) and said.strip(), f"exit {process.returncode} {said}")
    except subprocess.TimeoutExpired:
        t.ok("cap: a killed worker is said in a sentence", False, "nothing happened in 5 s")
        end(process)
    unchanged(t, "after kill -9 of the worker", before)


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return file.read().split()
    except OSError:
        return ["?"]


def no_zombies(t):
    """Helpers of a moment, as who asks for the first list, are gone when they have answered."""
    with Terminal() as terminal:
        terminal.wait("answered in", 10)
        mine = [terminal.pid(), *children_of(terminal.pid())]
        left = wait_for(lambda: not [c for p in mine for c in children(p) if status(c, "State") == "Z"], 3)
        t.ok("the list: no helper is left as a zombie", left, {c: status(c, "Name") for p in mine for c in children(p) if status(c, "State") == "Z"})


READERS = 1 << 19 | 1 << 2  # CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH: what a reader of /proc keeps, under seccomp


def privileges(t):
    """While it captures, only the broker holds capabilities; workers and front have none, no user and a seccomp filter."""
    process = subprocess.Popen([NSDBG, "cap", "web", "-w", "/dev/null"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        def ready():
            return len(processes_of()) >= 3 and [p for p in processes_of() if status(p, "Seccomp") == "2"]
        wait_for(ready, 10)
        wait_for(lambda: False, 0.7)
        mine = processes_of()
        powerful = [p for p in mine if int(status(p, "CapEff") or "0", 16) & ~READERS]
        t.ok("one process at most holds capabilities: the broker", len(powerful) <= 1, {p: status(p, "CapEff") for p in mine})
        t.ok("the front holds none", process.pid not in powerful, status(process.pid, "CapEff"))
        t.ok("a worker is under seccomp", any(status(p, "Seccomp") == "2" for p in mine), {p: status(p, "Seccomp") for p in mine})
        t.ok("nobody but the broker is root", all(status(p, "Uid") != "0" for p in mine if p not in powerful),
             {p: (status(p, "Name"), status(p, "Uid"), status(p, "CapEff"), status(p, "Seccomp")) for p in mine})
    finally:
        end(process)


def status(pid, word):
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            return next(line.split()[1] for line in file if line.startswith(word + ":"))
    except (OSError, StopIteration):
        return None


Checks().run(commands, no_zombies, removed_while_capturing, killed_front, killed_worker, privileges)
