"""What the Python tests share: verdicts, running nsdbg and docker, a terminal in tmux, counting what is left behind.

Environment: NSDBG (the program), LAB (the lab program), DOCKER_HOST and DOCKER_NETNS (the private daemon).
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NSDBG = os.environ.get("NSDBG", os.path.join(ROOT, "build-test/tui/nsdbg"))
LAB = os.environ.get("LAB", os.path.join(ROOT, "build-test/tests/lab/lab"))
DOCKER = "/usr/bin/docker" if os.path.exists("/usr/bin/docker") else "docker"


# --- verdicts: each check prints one line and the run goes on ---

class Checks:
    failed = 0

    def ok(self, name, condition=True, reason=""):
        if condition:
            print(f"ok - {name}", flush=True)
        else:
            self.failed += 1
            print(f"not ok - {name}: {one_line(reason)}", flush=True)
        return bool(condition)

    def same(self, name, found, expected):
        return self.ok(name, found == expected, f"found {found!r}, expected {expected!r}")

    def sets(self, name, found, expected):
        found, expected = set(found), set(expected)
        return self.ok(name, found == expected, f"missing {sorted(expected - found, key=str)[:5]}, extra {sorted(found - expected, key=str)[:5]}")

    def between(self, name, found, before, after):
        """A set that changes: what was there before and after must be in it, what was in neither must not."""
        found, sure, possible = set(found), set(before) & set(after), set(before) | set(after)
        return self.ok(name, sure <= found <= possible,
                       f"missing {sorted(sure - found, key=str)[:5]}, extra {sorted(found - possible, key=str)[:5]}")

    def skip(self, name, reason):
        print(f"ok - {name} # SKIP {reason}", flush=True)

    def run(self, *functions):
        """Calls each function with self; an exception is a failed check of that function's name. Ends the program."""
        only = sys.argv[1:]
        for function in functions:
            if only and function.__name__ not in only:
                continue
            try:
                function(self)
            except Exception as error:  # the next concern is still worth checking
                self.ok(function.__name__, False, f"{type(error).__name__}: {error}")
                traceback.print_exc()
        sys.exit(1 if self.failed else 0)


def one_line(text):
    return re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", str(text))[:600]


def wait_for(condition, seconds=5.0, every=0.05):
    """The condition's first true value, or its last value when the time is over."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(every)


# --- programs ---

def run(*argv, timeout=30, **more):
    return subprocess.run([str(a) for a in argv], stdin=more.pop("stdin", subprocess.DEVNULL), capture_output=True, timeout=timeout, **more)


def text_of(*argv, **more):
    result = run(*argv, **more)
    if result.returncode:
        raise RuntimeError(f"{' '.join(map(str, argv))}: {result.returncode}: {result.stderr.decode(errors='replace').strip()}")
    return result.stdout.decode(errors="replace")


def nsdbg(*argv, **more):
    return run(NSDBG, *argv, **more)


def nsdbg_json(*argv, codes=(0,), **more):
    """The document that nsdbg --json prints; checks the form that all commands share."""
    result = nsdbg(*argv, "--json", **more)
    if result.returncode not in codes or not result.stdout:
        raise RuntimeError(f"nsdbg {' '.join(map(str, argv))}: exit {result.returncode}: {result.stderr.decode(errors='replace').strip()}")
    document = json.loads(result.stdout)
    missing = {"schema", "time", "host", "target", "data", "errors"} - set(document)
    if missing:
        raise RuntimeError(f"nsdbg {argv[0]}: the document lacks {missing}")
    return document


def docker(*argv, **more):
    return text_of(DOCKER, *argv, timeout=60, **more).strip()


def inspect(*names, kind="container"):
    return json.loads(docker(kind, "inspect", *names)) if names else []


def pid_of(name):
    return inspect(name)[0]["State"]["Pid"]


def in_net(pid, *argv, **more):
    """Runs a host program in the network namespace of a process."""
    return text_of("nsenter", "-n", "-t", pid, *argv, **more)


def popen_in_net(pid, *argv, **more):
    return subprocess.Popen(["nsenter", "-n", "-t", str(pid), *map(str, argv)], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)


def end(process):
    """Ends a program that we started."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


# --- a terminal ---

class Terminal:
    """nsdbg (or a shell that starts it) in tmux, with a server of its own that ends with it."""

    def __init__(self, columns=120, rows=36, command=None, env=(), locale="C.UTF-8"):
        self.dir = tempfile.mkdtemp(prefix="nsdbg-tmux-")
        config = os.path.join(self.dir, "conf")
        with open(config, "w", encoding="ascii") as file:
            file.write("set -g status off\nset -g remain-on-exit on\nset -g default-terminal tmux-256color\n")
        self.base = ["tmux", "-S", os.path.join(self.dir, "socket"), "-f", config]
        command = command or [NSDBG]
        settings = [f"LANG={locale}", f"LC_ALL={locale}", "TERM=tmux-256color", *env]
        script = " ".join(["env", *map(quote, settings), *map(quote, command)]) + f"; echo $? >{self.dir}/status"
        self.tmux("new-session", "-d", "-s", "t", "-x", columns, "-y", rows, script)
        self.tmux("resize-window", "-t", "t", "-x", columns, "-y", rows)

    def tmux(self, *argv):
        return text_of(*self.base, *argv)

    def screen(self):
        return self.tmux("capture-pane", "-p", "-t", "t")

    def coloured(self):
        return self.tmux("capture-pane", "-e", "-p", "-N", "-t", "t")

    def keys(self, *keys):
        for key in keys:
            self.tmux("send-keys", "-t", "t", key)
            if key == "Escape":  # what follows at once would make it Alt
                time.sleep(0.15)

    def type(self, text):
        self.tmux("send-keys", "-t", "t", "-l", text)

    def wait(self, pattern, seconds=5.0):
        """The screen once it matches, else None: wait for text, never for a time."""
        def look():
            screen = self.screen()
            return screen if re.search(pattern, screen, re.M) else None
        return wait_for(look, seconds)

    def pid(self):
        """The program's: the shell's only child."""
        return children_of(int(self.tmux("display", "-p", "-t", "t", "#{pane_pid}")))[0]

    def dead(self):
        path = os.path.join(self.dir, "status")
        return os.path.exists(path) and os.path.getsize(path) > 0

    def status(self):
        """The exit status as a shell sees it; None while it lives."""
        if not wait_for(self.dead, 3):
            return None
        with open(os.path.join(self.dir, "status"), encoding="ascii") as file:
            return int(file.read())

    def resize(self, columns, rows):
        self.tmux("resize-window", "-t", "t", "-x", columns, "-y", rows)

    def close(self):
        run(*self.base, "kill-server")
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def quote(word):
    return "'" + str(word).replace("'", "'\\''") + "'"


# --- what may be left behind ---

def processes_of(program=NSDBG):
    """{pid: command line} of living processes that run the program: broker, workers, app."""
    found = {}
    real = os.path.realpath(program)
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/exe") == real:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    found[int(pid)] = file.read().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            pass
    return found


def children_of(pid):
    """All living descendants of a process."""
    kids = {}
    for p in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{p}/stat", "rb") as file:
                fields = file.read().rsplit(b")", 1)[1].split()
            if fields[0] != b"Z":
                kids.setdefault(int(fields[1]), []).append(int(p))
        except OSError:
            pass
    found, todo = [], [pid]
    while todo:
        new = kids.get(todo.pop(), [])
        found += new
        todo += new
    return found


def netns_of(pid):
    return os.stat(f"/proc/{pid}/ns/net").st_ino


def namespaces():
    """{inode} of the network namespaces that have a process or a mount."""
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            found.add(os.stat(f"/proc/{pid}/ns/net").st_ino)
        except OSError:
            pass
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as file:
        found |= {int(i) for i in re.findall(r"net:\[(\d+)\]", file.read())}
    return found


def mounts():
    """Mount points, without those of container engines: these come and go."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as file:
        return {p for p in (line.split()[4] for line in file) if not re.search(r"/(data|exec|overlay2|netns)/|^/run/netns", p)}
