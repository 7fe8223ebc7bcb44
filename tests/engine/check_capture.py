#!/usr/bin/env python3
"""cap takes the packets that tcpdump takes in the same namespace, and what it writes is read by tshark and tcpdump."""
import json
import os
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import NSDBG, Checks, end, inspect, nsdbg, pid_of, popen_in_net, run, text_of, wait_for

FIELDS = ["number", "time", "interface", "source", "source_port", "destination", "destination_port", "protocol", "length", "info"]
SEND = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(100000):
    s.sendto(b"numbered %06d" % n, (sys.argv[1], 9999)); time.sleep(0.01)
"""


def web_address():
    return inspect("web")[0]["NetworkSettings"]["Networks"]["shop"]["IPAddress"]


class Sender:
    """Numbered datagrams from client to web, 100 a second, while it lasts."""

    def __enter__(self):
        self.process = popen_in_net(pid_of("client"), sys.executable, "-c", SEND, web_address())
        return self

    def __exit__(self, *_):
        end(self.process)


def payloads(path):
    """The packets' own bytes as tshark reads them, in order."""
    return [line for line in text_of("tshark", "-n", "-r", path, "-T", "fields", "-e", "frame.len", "-e", "udp.payload").splitlines() if line]


def number(line):
    return int(bytes.fromhex(line.split("\t")[1].replace(":", "")).split()[1])


def against_tcpdump(t):
    with tempfile.TemporaryDirectory() as d, Sender():
        os.chmod(d, 0o777)
        theirs, ours = os.path.join(d, "theirs.pcap"), os.path.join(d, "ours.pcapng")
        tcpdump = popen_in_net(pid_of("web"), "tcpdump", "-i", "eth0", "-n", "-w", theirs, "-U", "--immediate-mode", "udp", "port", "9999")
        try:
            wait_for(lambda: os.path.exists(theirs) and os.path.getsize(theirs) > 500)
            result = nsdbg("cap", "web", "-i", "eth0", "-c", "20", "-w", ours, "udp", "port", "9999")
            wait_for(lambda: False, 0.3)
        finally:
            end(tcpdump)
        t.same("cap -c 20 -w: exit", (result.returncode, result.stderr.decode() if result.returncode else ""), (0, ""))
        mine, other = payloads(ours), payloads(theirs)
        t.same("cap -c 20: as many packets", len(mine), 20)
        t.ok("cap: every packet is one that tcpdump saw, byte for byte", set(mine) <= set(other), set(mine) - set(other))
        numbers = [number(line) for line in mine]
        t.same("cap: none is missing between the first and the last", numbers, list(range(numbers[0], numbers[0] + len(numbers))))
        t.ok("cap: the file is the user's alone", os.stat(ours).st_mode & 0o777 == 0o600, oct(os.stat(ours).st_mode))
        t.ok("cap: tcpdump reads it", len(text_of("tcpdump", "-n", "-r", ours).splitlines()) == 20)
        again = nsdbg("cap", "web", "-c", "2", "-w", ours, "udp", "port", "9999")
        t.ok("cap: does not overwrite a capture without being told", again.returncode != 0 and len(payloads(ours)) == 20,
             f"exit {again.returncode}")


def pcap_format(t):
    with tempfile.TemporaryDirectory() as d, Sender():
        os.chmod(d, 0o777)
        path = os.path.join(d, "x.pcap")
        nsdbg("cap", "web", "-c", "5", "-w", path, "udp", "port", "9999")
        with open(path, "rb") as file:
            magic = file.read(4)
        t.ok("cap -w x.pcap: the old format", magic in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"), magic)
        t.same("cap -w x.pcap: read by tshark", len(payloads(path)), 5)


def pipe(t):
    with Sender():
        shell = f"'{NSDBG}' cap web -c 10 -w - udp port 9999 2>/dev/null | tshark -n -r - -T fields -e udp.dstport 2>/dev/null"
        found = text_of("bash", "-c", shell, timeout=30).split()
        t.same("cap -w - | tshark -r -", found, ["9999"] * 10)
        head = run("bash", "-c", f"'{NSDBG}' cap web udp port 9999 | head -n 3; echo ${{PIPESTATUS[0]}}", timeout=30).stdout.decode().splitlines()
        t.ok("cap | head ends without a complaint", head and head[-1] in ("0", "141"), head)


def rows(t):
    with Sender():
        lines = [json.loads(line) for line in nsdbg("cap", "web", "-c", "5", "--json", "udp", "port", "9999").stdout.splitlines()]
    data = [row for line in lines for row in (line["data"] if "data" in line else [line])]
    data = [row for row in data if "number" in row]
    t.same("cap --json: five rows", len(data), 5)
    t.ok("cap: every field of the contract is there", all(set(FIELDS) <= set(r) for r in data), data[:1])
    first = data[0]
    client = inspect("client")[0]["NetworkSettings"]["Networks"]["shop"]["IPAddress"]
    t.same("cap: addresses and ports", (first["source"], first["destination"], first["destination_port"], first["protocol"]),
           (client, web_address(), 9999, "UDP"))
    t.same("cap: numbers", [r["number"] for r in data], [1, 2, 3, 4, 5])


def tcp_and_dns(t):
    text = nsdbg("cap", "client", "-i", "any", "-c", "30", timeout=30).stdout.decode()
    t.ok("cap of live traffic: TCP and DNS are told apart", "TCP" in text and "DNS" in text, text[:600])


def bad_filter(t):
    result = nsdbg("cap", "web", "-c", "1", "tcp", "prot", "5432")
    t.ok("cap: a bad filter is a usage error with a sentence", result.returncode == 2 and result.stderr.strip() and not result.stdout,
         f"exit {result.returncode} {result.stderr.decode()}")
    result = nsdbg("cap", "web", "-i", "nosuch0", "-c", "1")
    t.ok("cap: an interface that is not there", result.returncode not in (0, 10) and b"nosuch0" in result.stderr,
         f"exit {result.returncode} {result.stderr.decode()}")


def interrupted(t):
    with tempfile.TemporaryDirectory() as d, Sender():
        os.chmod(d, 0o777)
        path = os.path.join(d, "x.pcapng")
        process = subprocess.Popen([NSDBG, "cap", "web", "-w", path, "udp", "port", "9999"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wait_for(lambda: os.path.exists(path) and os.path.getsize(path) > 1000, 5)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=10)[1].decode()
        t.ok("cap: ^C ends it cleanly", process.returncode in (0, 130), f"{process.returncode} {said}")
        t.ok("cap: ^C leaves a whole file", len(payloads(path)) > 5, said)
        t.ok("cap: says how many it took and lost", "packet" in said, said)


Checks().run(against_tcpdump, pcap_format, pipe, rows, tcp_and_dns, bad_filter, interrupted)
