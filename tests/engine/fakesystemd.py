#!/usr/bin/env python3
"""Pid 1 of a namespace that listens for an engine as systemd.socket(5) does:   unshare -mpf --mount-proc fakesystemd.py DIR PROGRAM...

Listens at /run/podman/podman.sock (a /run of its own) without anybody behind it and runs PROGRAM. When DIR/go appears, a service that is
called podman takes the socket's place. DIR/touched appears when somebody connects before that: a look would have started the service."""
import ctypes
import os
import select
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PATH = "/run/podman/podman.sock"


def main():
    directory, program = sys.argv[1], sys.argv[2:]
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    os.mkdir("/run/podman")
    ctypes.CDLL(None).prctl(15, b"systemd", 0, 0, 0)  # PR_SET_NAME
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(PATH)
    listener.listen(8)
    child = subprocess.Popen(program)
    service = None
    while child.poll() is None:
        time.sleep(0.05)
        if not service and select.select([listener], [], [], 0)[0]:
            with open(f"{directory}/touched", "w", encoding="ascii"):
                pass
        if not service and os.path.exists(f"{directory}/go"):
            log = open(f"{directory}/log", "wb")  # pylint: disable=consider-using-with
            os.symlink(os.path.realpath(sys.executable), f"{directory}/podman")
            service = subprocess.Popen(["podman", f"{HERE}/fakedockerd.py", PATH, "podman", "3", "system", "service"],
                                       executable=f"{directory}/podman", stdout=log, stderr=log,
                                       env={**os.environ, "PYTHONHOME": sys.base_prefix})
    sys.exit(child.returncode)


main()
