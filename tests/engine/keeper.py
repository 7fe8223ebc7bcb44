#!/usr/bin/env python3
"""Keeps network namespaces alive without a process in them, each in one way; prints {way: inode} as JSON and stays."""
import ctypes
import json
import os
import socket
import subprocess
import threading
import time

NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
home = os.open("/proc/self/ns/net", os.O_RDONLY)


def enter(fd=None):
    """A fresh namespace, or back home."""
    if (libc.unshare(NEWNET) if fd is None else libc.setns(fd, NEWNET)) != 0:
        raise OSError(ctypes.get_errno(), "namespace")


def up():
    """Something to see in it."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    return os.stat("/proc/thread-self/ns/net").st_ino


def in_thread(found):
    enter()
    found["thread"] = up()
    time.sleep(100000)


def main():
    found = {}
    enter()
    found["descriptor"] = up()
    os.open("/proc/self/ns/net", os.O_RDONLY)
    enter(home)
    enter()
    found["socket"] = up()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 4321))
    listener.listen()
    enter(home)
    # A daemon that opened a name which was deleted since: its link in /proc/PID/fd says "/" only.
    subprocess.run(["ip", "netns", "add", "nsdbg-gone"], check=True)
    fd = os.open("/run/netns/nsdbg-gone", os.O_RDONLY)
    found["deleted"] = os.fstat(fd).st_ino
    subprocess.run(["ip", "netns", "del", "nsdbg-gone"], check=True)
    threading.Thread(target=in_thread, args=(found,), daemon=True).start()
    while "thread" not in found:
        time.sleep(0.01)
    print(json.dumps(found), flush=True)
    time.sleep(100000)


main()
