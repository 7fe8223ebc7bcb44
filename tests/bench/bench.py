#!/usr/bin/env python3
"""Runs nsdbg and its peers in turn under the same load and prints medians and their ratio (goals: ours over the peer's, below is good)."""
import os
import pty
import re
import select
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import scale
from lib import DOCKER, NSDBG, children_of, docker, end, in_net, pid_of, popen_in_net, processes_of, run, wait_for

LOAD = os.environ["LOAD"]
many_containers = scale.many_containers
QUICK = bool(os.environ.get("BENCH_QUICK"))
ROUNDS = 5 if QUICK else 15


def report(name, ours, peer, peer_name, goal):
    """Prints one line; ours and peer are lists of milliseconds of the same run."""
    x, y = statistics.median(ours), statistics.median(peer)
    print(f"{name:<44} {x:9.1f} ms   {peer_name:<38} {y:9.1f} ms   ratio {x / y:6.3f}   goal {goal}", flush=True)


def timed(*argv):
    start = time.perf_counter()
    result = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if result.returncode:
        print(f"# {argv[0]} {argv[1]}: exit {result.returncode}: {result.stderr.decode()[:200]}")
    return (time.perf_counter() - start) * 1000


def compare(name, ours, peer, peer_name, goal, rounds=ROUNDS):
    a, b = [], []
    for i in range(rounds + 1):  # the first pair warms the caches
        x, y = ours(), peer()
        if i:
            a.append(x)
            b.append(y)
    report(name, a, b, peer_name, goal)


# --- first screen ---

def first_screen(argv, pattern):
    """Milliseconds from exec to the pattern in what the program sends to its terminal; the program is ended then."""
    start = time.perf_counter()
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", LANG="C.UTF-8", LINES="36", COLUMNS="120")
        os.execvp(argv[0], argv)
    set_size(fd)
    data, found = b"", None
    while not found and time.perf_counter() - start < 10:
        if select.select([fd], [], [], 0.01)[0]:
            try:
                data += os.read(fd, 65536)
            except OSError:
                break
            if re.search(pattern, data):
                found = (time.perf_counter() - start) * 1000
    os.kill(pid, signal.SIGTERM)
    os.close(fd)
    os.waitpid(pid, 0)
    return found or 10000.0


def set_size(fd):
    import fcntl
    import struct
    import termios
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))


def screen():
    n = many_containers(25 if QUICK else 100)
    ours, htop, top = [], [], []
    for _ in range(ROUNDS):
        ours.append(first_screen([NSDBG], rb"many-020"))
        htop.append(first_screen(["htop"], rb"F10"))
        top.append(first_screen(["top"], rb"COMMAND"))
    report(f"first full screen, {n} containers", ours, htop, "htop", "0.20")
    report(f"first full screen, {n} containers", ours, top, "top", "0.25")


def list_json():
    for n in (25,) if QUICK else (100, 300):
        list_of(many_containers(n))


def list_of(n):
    trio = f"{DOCKER} ps; {DOCKER} inspect $({DOCKER} ps -q); {DOCKER} network inspect $({DOCKER} network ls -q)"
    compare(f"ls --json, {n} containers", lambda: timed(NSDBG, "ls", "--json", *scale.ONE_ENGINE), lambda: timed("sh", "-c", trio), "docker ps + inspect + network inspect", "0.18")
    compare(f"ls --json, {n} containers", lambda: timed(NSDBG, "ls", "--json", *scale.ONE_ENGINE), lambda: timed(DOCKER, "ps"), "docker ps", "0.45")


# --- sockets, processes ---

class Load:
    """The load program in a namespace of its own: a network namespace, or with pids=True a pid namespace as well."""

    def __init__(self, *argv, pids=False):
        self.process = subprocess.Popen(["unshare", "-n", *(["-p", "-f", "--mount-proc", "--kill-child"] if pids else []), "sh", "-c",
                                         'ip link set lo up; exec "$@"', "sh", LOAD, *map(str, argv)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)

    def __enter__(self):
        self.process.stdout.readline()
        self.pid = children_of(self.process.pid)[0] if self.process.args[2] == "-p" else self.process.pid
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def sockets():
    for n, processes in ((10000, 100),) if QUICK else ((10000, 100), (100000, 100)):
        with Load("sockets", n, processes) as load:
            inside = ["nsenter", "-n", "-t", str(load.pid)]
            rounds = 3 if n > 10000 else ROUNDS
            compare(f"ss -t of {n} sockets, with owners", lambda: timed(NSDBG, "ss", f"pid:{load.pid}", "-t"),
                    lambda: timed(*inside, "ss", "-tanp"), "ss -tanp", "0.35" if n <= 10000 else "0.06", rounds)


def processes():
    n = 1000 if QUICK else 5000
    with Load("processes", n, pids=True) as load:
        compare(f"ps of {n} processes", lambda: timed(NSDBG, "ps", f"pid:{load.pid}"), lambda: timed("ps", "aux"), "ps aux", "0.40")


def network():
    """One interface of a container, and 200 of them in one namespace."""
    pid = docker("inspect", "-f", "{{.State.Pid}}", docker("run", "-d", "bb:1", "sleep", "1000"))
    compare("ip link of a container", lambda: timed(NSDBG, "ip", f"pid:{pid}", "link", "--json"),
            lambda: timed("nsenter", "-n", "-t", pid, "ip", "-j", "-s", "link"), "nsenter ip -j -s link", "3")
    for i in range(100):
        run("nsenter", "-n", "-t", pid, "ip", "link", "add", f"x{i}", "type", "veth", "peer", "name", f"y{i}")
    compare("ip link of 200 interfaces", lambda: timed(NSDBG, "ip", f"pid:{pid}", "link", "--json"),
            lambda: timed("nsenter", "-n", "-t", pid, "ip", "-j", "-s", "link"), "nsenter ip -j -s link", "1.5")


# --- capture ---

def cpu_ms(pids):
    """User and system time of processes so far, in ms (ticks of 10 ms)."""
    ticks = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        except OSError:
            pass
    return ticks * 1000 / os.sysconf("SC_CLK_TCK")


def capture_cpu(load_pid, argv, pids_of):
    path = f"/tmp/nsdbg-bench-{os.getpid()}.pcap"
    process = subprocess.Popen([a.replace("FILE", path) for a in argv], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    wait_for(lambda: os.path.exists(path) and os.path.getsize(path) > 0 or process.poll() is not None, 3)
    seconds, rate = (2, 100000) if QUICK else (3, 150000)
    sent = int(in_net(load_pid, LOAD, "packets", seconds, rate))
    time.sleep(0.3)
    used = cpu_ms(pids_of(process))
    end_with_int(process)
    kept = packets_in(path)
    run("rm", "-f", path)
    return used, sent, kept


def packets_in(path):
    """Records of a pcap file, counted by walking it."""
    n, at = 0, 24
    with open(path, "rb") as file:
        data = file.read()
    while at + 16 <= len(data):
        at += 16 + int.from_bytes(data[at + 8:at + 12], "little")
        n += at <= len(data)
    return n


def end_with_int(process):
    process.send_signal(signal.SIGINT)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        end(process)


def capture():
    with Load("sockets", 2, 1) as load:
        target = f"pid:{load.pid}"
        ours, theirs = [], []
        for _ in range(3 if QUICK else 5):
            ours.append(capture_cpu(load.pid, [NSDBG, "cap", target, "-i", "lo", "-w", "FILE"], lambda p: list(processes_of())))
            theirs.append(capture_cpu(load.pid, ["nsenter", "-n", "-t", str(load.pid), "tcpdump", "-Z", "root", "-i", "lo", "-B", "65536", "-w", "FILE"],
                                      lambda p: [p.pid, *children_of(p.pid)]))
        report(f"cap -w: CPU for {ours[0][1]} packets", [o[0] for o in ours], [o[0] for o in theirs], "tcpdump -w -B 65536", "1.3")
        print(f"# packets kept of {ours[0][1]}: ours {[o[2] for o in ours]}, tcpdump {[o[2] for o in theirs]}")


# --- dns ---

def dns():
    docker("network", "create", "names")
    for name in ("asker", "asked"):
        docker("run", "-d", "--name", name, "--network", "names", "bb:1", "sleep", "1000000")
    pid = pid_of("asker")
    compare("dns: one name", lambda: timed(NSDBG, "dns", f"pid:{pid}", "asked", "A", "@127.0.0.11"),
            lambda: timed("nsenter", "-n", "-t", pid, "dig", "@127.0.0.11", "asked"), "nsenter dig", "0.4")
    with tempfile.NamedTemporaryFile("w", prefix="nsdbg-names-") as file:
        file.write("asked\nasker\n" * 50)
        file.flush()
        compare("dns: 100 names of Docker's resolver", lambda: timed(NSDBG, "dns", f"pid:{pid}", "-f", file.name, "A", "@127.0.0.11"),
                lambda: timed("nsenter", "-n", "-t", pid, "dig", "@127.0.0.11", "-f", file.name), "nsenter dig -f", "0.12")
    far_names()
    inside = []
    digs = [timed("nsenter", "-n", "-t", pid, "dig", "@127.0.0.11", "asked") for _ in range(ROUNDS)]
    for _ in range(3):
        result = run(os.path.join(os.path.dirname(LOAD), "asker"), pid, "asked", 2 * ROUNDS)
        inside += [float(ms) for ms in result.stdout.split()]
    report("dns: one name, inside the running app", inside, digs, "nsenter dig", "0.05")


def far_names():
    """A resolver that is not next door: 10 ms to an answer."""
    with Load("sockets", 1, 1) as load, tempfile.NamedTemporaryFile("w", prefix="nsdbg-names-") as file:
        file.write("".join(f"n{i}.example.\n" for i in range(100)))
        file.flush()
        server = popen_in_net(load.pid, "python3", __file__, "resolver")
        server.stdout.readline()
        compare("dns: 100 names, a resolver 10 ms away", lambda: timed(NSDBG, "dns", f"pid:{load.pid}", "-f", file.name, "A", "@127.0.0.1"),
                lambda: timed("nsenter", "-n", "-t", load.pid, "dig", "@127.0.0.1", "-f", file.name), "nsenter dig -f", "0.12", min(ROUNDS, 5))
        end(server)


def resolver():
    """127.0.0.1:53 gives everything the address 192.0.2.1, 10 ms after the question."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 53))
    print("ready", flush=True)
    while True:
        query, peer = s.recvfrom(512)
        question = query[12:query.index(b"\0", 12) + 5]
        answer = query[:2] + bytes.fromhex("81800001000100000000") + question + bytes.fromhex("c00c000100010000003c0004c0000201")
        threading.Timer(0.01, s.sendto, (answer, peer)).start()


# --- one container by its name ---

def by_name():
    """What finding a container costs: by name, and with the engine left out."""
    n = many_containers(25 if QUICK else 100)
    name = docker("ps", "--format", "{{.Names}}").split()[0]
    pid = pid_of(name)
    compare(f"ps of one of {n} containers, by name", lambda: timed(NSDBG, "ps", name), lambda: timed(DOCKER, "top", name), "docker top", "0.4")
    compare(f"ps of one of {n} containers, by pid", lambda: timed(NSDBG, "ps", f"pid:{pid}"), lambda: timed(DOCKER, "top", name), "docker top", "0.2")


# --- probes ---

def probe():
    docker("network", "create", "probes")
    for name in ("prober", "probed"):
        docker("run", "-d", "--name", name, "--network", "probes", "bb:1", "httpd", "-f", "-p", "7001")
    pid, to = pid_of("prober"), docker("inspect", "-f", "{{.NetworkSettings.Networks.probes.IPAddress}}", "probed")
    inside = ["nsenter", "-n", "-t", str(pid)]
    compare("probe: one ping", lambda: timed(NSDBG, "probe", f"pid:{pid}", "ping", to), lambda: timed(*inside, "ping", "-c1", "-W1", to),
            "nsenter ping -c1", "-")
    compare("probe: one connect", lambda: timed(NSDBG, "probe", f"pid:{pid}", "tcp", f"{to}:7001"),
            lambda: timed(*inside, "bash", "-c", f": </dev/tcp/{to}/7001"), "nsenter bash /dev/tcp", "-")


# --- exec ---

def execute():
    docker("run", "-d", "--name", "ran", "bb:1", "sleep", "1000000")
    compare("exec: true", lambda: timed(NSDBG, "exec", "ran", "--", "true"), lambda: timed(DOCKER, "exec", "ran", "true"), "docker exec true", "0.1")


BENCHES = {"screen": screen, **scale.BENCHES, "sockets": sockets, "processes": processes, "capture": capture, "dns": dns, "exec": execute, "names": by_name, "probe": probe, "network": network, "list": list_json}
if sys.argv[1:] == ["resolver"]:
    resolver()
print(f"# {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}; medians of {ROUNDS}; ours over the peer's in the same run")
for bench in sys.argv[1:] or BENCHES:
    try:
        BENCHES[bench]()
    except Exception as error:  # the others are still worth printing
        print(f"# {bench} could not run: {type(error).__name__}: {error}")
