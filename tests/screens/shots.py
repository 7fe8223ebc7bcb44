#!/usr/bin/env python3
"""shots.py OUT_DIR [NAME...]: drives nsdbg in tmux and draws each screen; wait for the text, never for a time."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import NSDBG, ROOT, Terminal, wait_for

# name, columns, rows, container, keys (a tuple is typed text), text to wait for
SHOTS = [
    ("list-120x36", 120, 36, None, ["/", ("runtime=docker",), "Enter", "wait", "wait", "wait"], r"\btiny\b"),
    ("list-80x24", 80, 24, None, ["/", ("runtime=docker",), "Enter", "wait", "wait"], r"\btiny\b"),
    ("networks-120x36", 120, 36, None, ["]"], r"172\.30\.1\.0/24"),
    ("overview-120x36", 120, 36, "client", ["1", "wait"], r"Processes \d"),
    ("sockets-120x36", 120, 36, "client", ["s"], r"ESTAB"),
    ("processes-120x36", 120, 36, "busy", ["p"], r"sleep"),
    ("capture-120x36", 120, 36, "client", ["c", "wait", "S", "g", "Enter"], r"0000"),
    ("capture-160x50", 160, 50, "client", ["c", "wait", "S", "g", "Enter"], r"0000"),
    ("dns-120x36", 120, 36, "client", ["d", "/", "C-u", ("web",), "Enter"], r"172\.30\.1\.\d+"),
    ("dnswire-120x36", 120, 36, "client", ["d", "]", "wait", "wait", "wait"], r"db"),
    ("network-120x36", 120, 36, "client", ["i", "wait", "wait", "wait", "Down", "t", ("db",), "Enter"], r"arrives at eth0 of db"),
    ("network-routes-120x36", 120, 36, "two", ["i", "]"], r"172\.30\.2\.0/24"),
    ("network-rules-120x36", 120, 36, "two", ["i", "]", "]"], r"lookup"),
    ("network-neighbours-120x36", 120, 36, "client", ["i", "]", "]", "]"], r"REACHABLE"),
    ("network-sysctls-120x36", 120, 36, "web", ["i", "]", "]", "]", "]"], r"net\.ipv4"),
    ("network-ports-120x36", 120, 36, "web", ["i", "wait", "["], r"8080"),
    ("probe-120x36", 120, 36, "client", ["7", "a", ("tcp db:5432",), "Enter", "a", ("http http://web/",), "Enter", "a", ("tcp web:81",), "Enter", "wait"],
     r"refused|200"),
    ("shell-120x36", 120, 36, "client", ["c", "wait", "!", ("sh",), "Enter", "wait", ("ip -br addr; getent hosts db",), "Enter"], r"\d +db$"),
    ("palette-120x36", 120, 36, "client", ["s", "wait", ":", ("so",)], r"Commands .* of"),
    ("help-120x36", 120, 36, "client", ["s", "?"], r"(?i)help"),
]


def take(out, name, columns, rows, container, keys, text):
    with Terminal(columns, rows, command=[NSDBG, "--runtime", "docker"]) as terminal:
        if not terminal.wait(r"\bweb\b", 10):
            raise SystemExit(f"{name}: no list:\n{terminal.screen()}")
        if container:
            terminal.keys("/")
            terminal.type(f"name={container}")
            terminal.keys("Enter")
            terminal.wait(rf"\b{container}\b")
        for key in keys:
            if key == "wait":
                wait_for(lambda: False, 4)
            elif isinstance(key, tuple):
                terminal.type(key[0])
            else:
                terminal.keys(key)
                wait_for(lambda: False, 0.2)
        if not terminal.wait(text, 8):
            raise SystemExit(f"{name}: never showed {text}:\n{terminal.screen()}")
        wait_for(lambda: False, 0.5)
        svg = subprocess.run([sys.executable, os.path.join(ROOT, "tests/screens/ansi2svg.py"), str(columns), str(rows), "nsdbg: " + name.rsplit("-", 1)[0]],
                             input=terminal.coloured().encode(), capture_output=True, check=True).stdout
    with open(os.path.join(out, name + ".svg"), "wb") as file:
        file.write(svg)
    print(f"{name}.svg", flush=True)


for shot in SHOTS:
    if not sys.argv[2:] or shot[0] in sys.argv[2:]:
        take(sys.argv[1], *shot)
