#!/usr/bin/env python3
"""Plants hostile text wherever a container can put some, then records every face of nsdbg and checks each byte (rawcheck.py)."""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import NSDBG, ROOT, Checks, Terminal, docker, end, nsdbg, pid_of, popen_in_net, run, wait_for

RAWCHECK = os.path.join(ROOT, "tests/attack/rawcheck.py")
EVIL = "\x1b]0;PWNED\x07\x1b[2J\x1b[31mred\x9b1m\u202edesrever\u2066\r\b\x7f\x0e"
EVIL_BYTES = EVIL.encode() + b"\xff\xc0\xaf\xed\xa0\x80"
# A DNS server whose every answer is hostile: TXT and CNAME full of escapes, a name that points at itself, wrong lengths.
SERVER = r"""
import socket, struct
evil = bytes.fromhex("%s")
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 53))
print("ready", flush=True)
while True:
    q, who = s.recvfrom(1500)
    end = 12
    while q[end]: end += q[end] + 1
    question = q[12:end + 5]; kind = question[-3]
    label = evil[:60]
    if kind == 16: data = bytes([len(evil)]) + evil
    elif kind == 1: data = b"\x0a\x00\x00\x01"
    elif kind == 15: data = b"\x00\x0a" + bytes([len(label)]) + label + b"\x00"
    else: data = bytes([len(label)]) + label + b"\xc0\x0c"
    if b"loop" in q: data = b"\xc0" + bytes([12 + len(question) + 12])
    if b"short" in q: data = data[:3]
    rr = b"\xc0\x0c" + struct.pack(">HHIH", 5 if kind in (1, 28) else kind, 1, 60, len(data) + (200 if b"long" in q else 0)) + data
    s.sendto(q[:2] + b"\x85\x80" + struct.pack(">HHHH", 1, 1, 0, 0) + question + rr, who)
"""
SOCKETS = r"""
import socket, time
keep = []
for name in (b"\0evil\n0000000000000000: 00000002 00000000 00010000 0001 01 99 /forged", b"\0" + bytes.fromhex("%s")):
    s = socket.socket(socket.AF_UNIX); s.bind(name[:107]); s.listen(1); keep.append(s)
print("ready", flush=True); time.sleep(600)
"""


def plant(d):
    """One container with everything wrong in it, and helpers in its network namespace; returns the helpers."""
    files = {
        "resolv.conf": b"nameserver 127.0.0.1\nsearch " + EVIL_BYTES + b"\noptions timeout:1 attempts:1 " + EVIL_BYTES + b"\nnonsense " + EVIL_BYTES + b"\n",
        "hosts": b"127.0.0.1 localhost\n10.9.9.9 " + EVIL_BYTES + b" evilhost\n",
    }
    for name, data in files.items():
        with open(os.path.join(d, name), "wb") as file:
            file.write(data)
    comm = "printf ') R 1 1 (\\033[2J' > /proc/self/comm; exec 3<&0; sleep 1000001 & wait"
    docker("run", "-d", "--name", "evil", "--label", "note=" + EVIL, "--label", "com.docker.compose.project=" + EVIL, "--env", "X=" + EVIL,
           "-v", f"{d}/resolv.conf:/etc/resolv.conf", "-v", f"{d}/hosts:/etc/hosts", "bb:1", "sh", "-c", comm + " # " + EVIL)
    run("/usr/bin/docker", "network", "create", "--label", "x=" + EVIL, "net" + EVIL)
    pid = pid_of("evil")
    helpers = [popen_in_net(pid, sys.executable, "-c", code % EVIL_BYTES.hex()) for code in (SERVER, SOCKETS)]
    for helper in helpers:
        if helper.stdout.readline() != b"ready\n":
            raise RuntimeError(helper.stderr.read().decode())
    return helpers


def clean(t, name, data, *flags):
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        result = run(sys.executable, RAWCHECK, *flags, file.name)
    t.ok(name, result.returncode == 0, result.stdout.decode(errors="replace"))


COMMANDS = [["ls", "-a"], ["ls", "-o", "wide"], ["networks"], ["show", "evil"], ["ss", "evil"], ["ps", "evil"], ["ps", "evil", "--tree"],
            ["dns", "evil", "some.name", "TXT"], ["dns", "evil", "some.name", "MX"], ["dns", "evil", "some.name"], ["dns", "evil", "evilhost"],
            ["dns", "evil", "loop.name", "TXT"], ["dns", "evil", "short.name", "TXT"], ["dns", "evil", "long.name", "TXT"],
            ["ss", EVIL], ["ss", "evil", EVIL], ["dns", "evil", EVIL], ["cap", "evil", "-c", "1", EVIL]]


def commands(t):
    for argv in COMMANDS:
        words = " ".join(a if a != EVIL else "EVIL" for a in argv)
        for form in ([], ["--json"], ["-o", "ndjson"]):
            if "wide" in argv and form:
                continue
            result = nsdbg(argv[0], *argv[1:], *form) if argv[0] != "cap" else nsdbg(*argv[:-1], *form, argv[-1])
            clean(t, f"{words} {' '.join(form)}: what it prints", result.stdout + result.stderr)
            t.ok(f"{words} {' '.join(form)}: no crash", result.returncode not in (10, -6, -11, 134, 139), f"exit {result.returncode} {result.stderr[:200]}")
            if form == ["--json"] and result.returncode == 0:
                try:
                    json.loads(result.stdout)
                except ValueError as error:
                    t.ok(f"{words}: valid JSON", False, error)


def forged_rows(t):
    rows = json.loads(nsdbg("ss", "evil", "-x", "--json").stdout)["data"]
    t.ok("a newline in a socket's name forges no row", not any((r.get("path") or "") == "/forged" for r in rows), rows)
    rows = json.loads(nsdbg("ps", "evil", "--json").stdout)["data"]
    main = [r for r in rows if r["pid"] == pid_of("evil")]
    t.ok("a comm like ') R 1 1 (' moves no field", len(main) == 1 and main[0]["state"] == "S" and main[0]["threads"] == 1, main)


def packets(t):
    """The hostile answers as packets on loopback, decoded."""
    capture = subprocess.Popen([NSDBG, "cap", "evil", "-i", "lo", "-c", "4"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        wait_for(lambda: False, 0.7)
        for kind in ("TXT", "MX", "A"):
            nsdbg("dns", "evil", "some.name", kind)
        said = capture.communicate(timeout=10)[0]
        clean(t, "cap of hostile answers: what it prints", said)
        t.ok("cap of hostile answers: decoded as DNS", b"DNS" in said, said)
    finally:
        end(capture)


def screens(t):
    """Every view, recorded as the terminal gets it."""
    with tempfile.TemporaryDirectory() as d:
        record = os.path.join(d, "record")
        with Terminal(120, 36, command=["script", "-q", "-c", NSDBG, record]) as terminal:
            if not t.ok("the list opens", terminal.wait(r"\bevil\b", 10), terminal.screen()):
                return
            terminal.keys("/")
            terminal.type("name=evil")
            terminal.keys("Enter")
            for key in "spcd10":
                terminal.keys(key)
                wait_for(lambda: False, 1.2)
            terminal.keys("d", "/", "C-u")
            terminal.type("some.name")
            terminal.keys("Enter")
            wait_for(lambda: False, 1.5)
            terminal.keys("?")
            wait_for(lambda: False, 0.3)
            terminal.keys("Escape", "Q")
            wait_for(terminal.dead, 5)
        with open(record, "rb") as file:
            data = file.read()
        t.ok("the recording holds the app", len(data) > 5000, len(data))
        clean(t, "the curses app: every byte to the terminal", data, "--screen")
        t.ok("the curses app: no title, no clear from outside", b"PWNED\x07" not in data, "")


def main(t):
    with tempfile.TemporaryDirectory(prefix="nsdbg-evil-") as d:
        helpers = plant(d)
        try:
            t.run(commands, forged_rows, packets, screens)
        finally:
            for helper in helpers:
                end(helper)


main(Checks())
