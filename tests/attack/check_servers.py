#!/usr/bin/env python3
"""Hostile DNS servers: wrong ids, wrong questions, loops, floods, stalls (security.md, cases D1-D13). One that answers right stands behind
some of them: its answer must win. And a container's names never ask a server outside the namespace."""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import Checks, end, nsdbg, wait_for

# dnsd MODE: answers on 127.0.0.1:53 of its namespace. Helpers build messages from the query's own id and question.
SERVER = r"""
import socket, struct, sys, threading, time
mode = sys.argv[1]
def question(q):
    end = 12
    while q[end]: end += q[end] + 1
    return q[12:end + 5]
def reply(q, answers, ident=None, quest=None, flags=0x8180):
    return struct.pack(">HHHHHH", ident if ident is not None else struct.unpack(">H", q[:2])[0], flags, 1, len(answers), 0, 0) + (quest or question(q)) + b"".join(answers)
def rr(data, kind=1, name=b"\xc0\x0c", length=None):
    return name + struct.pack(">HHIH", kind, 1, 60, len(data) if length is None else length) + data
good = lambda q: reply(q, [rr(b"\x0a\x01\x02\x03")])
bad = rr(b"\x06\x06\x06\x06")
def udp():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 53))
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); other.bind(("127.0.0.1", 5300))
    print("ready", flush=True)
    while True:
        q, who = s.recvfrom(4096)
        ident = struct.unpack(">H", q[:2])[0]
        out = {
            "good": lambda: [good(q)],
            "loop": lambda: [reply(q, [rr(b"", name=b"\xc0" + bytes([12 + len(question(q))]), kind=1)])],
            "forward": lambda: [reply(q, [rr(b"\xc0\xff", kind=5)])],
            "wrongid": lambda: [reply(q, [bad], ident=ident ^ 1), good(q)],
            "wrongquestion": lambda: [reply(q, [bad], quest=b"\x04evil\x00\x00\x01\x00\x01"), good(q)],
            "flood": lambda: [reply(q, [bad], ident=(ident + i) & 0xffff) for i in range(1, 2000)] + [good(q)],
            "short": lambda: [q[:7], good(q)],
            "garbage": lambda: [bytes(range(256)) * 2, good(q)],
            "longname": lambda: [reply(q, [rr((b"\x3f" + bytes(range(63))) * 3 + b"\x00", kind=5), rr(b"\x0a\x01\x02\x03", name=(b"\x3f" + bytes(range(63))) * 3 + b"\x00")])],
            "manylabels": lambda: [reply(q, [rr(b"\x01a" * 127 + b"\x00", kind=5)])],
            "count": lambda: [struct.pack(">HHHHHH", ident, 0x8180, 1, 65535, 65535, 65535) + question(q) + rr(b"\x0a\x01\x02\x03")],
            "lying": lambda: [reply(q, [rr(b"\x0a\x01", length=400)])],
            "cnameloop": lambda: [reply(q, [rr(b"\xc0\x0c", kind=5)])],
            "servfail": lambda: [reply(q, [], flags=0x8182)],
            "refused": lambda: [reply(q, [], flags=0x8185)],
            "silent": lambda: [],
            "truncated": lambda: [reply(q, [], flags=0x8380)], "tcpstall": lambda: [reply(q, [], flags=0x8380)], "tcpdribble": lambda: [reply(q, [], flags=0x8380)],
            "tcphuge": lambda: [reply(q, [], flags=0x8380)],
        }.get(mode, lambda: [])()
        if mode == "otherport":
            other.sendto(reply(q, [bad]), who); out = [good(q)]
        for data in out:
            s.sendto(data, who)
def tcp():
    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("127.0.0.1", 53)); s.listen(5)
    while True:
        c, _ = s.accept()
        threading.Thread(target=serve, args=(c,), daemon=True).start()
def serve(c):
    try:
        q = c.recv(4096)[2:]
        data = good(q)
        if mode == "tcphuge":
            txt = (b"\xff" + b"x" * 255) * 235
            data = reply(q, [rr(txt, kind=16)])
        data = struct.pack(">H", len(data)) + data
        if mode == "tcpstall": time.sleep(60)
        if mode == "tcpdribble":
            for b in data: c.send(bytes([b])); time.sleep(1)
        c.sendall(data)
    except OSError:
        pass
threading.Thread(target=tcp, daemon=True).start()
udp()
"""
MUST = {  # mode: what the answer must be; None: anything that is said, in time
    "good": "10.1.2.3", "wrongid": "10.1.2.3", "wrongquestion": "10.1.2.3", "flood": None, "short": "10.1.2.3", "garbage": "10.1.2.3",
    "otherport": "10.1.2.3", "truncated": "10.1.2.3", "loop": None, "forward": None, "longname": None, "manylabels": None, "count": None, "lying": None,
    "cnameloop": None, "servfail": "SERVFAIL", "refused": "REFUSED", "silent": "timeout", "tcpstall": None, "tcpdribble": None, "tcphuge": None,
}


def with_server(mode):
    process = subprocess.Popen(["unshare", "-n", "sh", "-c", 'ip link set lo up; exec "$@"', "sh", sys.executable, "-c", SERVER, mode],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if process.stdout.readline() != b"ready\n":
        raise RuntimeError(process.stderr.read().decode())
    return process


def modes(t):
    for mode, must in MUST.items():
        server = with_server(mode)
        try:
            start = time.monotonic()
            kind = "TXT" if mode == "tcphuge" else "A"
            result = nsdbg("dns", f"pid:{server.pid}", "some.name", kind, "@127.0.0.1", "--timeout", "4s", "--json", timeout=40)
            took = time.monotonic() - start
            said = result.stdout.decode(errors="replace") + result.stderr.decode(errors="replace")
            t.ok(f"dns server '{mode}': ends in time", took < 12 and result.returncode in (0, 6, 7), f"exit {result.returncode} after {took:.1f} s: {said[:300]}")
            rows = json.loads(result.stdout)["data"] if result.stdout else []
            t.ok(f"dns server '{mode}': the false answer is not taken", not any(r["data"] == "6.6.6.6" for r in rows), rows)
            if must:
                t.ok(f"dns server '{mode}': {must}", any(must in (r["data"] or "", r["rcode"] or "") or (r["rcode"] or "").startswith(must) for r in rows), rows)
        finally:
            end(server)


def ids_and_ports(t):
    """100 questions: ids and source ports are hard to guess (case D16)."""
    server = with_server("good")
    capture = subprocess.Popen(["nsenter", "-n", "-t", str(server.pid), "tcpdump", "-i", "lo", "-n", "-l", "udp dst port 53"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        wait_for(lambda: b"listening" in capture.stderr.readline(), 3)
        for i in range(40):
            nsdbg("dns", f"pid:{server.pid}", f"n{i}.name", "A", "@127.0.0.1")
        time.sleep(0.5)
        end(capture)
        lines = capture.stdout.read().decode().splitlines()
        pairs = {(line.split(" > ")[0].rsplit(".", 1)[-1], line.split(": ")[1].split("+")[0].split()[0]) for line in lines if " > 127.0.0.1.53: " in line}
        t.ok("dns: ids and source ports differ from question to question", len(pairs) >= 38 and len({p for p, _ in pairs}) >= 36 and len({i for _, i in pairs}) >= 36,
             f"{len(lines)} questions, {len(pairs)} pairs")
    finally:
        end(capture)
        end(server)


def environment(t):
    """The resolver's own variables have no say (case D15)."""
    server = with_server("good")
    try:
        env = {**os.environ, "RES_OPTIONS": "ndots:9", "LOCALDOMAIN": "evil", "HOSTALIASES": "/tmp/none"}
        rows = json.loads(nsdbg("dns", f"pid:{server.pid}", "some.name", "A", "@127.0.0.1", "--json", env=env).stdout)["data"]
        t.ok("dns: LOCALDOMAIN and RES_OPTIONS change nothing", [r["name"].rstrip(".") for r in rows] == ["some.name"], rows)
    finally:
        end(server)


def strange_names(t):
    server = with_server("good")
    try:
        for name in ("a" * 300, "..", "a..b", "ä.example", "with space", "a\\000b", "-x-", "x" * 64 + ".y", "."):
            result = nsdbg("dns", f"pid:{server.pid}", "--json", "--", name, timeout=20)
            t.ok(f"dns: the name {name[:12]!r} is asked or refused", result.returncode in (0, 2, 6), f"exit {result.returncode} {result.stderr.decode()}")
    finally:
        end(server)


Checks().run(modes, ids_and_ports, environment, strange_names)
