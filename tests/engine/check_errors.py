#!/usr/bin/env python3
"""Bad input and bad surroundings: one clear sentence, the right exit code (ux.md 3.3), nothing lost."""
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import NSDBG, Checks, docker, inspect, nsdbg, run


def refused(t, name, code, *argv, says="", **more):
    result = nsdbg(*argv, **more)
    said = result.stderr.decode(errors="replace")
    t.ok(name, result.returncode == code and len(said.splitlines()) in (1, 2, 3) and says in said and not result.stdout,
         f"exit {result.returncode} instead of {code}; said: {said} {result.stdout[:100]}")


def targets(t):
    refused(t, "an unknown target is exit 3", 3, "ss", "no-such-container", says="no-such-container")
    refused(t, "a near name is offered", 3, "ss", "clent", says="client")
    refused(t, "a stopped container is named as such", 3, "ss", "stopped", says="stopped")
    refused(t, "a prefix of three digits is no target", 3, "ss", inspect("web")[0]["Id"][:3])


def usage(t):
    refused(t, "an unknown command is exit 2", 2, "sockets-please")
    refused(t, "an unknown option is exit 2", 2, "ls", "--no-such-option", says="no-such-option")
    refused(t, "a missing target is exit 2", 2, "ss")
    refused(t, "a bad filter word is exit 2", 2, "ss", "web", "nosuchcolumn>3", says="nosuchcolumn")


def files(t):
    result = nsdbg("cap", "web", "-c", "1", "-w", "/no/such/dir/x.pcap")
    t.ok("a file that cannot be made is said so", result.returncode not in (0, 10) and b"/no/such/dir/x.pcap" in result.stderr,
         f"exit {result.returncode} {result.stderr.decode()}")


def as_nobody(t):
    """Without rights: what can be seen is shown, what cannot is said in one sentence."""
    program = tempfile.mkdtemp(prefix="nsdbg-nobody-")
    os.chmod(program, 0o755)
    copy = os.path.join(program, "nsdbg")
    run("cp", NSDBG, copy)
    os.chmod(copy, 0o755)
    result = run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", copy, "ss", "web", timeout=20)
    t.ok("no access to Docker's socket: exit 4 or 5 and a remedy", result.returncode in (4, 5) and result.stderr.strip() and not result.stdout,
         f"exit {result.returncode} {result.stderr.decode()}")
    pid = inspect("web")[0]["State"]["Pid"]
    result = run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", copy, "cap", f"pid:{pid}", "-c", "1", timeout=20)
    t.ok("no right to enter: exit 4, says what is needed", result.returncode == 4 and result.stderr.strip(),
         f"exit {result.returncode} {result.stderr.decode()}")
    run("rm", "-rf", program)


def no_docker(t):
    env = {k: v for k, v in os.environ.items() if k != "DOCKER_HOST"}
    refused(t, "a Docker that the user named and that is not there is exit 5", 5, "ls", "--docker-host", "unix:///nowhere/docker.sock",
            says="/nowhere/docker.sock", env=env)
    refused(t, "ssh:// is refused with a hint", 2, "ls", "--docker-host", "ssh://host", says="ssh", env=env)


class FakeDocker(threading.Thread):
    """Listens like Docker and answers as told: None = never, else these bytes."""

    def __init__(self, answer):
        super().__init__(daemon=True)
        self.answer = answer
        self.dir = tempfile.mkdtemp(prefix="nsdbg-fake-")
        os.chmod(self.dir, 0o755)
        self.path = os.path.join(self.dir, "docker.sock")
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(self.path)
        self.socket.listen(16)
        self.start()

    def run(self):
        kept = []
        while True:
            try:
                client = self.socket.accept()[0]
            except OSError:
                return
            kept.append(client)
            if self.answer is not None:
                try:
                    client.recv(65536)
                    client.sendall(self.answer)
                    client.close()
                except OSError:
                    pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        run("rm", "-rf", self.dir)


def sick_docker(t):
    answers = {
        "that never answers": None,
        "that answers garbage": b"\x00\x01garbage\r\n\r\n" * 10,
        "that answers half": b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\nApi-Version: 1.41\r\n\r\n[{",
        "that answers no JSON": b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nApi-Version: 1.41\r\n\r\nnope",
        "that answers deep JSON": b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nConnection: close\r\n\r\n" + b"[" * 100000,
        "that answers an error": b'HTTP/1.1 500 Oops\r\nContent-Length: 22\r\n\r\n{"message":"\\u001b[2J"}',
    }
    for name, answer in answers.items():
        with FakeDocker(answer) as fake:
            start = time.monotonic()
            result = nsdbg("ls", "--json", "--docker-host", "unix://" + fake.path, timeout=20)
            took = time.monotonic() - start
            t.ok(f"a Docker {name}: exit 5 or 6 or 7 in time", result.returncode in (5, 6, 7) and took < 8 and b"\x1b" not in result.stderr,
                 f"exit {result.returncode} after {took:.1f} s: {result.stderr.decode(errors='replace')}")


def broken_pipe(t):
    for command in ("ls", "ss client", "ps client"):
        result = run("bash", "-c", f"set -o pipefail; '{NSDBG}' {command} | true", timeout=20)
        t.ok(f"{command} into a closed pipe says nothing", not result.stderr and result.returncode in (0, 141), result.stderr.decode())


def full_disk(t):
    result = run("bash", "-c", f"'{NSDBG}' ls >/dev/full", timeout=20)
    t.ok("ls into a full disk fails and says so", result.returncode not in (0,) and result.stderr.strip(), f"exit {result.returncode}")


Checks().run(targets, usage, files, as_nobody, no_docker, sick_docker, broken_pipe, full_disk)
