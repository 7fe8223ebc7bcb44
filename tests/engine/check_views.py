#!/usr/bin/env python3
"""The curses app in a real terminal (tmux): every view shows what is there, at each size; keys, deaths, killed workers, the way out."""
import os
import re
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import NSDBG, ROOT, Checks, Terminal, children_of, docker, inspect, namespaces, netns_of, nsdbg_json, pid_of, processes_of, run, wait_for

SIZES = [(160, 50), (120, 36), (80, 24), (60, 20), (40, 10)]
GONE = r"removed|gone|ended|no longer|not running|has left|is not there"


def open_on(name, columns=120, rows=36, env=(), locale="C.UTF-8"):
    """The app with the cursor on a container, found by the filter as a user would."""
    terminal = Terminal(columns, rows, env=env, locale=locale)
    if not terminal.wait(r"^[> ][✗▲●○xX!*+o.-] ", 10):
        raise RuntimeError("no list within 10 s: " + terminal.screen())
    select(terminal, name)
    return terminal


def select(terminal, name):
    terminal.keys("/")
    terminal.type(f"name={name}")
    terminal.keys("Enter")
    if not terminal.wait(rf"^[> ].*\b{name}\b"):
        raise RuntimeError(f"{name} is not in the filtered list: {terminal.screen()}")


def shows(t, terminal, name, pattern, seconds=5.0):
    return t.ok(name, terminal.wait(pattern, seconds), "the screen: " + " / ".join(line.strip() for line in terminal.screen().splitlines() if line.strip()))


def quits(t, terminal, name):
    terminal.keys("Q")
    dead = wait_for(terminal.dead, 10)
    t.ok(f"{name}: Q leaves with status 0", dead and terminal.status() == 0, f"{dead} {terminal.status()} {terminal.screen()}")


def list_first(t):
    with open_on("web") as terminal:
        screen = terminal.screen()
        t.ok("list: the container with its address", inspect("web")[0]["NetworkSettings"]["Networks"]["shop"]["IPAddress"] in screen, screen)
        terminal.keys("\\")
        shows(t, terminal, "list: \\ clears the filter", r"\btiny\b")
        t.ok("list: what failed is shown though it does not run", re.search(r"\bstopped\b.*exited 3", terminal.screen()), terminal.screen())
        t.ok("list: what merely does not run is hidden at first", not re.search(r"\bfresh\b", terminal.screen()), terminal.screen())
        terminal.keys("a")
        shows(t, terminal, "list: a shows all", r"\bfresh\b")
        terminal.keys("]")
        shows(t, terminal, "list: the networks tab", r"172\.30\.1\.0/24")
        terminal.keys("?")
        shows(t, terminal, "help: ? shows the keys", r"(?i)help")
        terminal.keys("Escape")
        quits(t, terminal, "list")


def each_view(t):
    database = inspect("db")[0]["NetworkSettings"]["Networks"]["shop"]["IPAddress"]
    for columns, rows in SIZES:
        size = f"{columns}x{rows}"
        with open_on("client", columns, rows) as terminal:
            terminal.keys("s")
            shows(t, terminal, f"sockets at {size}: the connection to the database", rf"ESTAB.*({re.escape(database)}|db):?5432" if columns >= 60 else r"ESTAB")
            terminal.keys("p")
            shows(t, terminal, f"processes at {size}", r"lab( |$)")
            terminal.keys("c")
            shows(t, terminal, f"capture at {size}: live packets", r"\b(TCP|DNS)\b" if columns >= 60 else r"\b(db:5432|web:80)\b", 8)
            terminal.keys("d")
            shows(t, terminal, f"dns at {size}: the container's resolver", r"127\.0\.0\.11")
            terminal.keys("q")
            shows(t, terminal, f"q at {size} leads back", r"\bclient\b")
            t.ok(f"no line is wider than the screen at {size}", all(len(line) <= columns for line in terminal.screen().splitlines()))
            quits(t, terminal, size)


def same_as_command(t):
    """What the screen shows is what the command line says."""
    with open_on("client") as terminal:
        terminal.keys("p")
        for row in nsdbg_json("ps", "client")["data"]:
            shows(t, terminal, f"processes: pid {row['pid']} is on the screen", rf"\b{row['pid']}\b")
    with open_on("client") as terminal:
        terminal.keys("s")
        for row in nsdbg_json("ss", "client", "-t", "-l")["data"]:
            shows(t, terminal, f"sockets: port {row['local_port']} is on the screen", rf":{row['local_port']}\b")


def dns_answer(t):
    with open_on("client") as terminal:
        terminal.keys("d")
        shows(t, terminal, "dns view opens", r"127\.0\.0\.11")
        terminal.keys("/")
        terminal.keys("C-u")
        terminal.type("web")
        terminal.keys("Enter")
        shows(t, terminal, "dns view: Docker's address", re.escape(inspect("web")[0]["NetworkSettings"]["Networks"]["shop"]["IPAddress"]))


def capture_keys(t):
    with open_on("client") as terminal:
        terminal.keys("c")
        shows(t, terminal, "capture starts by itself", r"\b(TCP|DNS)\b", 8)
        terminal.keys("f")
        terminal.keys("C-u")
        terminal.type("udp prot 53")
        shows(t, terminal, "capture: a wrong filter is told while it is typed", r"(?i)syntax|error|can't|unknown|wrong")
        terminal.keys("C-u")
        terminal.type("udp port 53")
        terminal.keys("Enter")
        shows(t, terminal, "capture: the new filter is in force", r"udp port 53.* [1-9][0-9]* pkts", 10)
        terminal.keys("S")
        terminal.keys("Enter")
        shows(t, terminal, "capture: a packet's tree and bytes", r"0000 +[0-9a-f]{2} ")
        quits(t, terminal, "capture")


def letters_between_views(t):
    with open_on("web") as terminal:
        for key, pattern in (("s", "LISTEN"), ("2", "LISTEN"), ("3", r"lab( |$)"), ("p", r"lab( |$)"), ("5", r"127\.0\.0\.11"), ("0", r"\bweb\b")):
            terminal.keys(key)
            shows(t, terminal, f"key {key}", pattern)


def removed_and_back(t):
    for key, view in (("s", "sockets"), ("p", "processes"), ("c", "capture"), ("d", "dns"), ("1", "overview")):
        docker("run", "-d", "--name", "brief", "--network", "shop", "bb:1", "sleep", "1000000")
        inode = netns_of(pid_of("brief"))
        with open_on("brief") as terminal:
            terminal.keys(key)
            wait_for(lambda: re.search(r"(?i)brief", terminal.screen()), 3)
            wait_for(lambda: False, 0.7)
            docker("rm", "-f", "brief")
            shows(t, terminal, f"{view}: says within 2 s that the container is gone", GONE, 2.0)
            t.ok(f"{view}: the dead container's namespace is let go", wait_for(lambda: inode not in namespaces(), 3))
            docker("run", "-d", "--name", "brief", "--network", "shop", "bb:1", "sleep", "1000000")
            shows(t, terminal, f"{view}: one of the same name is found again", r"(?i)again|new|back|came|re-?created|follow", 4.0)
            quits(t, terminal, f"{view} after removal")
        docker("rm", "-f", "brief")


def killed_workers(t):
    """kill -9 of each worker costs its view a line; the others and the app live on."""
    for key, view in (("s", "sockets"), ("p", "processes"), ("c", "capture")):
        with open_on("client") as terminal:
            terminal.keys(key)
            shows(t, terminal, f"{view}: opens", r"ESTAB|lab( |$)|TCP|DNS")
            wait_for(lambda: False, 0.5)
            app = terminal.pid()
            for worker in workers_of(app):
                try:
                    os.kill(worker, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            shows(t, terminal, f"{view}: says that its worker was killed", r"(?i)killed|signal 9|ended|died|restart", 5)
            t.ok(f"{view}: the app lives on", not terminal.dead(), terminal.screen())
            terminal.keys("R")
            shows(t, terminal, f"{view}: R brings it back", {"s": r"ESTAB", "p": r"lab( |$)", "c": r"\b(TCP|DNS)\b"}[key], 8)
            quits(t, terminal, f"{view} with killed workers")


def workers_of(app):
    """The broker's children: what reads in the target."""
    return [p for p in children_of(app) if parent_of(p) != app]


def parent_of(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return int(file.read().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


def tty_state(terminal, mark):
    terminal.type(f"echo {mark}:$(stty -g)")
    terminal.keys("Enter")
    screen = terminal.wait(rf"^{mark}:[0-9a-f:]+", 5) or ""
    found = re.search(rf"^{mark}:([0-9a-f:]+)", screen, re.M)
    return found and found[1]


def terminal_is_whole(t):
    """stty -g before and after: ordinary exit, ^C, SIGTERM, a killed app, ^Z and back."""
    with Terminal(120, 36, command=["bash", "--norc", "--noprofile"]) as terminal:
        before = tty_state(terminal, "start")
        for name, leave in (("Q", lambda: terminal.keys("Q")), ("^C twice", lambda: (terminal.keys("C-c"), terminal.keys("C-c"))),
                            ("SIGTERM", lambda: signal_app(signal.SIGTERM)), ("SIGHUP", lambda: signal_app(signal.SIGHUP)),
                            ("SIGSEGV", lambda: signal_app(signal.SIGSEGV)), ("kill -9", lambda: signal_app(signal.SIGKILL))):
            terminal.keys("C-l")
            terminal.type(f"{NSDBG}; echo left")
            terminal.keys("Enter")
            terminal.wait(r"\btiny\b", 10)
            leave()
            t.ok(f"after {name} the shell is back", terminal.wait(r"^.*\bleft$", 5), terminal.screen())
            mark = re.sub(r"\W", "", name)
            after = tty_state(terminal, mark)
            t.ok(f"after {name} the terminal is as before", after == before, f"{before} became {after}: {terminal.screen()}")
            modes = terminal.tmux("display", "-p", "-t", "t", "#{alternate_on}#{cursor_flag}#{mouse_any_flag}").strip()
            t.same(f"after {name}: main screen, cursor shown, mouse off", modes, "010")
            wait_for(lambda: not processes_of(), 3)
            t.ok(f"after {name} no process is left", not processes_of(), processes_of())
            run(*terminal.base, "send-keys", "-t", "t", "-R")
            terminal.type(f"stty {before}")
            terminal.keys("Enter")


def signal_app(number):
    parents = processes_of()
    for pid in parents:  # the app is the one whose parent is not nsdbg
        if parent_of(pid) not in (0, *parents):
            os.kill(pid, number)


def suspended(t):
    with Terminal(80, 24, command=["bash", "--norc", "--noprofile"]) as terminal:
        terminal.type(NSDBG)
        terminal.keys("Enter")
        terminal.wait(r"\bweb\b", 10)
        terminal.keys("C-z")
        t.ok("^Z gives the shell back", terminal.wait(r"Stopped|\$ $", 5), terminal.screen())
        terminal.type("fg")
        terminal.keys("Enter")
        shows(t, terminal, "fg draws the list again", r"\btiny\b")


def resized(t):
    with open_on("web", 120, 36) as terminal:
        terminal.keys("\\")
        for columns, rows in ((80, 24), (40, 10), (160, 50), (20, 5), (120, 36)):
            terminal.resize(columns, rows)
            wait_for(lambda: False, 0.3)
            t.ok(f"resize to {columns}x{rows}: still there", not terminal.dead() and terminal.screen().strip(), terminal.screen())
        shows(t, terminal, "after all sizes the list is whole", r"\btiny\b")


def plain_terminals(t):
    with open_on("web", 80, 24, env=["NO_COLOR=1"]) as terminal:
        coloured = re.findall(r"\x1b\[[0-9;]*m", terminal.coloured())
        bad = [s for s in coloured if re.search(r"(?<![0-9])(3[0-7]|4[0-7]|9[0-7]|10[0-7]|38|48)(?![0-9])", s)]
        t.ok("NO_COLOR: no colours", not bad, bad[:5])
    with open_on("web", 80, 24, locale="C") as terminal:
        t.ok("LANG=C: only ASCII", terminal.screen().isascii(), terminal.screen())
    with Terminal(80, 24, env=["TERM=nosuchterminal"]) as terminal:
        wait_for(lambda: terminal.dead() or re.search(r"\bweb\b", terminal.screen()), 5)
        t.ok("an unknown TERM: works or says why in a line", re.search(r"\bweb\b|(?i:term)", terminal.screen()), terminal.screen())


SILENT = r"(?i)not answer|no answer|as of|refused|cannot connect|stale"


def hanging_engine(t):
    """Docker stops answering while the list is open: it is said within a minute, the rows stay, the views need no Docker."""
    with open(os.path.join(docker_directory(), "dockerd.pid"), encoding="ascii") as file:
        daemon = int(file.read())
    with open_on("web") as terminal:
        os.kill(daemon, signal.SIGSTOP)
        try:
            terminal.keys("s")
            shows(t, terminal, "a Docker that hangs: sockets still open", r"LISTEN")
            terminal.keys("0", "R")
            t.ok("a Docker that hangs: the list says so", terminal.wait(SILENT, 45), terminal.screen())
            t.ok("a Docker that hangs: the rows stay", re.search(r"\bweb\b", terminal.screen()), terminal.screen())
        finally:
            os.kill(daemon, signal.SIGCONT)


def killed_engine(t):
    script = os.path.join(ROOT, "tests/engine/dockerd.sh")
    with open_on("web") as terminal:
        run(script, "kill", docker_directory())
        t.ok("a Docker that was killed: the list says so within 5 s", terminal.wait(SILENT, 5), terminal.screen())
        t.ok("a Docker that was killed: the rows stay", re.search(r"\bweb\b", terminal.screen()), terminal.screen())
        run(script, "start", docker_directory(), timeout=60)
        t.ok("a Docker that came back is heard again", wait_for(lambda: not re.search(SILENT, terminal.screen()), 35), terminal.screen())


def docker_directory():
    return os.path.dirname(os.environ["DOCKER_HOST"].removeprefix("unix://"))


Checks().run(list_first, each_view, same_as_command, dns_answer, capture_keys, letters_between_views, removed_and_back, killed_workers,
             terminal_is_whole, suspended, resized, plain_terminals, hanging_engine,
             killed_engine)  # the last: a killed daemon takes its containers with it
