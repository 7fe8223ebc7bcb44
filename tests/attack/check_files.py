#!/usr/bin/env python3
"""Hostile resolver files: links out of the container, devices, FIFOs, endless and huge files. Nothing of the host may be read through
them, nobody may hang, and the reason is said (security.md, cases B1-B6)."""
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import Checks, children_of, end, nsdbg, wait_for

CANARY = "canary-" + os.urandom(8).hex()
BUSYBOX = shutil.which("busybox", path="/bin:/usr/bin")


class Root:
    """A container of the plainest kind: namespaces and a root file system that we made."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="nsdbg-root-")
        for name in ("bin", "etc", "proc", "dev"):
            os.mkdir(os.path.join(self.dir, name))
        shutil.copy(BUSYBOX, os.path.join(self.dir, "bin/busybox"))
        self.process = subprocess.Popen(["unshare", "-nmpuf", "--kill-child", "sh", "-c",
                                         f"mount -t proc proc {self.dir}/proc; exec chroot {self.dir} /bin/busybox sleep 1000000"],
                                        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wait_for(lambda: any(self.name_of(p) == "busybox" for p in children_of(self.process.pid)))
        self.pid = next(p for p in children_of(self.process.pid) if self.name_of(p) == "busybox")

    @staticmethod
    def name_of(pid):
        try:
            return os.path.basename(os.readlink(f"/proc/{pid}/exe"))
        except OSError:
            return None

    def path(self, name):
        return os.path.join(self.dir, name.lstrip("/"))

    def close(self):
        end(self.process)
        shutil.rmtree(self.dir, ignore_errors=True)


def link(target):
    return lambda path: os.symlink(target, path)


def text(data):
    def write(path):
        with open(path, "wb") as file:
            file.write(data)
    return write


def sparse(path):
    with open(path, "wb") as file:
        file.write(b"nameserver 10.1.2.3\n")
        file.truncate(1 << 40)


def chain(path):
    previous = "nowhere"
    for i in range(41):
        os.symlink(previous, f"{path}.{i}")
        previous = os.path.basename(f"{path}.{i}")
    os.symlink(previous, path)


ATTACKS = {
    "a link to a file of the host": link("/root/nsdbg-canary"),
    "a link upwards": link("../../../../../../root/nsdbg-canary"),
    "a link to itself": lambda path: os.symlink(os.path.basename(path), path),
    "41 links in a row": chain,
    "a link to the reader's own environment": link("/proc/self/environ"),
    "a link to the kernel's log": link("/proc/kmsg"),
    "a link to a process's memory": link("/proc/1/mem"),
    "a link through another root": link("/proc/1/root/root/nsdbg-canary"),
    "a FIFO": os.mkfifo,
    "a directory": os.mkdir,
    "/dev/zero": lambda path: os.mknod(path, 0o20666, os.makedev(1, 5)),
    "a terminal": lambda path: os.mknod(path, 0o20666, os.makedev(5, 0)),
    "a file of 1 TiB": sparse,
    "5 MB in one line": text(b"nameserver " + b"9" * 5_000_000 + b"\n"),
    "100,000 name servers": text(b"nameserver 10.1.2.3\n" * 100000),
    "NUL bytes": text(b"nameserver 10.1.2.3\0\nnameserver\0 10.1.2.4\n\0\0\0search x\0y\n"),
    "carriage returns": text(b"# harmless \r\rnameserver 9.9.9.9\noptions ndots:999999999999 timeout:-5 attempts:4294967296\n"),
    "addresses that are none": text(b"nameserver 127.0.0.53%eth0\nnameserver fe80::1%$(reboot)\nnameserver " + b"1" * 5000 + b"\nnameserver 1.2.3.4.5\n"),
}


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        os.rmdir(path)
    elif os.path.lexists(path):
        os.unlink(path)


def each_attack(t):
    with open("/root/nsdbg-canary", "w", encoding="ascii") as file:
        file.write(f"nameserver {CANARY}\nsearch {CANARY}\n10.6.6.6 {CANARY}\n")
    root = Root()
    environment = {**os.environ, "CANARY": CANARY}
    try:
        for name, plant in ATTACKS.items():
            for file in ("etc/resolv.conf", "etc/hosts", "etc/nsswitch.conf"):
                plant(root.path(file))
            attack(t, name, root, environment)
            for file in os.listdir(root.path("etc")):
                remove(root.path("etc/" + file))
    finally:
        root.close()
        os.unlink("/root/nsdbg-canary")


def attack(t, name, root, environment):
    for argv in (["files", f"pid:{root.pid}"], ["dns", f"pid:{root.pid}", CANARY, "--timeout", "1s"]):
        start = time.monotonic()
        try:
            result = nsdbg(*argv, "--json", env=environment, timeout=20)
        except subprocess.TimeoutExpired:
            t.ok(f"{argv[0]}: {name}: ends", False, "still running after 20 s")
            continue
        took = time.monotonic() - start
        said = result.stdout + result.stderr
        t.ok(f"{argv[0]}: {name}: ends in time, no crash", took < 8 and result.returncode in (0, 6, 7), f"exit {result.returncode} after {took:.1f} s: {said[:300]}")
        if argv[0] == "files":
            t.ok(f"files: {name}: nothing of the host in it", CANARY.encode() not in said, said[:300])


def names_of_things(t):
    """Interface and host names with escapes, in a namespace without an engine."""
    process = subprocess.Popen(["unshare", "-nu", "sh", "-c", "python3 -c 'import socket; socket.sethostname(\"h\\x1b]0;x\\x07\")'; ip link set lo up; "
                                "ip link add \"$(printf '\\033[31mX')\" type veth peer name \"$(printf 'a\\2332Jb')\"; exec sleep 1000000"],
                               stdin=subprocess.DEVNULL)
    try:
        wait_for(lambda: Root.name_of(process.pid) == "sleep")
        for argv in (["ls"], ["show", f"pid:{process.pid}"], ["cap", f"pid:{process.pid}", "-i", "nosuch", "-c", "1"],
                     ["cap", f"pid:{process.pid}", "-i", "\x1b[31mX", "--for", "300ms"]):
            result = nsdbg(*argv)
            said = result.stdout + result.stderr
            t.ok(f"{argv[0]} with hostile interface and host names", b"\x1b" not in said and b"\x9b" not in said.replace("…".encode(), b""), said[:300])
    finally:
        end(process)


Checks().run(each_attack, names_of_things)
