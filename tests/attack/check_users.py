#!/usr/bin/env python3
"""The local user as attacker: links where a capture is saved, set-uid copies, loader variables, other users' eyes (security.md, G)."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import NSDBG, Checks, end, nsdbg, processes_of, run, wait_for


class Place:
    """A directory of user 4242 with a copy of nsdbg in it, and a namespace with traffic on lo."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="nsdbg-user-")
        os.chmod(self.dir, 0o777)
        self.process = subprocess.Popen(["unshare", "-n", "sh", "-c", "ip link set lo up; exec ping -q -i 0.05 127.0.0.1"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL) if shutil.which("ping") else subprocess.Popen(
            ["unshare", "-n", sys.executable, "-c", "import os,socket,time\nos.system('ip link set lo up')\ns=socket.socket(2,2)\nwhile 1: s.sendto(b'x',('127.0.0.1',9)); time.sleep(.05)"],
            stdin=subprocess.DEVNULL)
        wait_for(lambda: False, 0.3)
        self.target = f"pid:{self.process.pid}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)
        shutil.rmtree(self.dir, ignore_errors=True)


def saved_through_links(t):
    with Place() as place:
        victim = os.path.join(place.dir, "victim")
        with open(victim, "w", encoding="ascii") as file:
            file.write("precious")
        link = os.path.join(place.dir, "capture.pcap")
        os.symlink(victim, link)
        result = nsdbg("cap", place.target, "-i", "lo", "-c", "1", "-w", link, "--force", timeout=20)
        with open(victim, encoding="latin-1") as file:
            t.ok("cap -w through a link: the file behind it is untouched", file.read() == "precious", f"exit {result.returncode}")
        dangling = os.path.join(place.dir, "dangling.pcap")
        os.symlink(os.path.join(place.dir, "made-by-link"), dangling)
        nsdbg("cap", place.target, "-i", "lo", "-c", "1", "-w", dangling, timeout=20)
        t.ok("cap -w through a dangling link makes no file", not os.path.exists(os.path.join(place.dir, "made-by-link")))
        os.mkfifo(os.path.join(place.dir, "fifo"))
        result = nsdbg("cap", place.target, "-i", "lo", "-c", "1", "-w", os.path.join(place.dir, "fifo"), timeout=20)
        t.ok("cap -w on a FIFO does not hang", result.returncode != 10, result.stderr.decode())


def saved_as_the_user(t):
    """sudo's user gets the file, and no more rights than they have."""
    env = {**os.environ, "SUDO_UID": "4242", "SUDO_GID": "4242", "SUDO_USER": "nobody"}
    with Place() as place:
        path = os.path.join(place.dir, "mine.pcap")
        result = nsdbg("cap", place.target, "-i", "lo", "-c", "1", "-w", path, env=env, timeout=20)
        made = os.path.exists(path) and os.stat(path)
        t.ok("cap -w under sudo: the file is the user's own, 0600", made and made.st_uid == 4242 and made.st_mode & 0o777 == 0o600,
             f"exit {result.returncode} {made} {result.stderr.decode()}")
        closed = tempfile.mkdtemp(prefix="nsdbg-closed-")
        result = nsdbg("cap", place.target, "-i", "lo", "-c", "1", "-w", closed + "/x.pcap", env=env, timeout=20)
        t.ok("cap -w under sudo: not where the user may not write", not os.listdir(closed) and result.returncode == 4, f"exit {result.returncode} {result.stderr.decode()}")
        shutil.rmtree(closed)
        for bad in ("-1", "4294967295", "abc", ""):
            path = os.path.join(place.dir, "odd.pcap")
            nsdbg("cap", place.target, "-i", "lo", "-c", "1", "-w", path, env={**env, "SUDO_UID": bad}, timeout=20)
            if os.path.exists(path):
                t.ok(f"SUDO_UID={bad!r}: the file stays root's or nobody's", os.stat(path).st_uid in (0, 65534) and os.stat(path).st_mode & 0o777 == 0o600, os.stat(path))
                os.unlink(path)


def set_uid(t):
    with Place() as place:
        copy = os.path.join(place.dir, "nsdbg")
        shutil.copy(NSDBG, copy)
        os.chmod(copy, 0o4755)
        result = run("setpriv", "--reuid=4242", "--regid=4242", "--clear-groups", copy, "ls", timeout=20)
        t.ok("a set-uid nsdbg refuses to run, in one line", result.returncode not in (0, 10) and len(result.stderr.splitlines()) == 1 and not result.stdout,
             f"exit {result.returncode} {result.stderr.decode()}")


def loader_and_proxy(t):
    """Variables that redirect libraries or requests (F24, G7): the Docker socket is asked directly."""
    env = {**os.environ, "http_proxy": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9", "GCONV_PATH": "/tmp/x", "LOCPATH": "/tmp/x", "TERMINFO": "/tmp/x"}
    result = nsdbg("ls", "--json", env=env)
    t.ok("proxy variables have no say", result.returncode == 0, f"exit {result.returncode} {result.stderr.decode()}")


def eyes_of_others(t):
    with Place() as place:
        process = subprocess.Popen([NSDBG, "cap", place.target, "-i", "lo", "-w", "/dev/null"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for(lambda: len(processes_of()) >= 3, 3)
            wait_for(lambda: False, 0.3)
            for pid in processes_of():
                result = run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "cat", f"/proc/{pid}/environ")
                t.ok(f"another user cannot read the memory of nsdbg's process {pid - process.pid:+d}", result.returncode != 0, result.stdout[:100])
        finally:
            end(process)


def crash_leaves_no_core(t):
    with tempfile.TemporaryDirectory() as d, Place() as place:
        process = subprocess.Popen(["sh", "-c", f"ulimit -c unlimited; exec '{NSDBG}' cap {place.target} -i lo -w /dev/null"], cwd=d, stdin=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        wait_for(lambda: len(processes_of()) >= 3, 3)
        for pid in processes_of():
            os.kill(pid, signal.SIGSEGV)
        process.wait(10)
        t.ok("a crash leaves no core file", not os.listdir(d), os.listdir(d))
        wait_for(lambda: not processes_of(), 5)
        t.ok("and no process", not processes_of(), processes_of())


Checks().run(saved_through_links, saved_as_the_user, set_uid, loader_and_proxy, eyes_of_others, crash_leaves_no_core)
