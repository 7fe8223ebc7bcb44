#!/usr/bin/env python3
"""The screen on a terminal that reads 960 bytes a second: keys act, the picture ends up right, q and a hangup end it at once."""
import fcntl
import os
import pty
import select
import struct
import sys
import tempfile
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import NSDBG, Checks, Terminal, wait_for

COLUMNS, ROWS, RATE = 120, 36, 960


class Slow:
    """nsdbg on a terminal of our own, which is read no faster than asked."""

    def __init__(self):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(NSDBG, [NSDBG, "host"], {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "NSDBG_RUNTIME": "netns,host"})
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.seen = b""

    def read(self, seconds, rate=RATE):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 0.05)[0]:
                part = os.read(self.fd, rate // 50)
                self.seen += part
                time.sleep(len(part) / rate)

    def keys(self, keys):
        for key in keys:
            os.write(self.fd, key.encode())
            self.read(0.08)

    def ended(self, seconds):
        started = time.monotonic()
        status = wait_for(lambda: os.waitpid(self.pid, os.WNOHANG)[0], seconds, 0.02)
        if not status:
            os.kill(self.pid, 9)
            os.waitpid(self.pid, 0)
        return time.monotonic() - started if status else None


def slow(t):
    s = Slow()
    s.read(1)
    s.keys("spdi0jjGg1s")
    s.keys("?")
    s.read(1.2, 1 << 20)  # it has caught up
    with tempfile.NamedTemporaryFile() as file:
        file.write(s.seen)
        file.flush()
        with Terminal(COLUMNS, ROWS, ["sh", "-c", f"stty raw; cat {file.name}; sleep 5"]) as screen:
            t.ok("a slow terminal: the picture is that of the last key", screen.wait(r"this help") and screen.wait("quit at once"), screen.screen())
    s.keys("qspdispdispdi")
    os.write(s.fd, b"Q")
    took = s.ended(6)
    t.ok("a slow terminal: Q ends it at once", took is not None and took < 1, took)
    os.close(s.fd)
    s = Slow()
    s.read(0.5)
    s.keys("spdispdi")
    os.close(s.fd)
    took = s.ended(6)
    t.ok("a slow terminal: a hangup ends it at once", took is not None and took < 1, took)


if __name__ == "__main__":
    Checks().run(slow)
