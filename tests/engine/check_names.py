#!/usr/bin/env python3
"""Many names at a time: the same answers as one by one and as dig's, in order, through files and standard input; and the files that
hostaliases writes, used by the C library of the host."""
import functools
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import NSDBG, Checks, end, in_net, inspect, nsdbg, nsdbg_json, pid_of, run, text_of

SERVED = {"web": "web", "db": "db", "client": "client", "two": "two", "web.lab": "web", "db.lab": "db"}


@functools.cache
def address(name, network="shop"):
    return inspect(name)[0]["NetworkSettings"]["Networks"][network]["IPAddress"]


def rows_by_name(document):
    found = {}
    for r in document["data"]:
        found.setdefault(r["position"], []).append(r)
    return found


def several(t):
    document = nsdbg_json("dns", "client", *SERVED)
    rows = rows_by_name(document)
    t.same("dns with several names: each has its place", [rows[i + 1][0]["asked"] for i in range(len(SERVED))], list(SERVED))
    for i, (name, owner) in enumerate(SERVED.items()):
        t.same(f"dns with several names: {name}", [(r["data"], r["target"]) for r in rows[i + 1] if r["type"] == "A"], [(address(owner), owner)])
    one = nsdbg_json("dns", "client", "db")["data"]
    many = [r for r in nsdbg_json("dns", "client", "web", "db")["data"] if r["asked"] == "db"]
    strip = [[{k: r[k] for k in ("name", "type", "data", "server", "rcode", "section", "flags", "transport", "address", "target")} for r in x] for x in (one, many)]
    t.same("a name of many has the rows that it has alone", strip[1], strip[0])


def standard_input(t):
    """200 names, some of which do not exist; Docker has no upstream here, so those stay without a reply for as long as we wait."""
    names = [list(SERVED)[i % len(SERVED)] for i in range(200)]
    text = "# names\n\n" + "".join(f"{n} A\n" for n in names)
    result = subprocess.run([NSDBG, "dns", "client", "-f", "-", "--json"], input=text.encode(), capture_output=True, timeout=30)
    t.same("200 names through standard input: exit 0", (result.returncode, result.stderr), (0, b""))
    data = json.loads(result.stdout)["data"]
    t.same("200 names: all of them, in order", [r["asked"] for r in data], names)
    t.same("200 names: their addresses", [r["data"] for r in data], [address(SERVED[n]) for n in names])
    short = subprocess.run([NSDBG, "dns", "client", "-f", "-", "+short"], input=text.encode(), capture_output=True, timeout=30).stdout.decode()
    t.same("+short: one line a name, in order", short.split(), [address(SERVED[n]) for n in names])
    with tempfile.NamedTemporaryFile("w", prefix="nsdbg-names-") as file:
        file.write("\n".join(names))
        file.flush()
        digs = in_net(pid_of("client"), "dig", "@127.0.0.11", "-f", file.name, "+short").split()
        lines = [json.loads(l) for l in nsdbg("dns", "client", "-f", file.name, "-o", "ndjson").stdout.splitlines()]
    t.same("as dig -f", short.split(), digs)
    t.same("ndjson: an object for each name as it comes", sorted(r["position"] for r in lines if r["data"]), list(range(1, 201)))


def failures(t):
    result = nsdbg("dns", "client", "web", "no-such-name", "db", "A", "--timeout", "1s", "--json")
    document = json.loads(result.stdout)
    t.ok("a name without reply: the others are there, exit 7", result.returncode == 7 and len(document["errors"]) == 1 and
         [r["asked"] for r in document["data"]] == ["web", "no-such-name", "db"] and document["data"][1]["data"] is None,
         f"{result.returncode} {document}")
    result = nsdbg("dns", "client", "no-such-name", "nor-this", "--timeout", "1s")
    t.ok("no name with a reply: exit 6", result.returncode == 6 and b"2 of 2" in result.stderr, f"{result.returncode} {result.stderr.decode()}")
    result = nsdbg("dns", "client", "web", "bad..name", "A", "--json")
    t.ok("a name that is none: a row, exit 7", result.returncode == 7 and json.loads(result.stdout)["data"][1]["rcode"], result.stdout.decode())
    result = nsdbg("dns", "client", "-f", "/nowhere/names")
    t.ok("no such file: exit 2", result.returncode == 2 and b"/nowhere/names" in result.stderr, f"{result.returncode} {result.stderr.decode()}")
    result = nsdbg("dns", "client", "-f", "-")
    t.ok("no names at all: exit 2", result.returncode == 2 and b"standard input has no names" in result.stderr, result.stderr.decode())
    result = subprocess.run([NSDBG, "dns", "client", "-f", "-"], input=b"web\ndb NOPE\n", capture_output=True, timeout=30)
    t.ok("a bad line: exit 2, says which", result.returncode == 2 and b"line 2" in result.stderr and not result.stdout, result.stderr.decode())


def reverse_and_steps(t):
    owners = ["web", "db"]
    rows = nsdbg_json("dns", "client", "-x", *map(address, owners))["data"]
    t.same("-x with several addresses", [r["data"] for r in rows], [f"{o}.shop." for o in owners])
    result = nsdbg("dns", "client", "-x", "fd00::77", "--timeout", "300ms", "--json")
    row = json.loads(result.stdout)["data"][0]
    t.ok("-x with an IPv6 address", row["type"] == "PTR" and row["name"].startswith("7.7.0.0.") and row["name"].endswith(".ip6.arpa."), row)
    rows = nsdbg_json("dns", "client", "web", "A", "+trace")["data"]
    t.ok("+trace: the steps, then the answer", len(rows) >= 2 and [r["section"] for r in rows[:-1]] == ["step"] * (len(rows) - 1)
         and (rows[-1]["section"], rows[-1]["name"]) == ("answer", "web."), rows)
    t.ok("without it: no steps", all(r["section"] == "answer" for r in nsdbg_json("dns", "client", "web")["data"]))


def no_files_needed(t):
    """With @SERVER and names that end in a dot nothing of the container's files is read: no worker starts for them."""
    def workers(*argv):
        run("strace", "-f", "-qq", "-e", "trace=prctl", "-o", trace, NSDBG, *argv)
        with open(trace, encoding="utf-8", errors="replace") as file:
            return {line.split('"')[1] for line in file if "PR_SET_NAME" in line}
    trace = tempfile.mktemp(prefix="nsdbg-strace-")
    pid = pid_of("client")
    t.same("a whole question: one worker", workers("dns", f"pid:{pid}", "web.", "@127.0.0.11"), {"nsdbg: broker", "nsdbg: dns"})
    t.ok("a relative one reads the files", "nsdbg: files" in workers("dns", f"pid:{pid}", "web", "@127.0.0.11"))
    os.unlink(trace)


# --- hostaliases ---

class Wildcard:
    """A server for *.ip.example on 127.0.0.1:53 of a new network namespace: the address is in the name, with dashes."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="nsdbg-wildcard-")
        for name, text in (("resolv.conf", "nameserver 127.0.0.1\n"), ("nsswitch.conf", "hosts: files dns\n"), ("hosts", "127.0.0.1 localhost\n")):
            with open(os.path.join(self.dir, name), "w", encoding="ascii") as file:
                file.write(text)
        mounts = " && ".join(f"mount --bind {self.dir}/{n} /etc/{n}" for n in ("resolv.conf", "nsswitch.conf", "hosts"))
        self.process = subprocess.Popen(["unshare", "-n", "-m", "sh", "-c", f"{mounts} && ip link set lo up && exec python3 {__file__} serve"],
                                        stdout=subprocess.PIPE)
        self.process.stdout.readline()

    def inside(self, *argv, **env):
        return run("nsenter", "-n", "-m", "-t", self.process.pid, "env", *(f"{k}={v}" for k, v in env.items()), *argv)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)
        run("rm", "-rf", self.dir)


def serve():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 53))
    print("ready", flush=True)
    while True:
        query, peer = s.recvfrom(512)
        at, labels = 12, []
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        kind = struct.unpack(">H", query[at + 1:at + 3])[0]
        question = query[12:at + 5]
        ours = [l for l in labels if l.count("-") == 3 and l.replace("-", "").isdigit()] if labels[-2:] == ["ip", "example"] else []
        answer = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + bytes(map(int, ours[0].split("-"))) if ours and kind == 1 else b""
        s.sendto(query[:2] + struct.pack(">HHHHH", 0x8180 | (0 if ours else 3), 1, bool(answer), 0, 0) + question + answer, peer)


def hostaliases(t):
    names = ["web", "db", "two"]
    file = tempfile.mktemp(prefix="nsdbg-aliases-")
    text = nsdbg("hostaliases", "client", *names, "--domain", "ip.example").stdout.decode()
    t.same("hostaliases: a line each", text.splitlines(), [f"{n} {n}.{address(n).replace('.', '-')}.ip.example" for n in names])
    result = nsdbg("hostaliases", "client", *names, "--domain", "*.ip.example.", "-w", file)
    with open(file, encoding="ascii") as f:
        t.same("hostaliases -w: the same in a file", (result.returncode, result.stdout, f.read()), (0, b"", text))
    with Wildcard() as net:
        for name in names:
            script = f"import socket; print(socket.gethostbyname('{name}'))"
            t.same(f"the C library finds {name} by it", net.inside("python3", "-c", script, HOSTALIASES=file).stdout.decode().strip(), address(name))
        found = net.inside("getent", "ahosts", "web", HOSTALIASES=file).stdout.decode().split()
        t.ok("so does getent", found[:1] == [address("web")], found)
        t.ok("and not without it", net.inside("python3", "-c", script).returncode != 0)
        hosts = nsdbg("hostaliases", "client", *names, "--hosts").stdout.decode()
        t.same("hostaliases --hosts: lines of /etc/hosts", hosts.splitlines(), [f"{address(n)}\t{n}" for n in names])
        with open(os.path.join(net.dir, "hosts"), "a", encoding="ascii") as f:
            f.write(hosts)
        t.same("the C library finds db by those", net.inside("getent", "hosts", "db").stdout.decode().split()[:1], [address("db")])
    os.unlink(file)


def hostaliases_errors(t):
    result = nsdbg("hostaliases", "client", "web", "no-such-name", "--timeout", "1s")
    t.ok("hostaliases: a name that does not exist is left out, exit 7", result.returncode == 7 and b"no-such-name" in result.stderr and
         result.stdout.count(b"\n") == 1, f"{result.returncode} {result.stdout} {result.stderr.decode()}")
    result = nsdbg("hostaliases", "client", "web.lab")
    t.ok("hostaliases: glibc knows no aliases for names with dots", result.returncode == 2 and b"--hosts" in result.stderr, result.stderr.decode())
    t.same("hostaliases --hosts takes them", text_of(NSDBG, "hostaliases", "client", "web.lab", "--hosts").split(), [address("web"), "web.lab"])
    for name in ("a b", "a\nb", "#a", "\x1b[1m"):
        result = nsdbg("hostaliases", "client", name, "--hosts")
        t.ok(f"hostaliases: {name!r} is no name", result.returncode == 2 and not result.stdout and b"\x1b" not in result.stderr, result.stderr)
    t.same("hostaliases: a domain that is none", nsdbg("hostaliases", "client", "web", "--domain", "a b").returncode, 2)
    t.same("hostaliases --json", [(r["name"], r["address"], r["target"]) for r in nsdbg_json("hostaliases", "client", "web")["data"]],
           [("web", address("web"), "web")])


if sys.argv[1:] == ["serve"]:
    serve()
Checks().run(several, standard_input, failures, reverse_and_steps, no_files_needed, hostaliases, hostaliases_errors)
