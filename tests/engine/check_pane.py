#!/usr/bin/env python3
"""A shell in the terminal pane, beside a capture; the palette; own commands. What a tool writes reaches cells only, and nothing is left."""
import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import NSDBG, Checks, Terminal, children_of, docker, inspect, pid_of, processes_of, run, wait_for

CONFIG = """
[settings]
utc = yes
[commands]
hello = echo [{name}] [{ip}] [{pid}] [a;b$HOME]
[commands.ports]
run = echo {name} | tr a-z A-Z
shell = yes
key = K
[commands.inside]
run = ip -o -4 addr show eth0
in = target
[commands.taken]
run = true
key = s
"""


def shows(t, terminal, name, pattern, seconds=6.0):
    return t.ok(name, terminal.wait(pattern, seconds), "the screen: " + " / ".join(line.strip() for line in terminal.screen().splitlines()[-18:] if line.strip()))


def open_on(name, columns=120, rows=36, config=None):
    terminal = Terminal(columns, rows, command=[NSDBG, *(["--config", config] if config else []), name])
    if not terminal.wait(r"\[1 Overview\]", 10):
        screen = terminal.screen()
        terminal.close()
        raise RuntimeError("not open within 10 s: " + screen)
    return terminal


def start_sh(terminal, name):
    """Not e: what a login shell reads at its start may take its time."""
    terminal.keys("!")
    terminal.wait(rf"in {name} run")
    terminal.type("sh")
    terminal.keys("Enter")
    if not terminal.wait(rf"ns: net of {name}.* run: sh"):
        raise RuntimeError("no pane: " + terminal.screen())


def shell_beside_capture(t):
    address = inspect("client")[0]["NetworkSettings"]["Networks"]["shop"]["IPAddress"]
    before = set(processes_of())
    with open_on("client") as terminal:
        terminal.keys("c")
        shows(t, terminal, "a capture runs", r"\b(TCP|DNS)\b", 8)
        start_sh(terminal, "client")
        shows(t, terminal, "a shell is below it, with its title", r"ns: net of client +files: the host's +run: sh +exit: \^D +\^\] back to nsdbg")
        app = terminal.pid()
        terminal.type("ip -o -4 addr show eth0; echo w$((6*7))")
        terminal.keys("Enter")
        screen = shows(t, terminal, "it is in the container's network", re.escape(address) + "/") and terminal.wait("^w42")
        t.ok("the capture is still in sight, and goes on", screen and re.search(r"REC .*pkts", screen), screen)
        terminal.type("getent hosts db; stty size")
        terminal.keys("Enter")
        shows(t, terminal, "names are the container's", re.escape(inspect("db")[0]["NetworkSettings"]["Networks"]["shop"]["IPAddress"]) + r" +db")
        shows(t, terminal, "the tool knows its size", r"^15 120")
        # Titles, clipboard, mouse, alarms: into the void.
        terminal.type("clear; printf '\\033]0;EVIL\\007\\033]52;c;RVZJTA==\\007\\033[?1000h\\033P1;2|0/41\\033\\\\' ; printf 'do''ne\\n'")
        terminal.keys("Enter")
        shows(t, terminal, "what it writes is shown", r"^done")
        t.ok("no title of the tool's reaches the terminal", "EVIL" not in terminal.tmux("display", "-p", "#{pane_title}"))
        t.ok("no clipboard of the tool's either", b"EVIL" not in run(*terminal.base, "show-buffer").stdout)
        terminal.keys("C-]")
        shows(t, terminal, "^] leads back", r"ns: net of client.*\^\] into it")
        terminal.keys("s")
        shows(t, terminal, "keys are nsdbg's again, another view above the shell", r"ESTAB")
        terminal.keys("V")
        wait_for(lambda: "ESTAB" not in terminal.screen(), 3)
        terminal.type("stty size")
        terminal.keys("Enter")
        shows(t, terminal, "V: the whole screen", r"^35 120")
        terminal.keys("C-]")
        terminal.resize(80, 24)
        shows(t, terminal, "80x24: the view above", r"ESTAB")
        terminal.keys("C-]")
        terminal.type("clear; stty size")
        terminal.keys("Enter")
        shows(t, terminal, "80x24: its size is told to the tool", r"^9 80")
        terminal.type("sleep 1000 &")
        terminal.keys("Enter")
        terminal.keys("C-d")
        shows(t, terminal, "^D ends it, its end is said", r"^ sh: exit 0 ")
        terminal.keys("Enter")
        t.ok("Enter closes the pane", wait_for(lambda: "ns: net" not in terminal.screen(), 5), terminal.screen())
        terminal.keys("e")
        shows(t, terminal, "e: a login shell, with its title", r"ns: net of client +files: the host's +exit: \^D")
        terminal.type("sleep 1001")
        terminal.keys("Enter")
        wait_for(lambda: False, 0.5)
        terminal.keys("C-]")
        children = children_of(app)
        terminal.keys("Q")
        t.ok("Q leaves", wait_for(terminal.dead, 10) and terminal.status() == 0, terminal.screen())
        t.ok("and ends the shell with what it started", wait_for(lambda: not any(os.path.exists(f"/proc/{p}") for p in children), 5), children)
    t.ok("no process is left", wait_for(lambda: set(processes_of()) <= before, 5), processes_of())


def full_screen_tools(t):
    with open_on("web") as terminal:
        start_sh(terminal, "web")
        terminal.type("htop")
        terminal.keys("Enter")
        shows(t, terminal, "htop draws in the pane", r"F10")
        terminal.keys("F10")
        t.ok("and goes on F10", wait_for(lambda: "F10" not in terminal.screen(), 5), terminal.screen())
        terminal.type("yes nsdbg | head -300000 | tail -1; echo en''d")
        terminal.keys("Enter")
        shows(t, terminal, "a flood of output is taken", r"^end", 20)


def leave(terminal, pattern):
    """Enter closes the pane of a tool that has ended; what is typed before is still its own."""
    terminal.wait(r"exit \d")
    terminal.keys("Enter")
    wait_for(lambda: not re.search(pattern, terminal.screen(), re.M), 3)


def palette_and_commands(t):
    pid = pid_of("web")
    address = inspect("web")[0]["NetworkSettings"]["Networks"]["shop"]["IPAddress"]
    with tempfile.NamedTemporaryFile("w", suffix=".config") as file:
        file.write(CONFIG)
        file.flush()
        os.chmod(file.name, 0o644)
        with open_on("web", config=file.name) as terminal:
            terminal.keys(":")
            terminal.type("hell")
            shows(t, terminal, "the palette finds an own command", r"^ > hello +echo \[\{name\}\]")
            terminal.keys("Enter")
            shows(t, terminal, "values are filled in, no shell looks at them", rf"^\[web\] \[{re.escape(address)}\] \[{pid}\] \[a;b\$HOME\]")
            terminal.keys("Enter")
            t.ok("Enter closes its pane", wait_for(lambda: "[web]" not in terminal.screen(), 3), terminal.screen())
            terminal.keys("K")
            shows(t, terminal, "a key runs one; this one through a shell", r"^WEB$")
            leave(terminal, r"^WEB$")
            terminal.keys(":")
            terminal.type("inside")
            terminal.keys("Enter")
            shows(t, terminal, "in = target: in its network", re.escape(address) + "/")
            leave(terminal, re.escape(address) + "/")
            terminal.keys(":")
            terminal.type("interval 5s")
            terminal.keys("Enter")
            shows(t, terminal, "the palette sets the interval", r"refresh every 5 s")
            terminal.keys(":")
            terminal.type("target db")
            terminal.keys("Enter")
            shows(t, terminal, "the palette goes to a target", r"> db .*\bup\b")
        with open_on("web", config=file.name) as terminal:
            terminal.keys("L")  # it is said at the start, for some seconds
            shows(t, terminal, "a key that means something already is refused", r"key s is taken")
        os.chmod(file.name, 0o666)
        result = run("script", "-qec", f"{NSDBG} --config {file.name}", "/dev/null")
        t.ok("a file that others may write to is refused", result.returncode == 2 and b"others may write to it" in result.stdout, result)


def unknown_value(t):
    """What is not known is said, and nothing is run with a hole in it."""
    with tempfile.NamedTemporaryFile("w", suffix=".config") as file:
        file.write("[commands]\nsay = echo ran {name} {ip}\n")
        file.flush()
        os.chmod(file.name, 0o644)
        with Terminal(120, 36, command=[NSDBG, "--config", file.name, "stopped"]) as terminal:
            terminal.wait(r"\bstopped\b.*exit", 10)
            terminal.keys(":")
            terminal.type("say")
            terminal.keys("Enter")
            shows(t, terminal, "a value that is not there is said", r"say: \{ip\} is not known here")


def killed_under_it(t):
    """A container that ends under a view: said with the time, shown as it was; when it is back, R goes on with it."""
    for key, seen, stays in (("4", r" ICMPv6 ", r"its packets stay readable"), ("6", r"eth0.*veth\w+.*br-", r"eth0.*veth\w+.*br-"),
                             ("7", r"\[7 Probe\]", r"ping +db")):
        docker("run", "-d", "--rm", "--name", "ends", "--network", "shop", "bb:1", "sleep", "1000000")
        with open_on("ends", 80, 24) as terminal:
            terminal.keys(key)
            shows(t, terminal, f"view {key}: is there", seen, 8)
            if key == "7":
                terminal.keys("a")
                terminal.type("ping db")
                terminal.keys("Enter")
                terminal.wait("answered")
            if key == "6":
                start_sh(terminal, "ends")
            docker("kill", "ends")
            if key == "6":
                shows(t, terminal, "a shell goes on when its container has ended, and says so", r"run: sh +target ended")
                terminal.keys("C-d")
                terminal.wait("sh: exit")
                terminal.keys("Enter")
            shows(t, terminal, f"view {key}: the end is said, and when", r"ends ended at \d\d:\d\d:\d\d")
            wait_for(lambda: False, 2.2)  # one more sample of whatever still reads
            shows(t, terminal, f"view {key}: what was seen stays", stays)
            wait_for(lambda: run("docker", "inspect", "ends").returncode, 5)
            if key == "6":
                docker("run", "-d", "--rm", "--name", "ends", "--network", "shop", "bb:1", "sleep", "1000000")
                shows(t, terminal, "view 6: it is back", r"ends is back.*\[R\]")
                terminal.keys("R")
                t.ok("view 6: R goes on with the new one", wait_for(lambda: not re.search("is back|ended at", terminal.screen()), 5) and terminal.wait(seen), terminal.screen())
                docker("kill", "ends")
                wait_for(lambda: run("docker", "inspect", "ends").returncode, 5)


Checks().run(shell_beside_capture, full_screen_tools, palette_and_commands, unknown_value, killed_under_it)
