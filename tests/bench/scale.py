"""Benchmarks of the list at rest and at scale: CPU while nothing happens, health of many, keys held down over a thousand namespaces."""
import fcntl
import http.client
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import DOCKER, NSDBG, children_of, docker

LOAD = os.environ["LOAD"]
QUICK = bool(os.environ.get("BENCH_QUICK"))
ONE_ENGINE = ("--runtime", "docker,netns,host")  # as the peers: other engines of the machine answer when they like


# --- containers, fast: the engine's API, without a program for each ---

class Api(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(os.environ["DOCKER_HOST"].removeprefix("unix://"))

    def call(self, method, path, body=None):
        self.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json", "Host": "d"})
        answer = self.getresponse()
        data = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {data[:200]}")
        return json.loads(data) if data else None


def start(name):
    api = Api("d")
    api.call("POST", f"/containers/create?name={name}", {"Image": "bb:1", "Cmd": ["sleep", "1000000"]})
    api.call("POST", f"/containers/{name}/start")


def many_containers(n):
    """At least n that run, named many-000 and so on; how many there are."""
    have = len(docker("ps", "-q").split())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: start(f"many-{i:03}"), range(have, n)))
    return len(docker("ps", "-q").split())


class Namespaces:
    """n sleepers, each in a network namespace of its own."""

    def __init__(self, n):
        self.process = subprocess.Popen([LOAD, "namespaces", str(n)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)

    def __enter__(self):
        self.process.stdout.readline()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


# --- CPU ---

def cpu_of(pid):
    """Seconds of CPU that a process has used, to the nanosecond: clock_getcpuclockid(3). 0: it has ended."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return "?"


class Screen:
    """A program on a terminal that is read all the time by a thread."""

    def __init__(self, argv, rows=50, columns=160):
        self.started = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", LANG="C.UTF-8", LINES=str(rows), COLUMNS=str(columns))
            os.execvp(argv[0], argv)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.data, self.news = b"", threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while True:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                return
            with self.news:
                self.data += data
                self.news.notify()

    def wait(self, pattern, seconds=20):
        """Seconds since the start until the pattern was sent; None: never."""
        with self.news:
            found = self.news.wait_for(lambda: re.search(pattern, self.data), seconds)
        return time.perf_counter() - self.started if found else None

    def key(self, key, seconds=2.0):
        """Milliseconds from a key to the first byte of what it changes on the screen."""
        with self.news:
            self.data = b""
            start_time = time.perf_counter()
            os.write(self.fd, key)
            self.news.wait_for(lambda: self.data, seconds)
        return (time.perf_counter() - start_time) * 1000

    def pids(self):
        return [self.pid, *children_of(self.pid)]

    def cpu(self, seconds):
        """{process name: % of a core} over the time."""
        before = {p: cpu_of(p) for p in self.pids()}
        time.sleep(seconds)
        used = {}
        for p in self.pids():
            used[name_of(p)] = used.get(name_of(p), 0) + (cpu_of(p) - before.get(p, 0)) / seconds * 100
        return used

    def close(self):
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)
        self.reader.join(5)  # else it may read what the next screen sends, under the same number
        os.close(self.fd)


def polling(seconds):
    """% of a core that asking the engine for everything each second costs, without what it costs the engine itself."""
    start_time, before, n = time.perf_counter(), time.clock_gettime(time.CLOCK_MONOTONIC), os.times()
    while time.perf_counter() - start_time < seconds:
        subprocess.run(f"{DOCKER} inspect $({DOCKER} ps -q)", shell=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        time.sleep(max(0.0, 1 - (time.perf_counter() - start_time) % 1))
    after = os.times()
    spent = after.children_user - n.children_user + after.children_system - n.children_system
    return spent / (time.clock_gettime(time.CLOCK_MONOTONIC) - before) * 100


def at_rest(argv, pattern, seconds):
    screen = Screen(argv)
    if not screen.wait(pattern):
        screen.close()
        raise RuntimeError(f"{argv[0]} never showed {pattern}")
    time.sleep(6)  # what the start does is not rest; the walk over descriptors comes once a minute
    used = screen.cpu(seconds)
    screen.close()
    return used


def line(name, ours, peer, peer_name, goal):
    print(f"{name:<44} {ours:9.2f} %    {peer_name:<38} {peer:9.2f} %    ratio {ours / max(peer, 0.001):6.3f}   goal {goal}", flush=True)


def idle():
    """The list while nothing happens, against top, and against asking for everything each second."""
    n, seconds = many_containers(25 if QUICK else 100), 8 if QUICK else 20
    ours = at_rest([NSDBG, *ONE_ENGINE], rb"many-0", seconds)
    top = sum(at_rest(["top", "-d", "2"], rb"COMMAND", seconds).values())
    ours_again = at_rest([NSDBG, *ONE_ENGINE], rb"many-0", seconds)
    total = (sum(ours.values()) + sum(ours_again.values())) / 2
    line(f"idle list, {n} containers, CPU", total, top, "top -d 2", "0.5")
    line(f"idle list, {n} containers, CPU", total, polling(seconds), "docker inspect of all, each second", "0.1")
    health = (ours.get("nsdbg: health", 0) + ours_again.get("nsdbg: health", 0)) / 2
    print(f"# health of {n} containers every 2 s: {health:.2f} % of a core (goal 1 %); by process: " +
          ", ".join(f"{k} {v:.2f}" for k, v in sorted(ours.items(), key=lambda i: -i[1]) if v >= 0.01), flush=True)


def thousand():
    """A thousand bare namespaces: keys held down for some seconds, while the scan and health go on."""
    n, seconds = 1000, 6 if QUICK else 20
    with Namespaces(n):
        screen = Screen([NSDBG])
        first = screen.wait(rb"1\d\d\d targets") or 99
        time.sleep(3)
        times, key, start_time = [], b"\x1b[B", time.perf_counter()
        while time.perf_counter() - start_time < seconds:
            times.append(screen.key(key))
            time.sleep(max(0.0, 0.033 - times[-1] / 1000))  # 30 a second, as a held key repeats
            if len(times) % 400 == 0:
                key = b"\x1b[A" if key == b"\x1b[B" else b"\x1b[B"
        times.sort()
        used = screen.cpu(seconds)
        screen.close()
    at = [times[min(len(times) - 1, int(len(times) * share))] for share in (0.5, 0.95, 0.99, 1)]
    print(f"{n} namespaces, key held: key to frame          p50 {at[0]:.1f}  p95 {at[1]:.1f}  p99 {at[2]:.1f}  max {at[3]:.1f} ms   "
          f"listed after {first * 1000:.0f} ms   goal p95 16, max 50", flush=True)
    print(f"# at rest {sum(used.values()):.2f} % of a core: " + ", ".join(f"{k} {v:.2f}" for k, v in sorted(used.items(), key=lambda i: -i[1]) if v >= 0.01), flush=True)


BENCHES = {"idle": idle, "thousand": thousand}
