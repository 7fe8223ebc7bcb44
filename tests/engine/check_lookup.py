#!/usr/bin/env python3
"""A command on one target asks for that one: counted by a relay in front of Docker's socket. What is skipped changes no answer."""
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import NSDBG, Checks, docker, end, inspect, netns_of, nsdbg, nsdbg_json, run, wait_for

DOCKER_SOCKET = os.environ["DOCKER_HOST"].removeprefix("unix://")


class Relay:
    """Docker's socket under another path, with the paths of all requests in the order in which they came."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="nsdbg-relay-")  # gone with the relay
        os.chmod(self.directory.name, 0o755)
        self.path = os.path.join(self.directory.name, "docker.sock")
        self.asked = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        os.chmod(self.path, 0o666)
        self.listener.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client = self.listener.accept()[0]
            engine = socket.socket(socket.AF_UNIX)
            engine.connect(DOCKER_SOCKET)
            threading.Thread(target=self.pump, args=(client, engine, True), daemon=True).start()
            threading.Thread(target=self.pump, args=(engine, client, False), daemon=True).start()

    def pump(self, source, sink, requests):
        try:
            while data := source.recv(65536):
                if requests:
                    self.asked += re.findall(r"GET (?:/v[\d.]+)?(/\S*)", data.decode())
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def json(self, *argv, codes=(0,)):
        self.asked.clear()
        return nsdbg_json(*argv, "--runtime", "docker,netns,host", "--docker-host", f"unix://{self.path}", codes=codes)

    def plain(self, *argv):
        self.asked.clear()
        return nsdbg(*argv, "--runtime", "docker,netns,host", "--docker-host", f"unix://{self.path}")


def one_call(t):
    relay, web = Relay(), inspect("web")[0]
    for word in ("web", "docker:web", web["Id"], web["Id"][:12], web["Id"][:6]):
        document = relay.json("ps", word)
        t.same(f"ps {word[:14]} asks for that one alone", relay.asked, [f"/containers/{word.removeprefix('docker:')}/json"])
        found = document["target"]
        t.same(f"ps {word[:14]} finds it whole", [found[k] for k in ("name", "id", "runtime", "pid", "netns")],
               ["web", web["Id"], "docker", web["State"]["Pid"], netns_of(web["State"]["Pid"])])


def without_libcurl(t):
    """What takes longest to load is left out as long as one question is all."""
    for words, loads in (("ps web --runtime docker,netns,host", False), ("networks", True)):
        with tempfile.TemporaryDirectory(prefix="nsdbg-strace-") as dir_:  # a file for each process: in one, calls cut each other in two
            run("strace", "-ff", "-qq", "-e", "trace=openat", "-o", f"{dir_}/trace", NSDBG, *words.split())
            calls = "".join(pathlib.Path(dir_, name).read_text("utf-8", "replace") for name in os.listdir(dir_))
        t.same(f"{words}: libcurl is loaded", bool(re.search(r"libcurl[^\"]*\", [^\n]* = \d", calls)), loads)


def bad_answers(t):
    """Whatever goes wrong with the one question, the whole list has the last word and says what is wrong."""
    for mode, says in (("trunc", "in the middle of an answer"), ("500", "HTTP 500"), ("hdrflood", "64 KiB of HTTP headers")):
        path = os.path.join(tempfile.mkdtemp(prefix="nsdbg-fake-"), "docker.sock")
        fake = subprocess.Popen(["python3", os.path.join(os.path.dirname(__file__), "fakedockerd.py"), path, mode, "3"], stdout=subprocess.DEVNULL)
        wait_for(lambda p=path: answers(p), 10)
        result = nsdbg("ps", "c1", "--docker-host", f"unix://{path}")
        t.ok(f"an engine that fails by {mode}: exit 5, says so", result.returncode == 5 and says in result.stderr.decode(errors="replace"),
             f"{result.returncode} {result.stderr.decode(errors='replace')}")
        end(fake)
        run("rm", "-rf", os.path.dirname(path))


def answers(path):
    try:
        socket.socket(socket.AF_UNIX).connect(path)
        return True
    except OSError:
        return False


def no_call(t):
    relay, pid = Relay(), inspect("web")[0]["State"]["Pid"]
    for word in (f"pid:{pid}", "host", f"netns:/proc/{pid}/ns/net", f"ns:{netns_of(pid)}"):
        for format_ in ("table", "json"):
            relay.asked.clear()
            result = relay.plain("files", word, "-o", format_)
            t.ok(f"files {word.split(':')[0]} -o {format_} asks no engine", result.returncode == 0 and not relay.asked,
                 f"{result.returncode} {relay.asked} {result.stderr.decode()}")
    document = relay.json("files", f"pid:{pid}")
    t.same("the head of JSON has its namespace", [document["target"]["pid"], document["target"]["netns"]], [pid, netns_of(pid)])


def names_stay(t):
    """ss names the containers at the other end: all of them are asked for, but not waited for first."""
    relay = Relay()
    document = relay.json("ss", "client")
    t.ok("ss asks for the one and for the list", relay.asked and any(a.startswith("/containers/json") for a in relay.asked)
         and "/containers/client/json" in relay.asked, relay.asked)
    t.ok("ss names peers", any("web" in str(s.get("peer", "")) or "db" in str(s.get("peer", "")) for s in document["data"]),
         [s.get("peer") for s in document["data"]][:10])
    document = relay.json("dns", "client", "web")
    t.ok("dns names the container at the address", any(r["target"] == "web" for r in document["data"]), document["data"])
    relay.plain("dns", "client", "web", "+short")
    t.ok("dns +short has no use for names", not any(a.startswith("/containers/json") for a in relay.asked), relay.asked)


def no_short_cut(t):
    """Whatever is not exactly one container is decided by the whole list."""
    relay = Relay()
    result = relay.plain("ps", "clent")
    t.ok("a near name is offered", result.returncode == 3 and b"client" in result.stderr, result.stderr.decode())
    result = relay.plain("ps", "stopped")
    t.ok("a stopped container is named as such", result.returncode == 3 and b"exited" in result.stderr, result.stderr.decode())
    result = relay.plain("ps", inspect("web")[0]["Id"][:3])
    t.ok("three digits are no target", result.returncode == 3 and not result.stdout, result.stderr.decode())
    result = relay.plain("ps", "../networks")
    t.ok("what is no name is never put into a request", result.returncode == 3 and not any("networks/json" in a for a in relay.asked), relay.asked)
    twin = f"twin-{os.getpid()}"
    docker("run", "-d", "--name", twin, "bb:1", "sleep", "1000000")
    run("ip", "netns", "add", twin)
    try:
        t.same("a container comes before a namespace of its name", relay.json("files", twin)["target"]["runtime"], "docker")
        t.same("netns:NAME is the namespace", relay.json("files", f"netns:{twin}")["target"]["runtime"], "netns")
    finally:
        run("ip", "netns", "del", twin)
        docker("rm", "-f", twin)
    ids = sorted(docker("ps", "-aq", "--no-trunc").split())
    twins = [(a[:4], b) for a, b in zip(ids, ids[1:]) if a[:4] == b[:4]]
    if twins:
        t.same("an ambiguous prefix is exit 3", relay.plain("ps", twins[0][0]).returncode, 3)


Checks().run(one_call, without_libcurl, bad_answers, no_call, names_stay, no_short_cut)
