#!/usr/bin/env python3
"""nsdbg exec: host tools in containers: names, tools, /proc, namespaces one by one against nsenter, exit codes, terminals, attacks; and that
nothing of it is left on the host, whoever is killed."""
import hashlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import DOCKER, NSDBG, Checks, Terminal, docker, end, in_net, mounts, nsdbg, pid_of, processes_of, run, text_of, wait_for

SLEEP = ["sleep", "1000000"]
LISTEN = "while true; do nc -l -p {0} -e echo {1}; done"


def start(name, *options, command=SLEEP, image="bb:1"):
    docker("run", "-d", "--name", name, *options, image, *command)


def world():
    """app and bare (FROM scratch) on backend and search; postgres on one, elasticsearch on the other."""
    for network in ("backend", "search"):
        docker("network", "create", network)
    start("postgres", "--network", "backend", command=["sh", "-c", LISTEN.format(5432, "ready")])
    start("elasticsearch", "--network", "search", command=["sh", "-c", LISTEN.format(9200, "yellow")])
    start("app", "--network", "backend", "--hostname", "app-host")
    start("bare", "--network", "backend", image="scratch:1", command=["7000"])
    start("tracer", "--cap-add", "SYS_PTRACE", "--network", "backend")
    for name in ("app", "bare"):
        docker("network", "connect", "search", name)


def unworld():
    run(DOCKER, "rm", "-f", "-v", "postgres", "elasticsearch", "app", "bare", "tracer", "odd", timeout=60)
    run(DOCKER, "network", "rm", "backend", "search")


def execute(*argv, **more):
    result = nsdbg("exec", *argv, **more)
    return result.returncode, result.stdout.decode(errors="replace"), result.stderr.decode(errors="replace")


def out(*argv, **more):
    return execute(*argv, **more)[1]


# --- what it is for ---

OPENS = """
import socket
for place in (("postgres", 5432), ("elasticsearch", 9200)):
    with socket.create_connection(place, 5) as s:
        print(place[0], s.recv(20).decode().strip())
"""


def names(t):
    for name in ("app", "bare"):
        t.same(f"{name}: a host python opens both services by name", out(name, "--", "python3", "-c", OPENS).split(),
               ["postgres", "ready", "elasticsearch", "yellow"])
    t.same("app: getent sees the container's hosts file", out("app", "--", "getent", "hosts", "app-host").split()[-1:], ["app-host"])
    theirs = docker("exec", "app", "cat", "/etc/resolv.conf")
    t.same("app: resolv.conf is the container's", out("app", "--", "cat", "/etc/resolv.conf").strip(), theirs)
    t.ok("app: names come from files and dns alone", re.search(r"(?m)^hosts: files dns$", out("app", "--", "cat", "/etc/nsswitch.conf")))
    t.same("app: --no-files keeps the host's", out("app", "--no-files", "--", "cat", "/etc/resolv.conf"), open("/etc/resolv.conf", encoding="utf-8").read())
    t.same("host: the host's own", out("host", "--", "readlink", "/proc/self/ns/net").strip(), os.readlink("/proc/self/ns/net"))


def tools(t):
    pid = pid_of("app")
    addresses = in_net(pid, "ip", "-o", "addr")
    t.same("ip addr is the container's", out("app", "--", "ip", "-o", "addr").replace("link-netnsid", ""), addresses.replace("link-netnsid", ""))
    t.same("/sys/class/net is the container's", sorted(out("bare", "--", "ls", "/sys/class/net").split()),
           sorted(re.findall(r"(?m)^\d+: ([^:@]+)", in_net(pid_of("bare"), "ip", "-o", "link"))))
    t.ok("control groups are still there", out("app", "--", "ls", "/sys/fs/cgroup") == text_of("ls", "/sys/fs/cgroup"))
    ours = out("postgres", "--", "ss", "-Htlnp")
    t.ok("ss -p knows the container's processes", re.search(r":5432\b.*\"nc\"", ours), ours)
    code, said, error = execute("app", "--", "ping", "-c1", "-W2", "postgres")
    t.ok("ping by name", code == 0 and "1 received" in said, said + error)
    t.same("curl by name", out("app", "--", "curl", "-s", "--http0.9", "http://elasticsearch:9200/").strip(), "yellow")
    dump = subprocess.Popen([NSDBG, "exec", "app", "--", "tcpdump", "-c1", "-lni", "lo", "icmp"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for(lambda: b"listening" in dump.stderr.readline(), 5)
    out("app", "--", "ping", "-c1", "127.0.0.1")
    try:
        t.ok("tcpdump -c1", b"ICMP echo request" in dump.communicate(timeout=10)[0], dump.returncode)
    finally:
        end(dump)


def proc(t):
    rows = out("app", "--proc", "--", "ps", "-ef").splitlines()[1:]
    t.same("ps -ef: the container only, PID 1 first", [(r.split()[1], r.split()[7]) for r in rows], [("1", "sleep")])
    top = re.findall(r"(?m)^ *(\d+) \S+ .* (\S+) *$", out("tracer", "--proc", "--", "top", "-b", "-n1").partition("COMMAND")[2])
    t.same("top -b: the container only", top, [("1", "sleep")])
    screen = on_terminal([NSDBG, "exec", "app", "--proc", "--", "htop"], b"q", 2)[1]
    t.ok("htop: the container only", b"sleep" in screen and b"containerd" not in screen and b"dockerd" not in screen, screen[-300:])
    same = out("app", "--proc", "--", "sh", "-c", "readlink /proc/self/ns/net; cat /proc/net/dev | grep -c eth").split()
    t.same("/proc/self is the tool, /proc/net its network", same, [os.readlink(f"/proc/{pid_of('app')}/ns/net"), "2"])
    t.same("--ns pid: the tool is in it", out("app", "-n", "-p", "--proc", "--", "sh", "-c", "readlink /proc/self/ns/pid").strip(),
           os.readlink(f"/proc/{pid_of('app')}/ns/pid"))


KINDS = {"n": "net", "m": "mnt", "p": "pid", "u": "uts", "i": "ipc", "C": "cgroup", "T": "time"}
LOOK = "for i in net mnt pid uts ipc user cgroup time; do readlink /proc/self/ns/$i; done; pwd; hostname"


def namespaces_one_by_one(t):
    pid = str(pid_of("app"))
    for letter, name in KINDS.items():
        script = ["sh", "-c", LOOK]
        theirs = text_of("nsenter", "-t", pid, "-" + letter, *script)
        t.same(f"-{letter} is nsenter's", out("app", "-" + letter, "--no-files", "--", *script), theirs)
        t.same(f"--ns {name} is -{letter}", out("app", "--ns", name, "--no-files", "--", *script), theirs)
    t.same("-a is nsenter's", out("app", "-a", "--", "sh", "-c", LOOK), text_of("nsenter", "-t", pid, "-a", "sh", "-c", LOOK))
    t.same("-U on the same user namespace: nothing to do", execute("app", "-U", "--", "true")[0], 0)
    with_user = subprocess.Popen(["unshare", "-Urn", "sleep", "100"])
    try:
        wait_for(lambda: os.readlink(f"/proc/{with_user.pid}/ns/user") != os.readlink("/proc/self/ns/user"))
        theirs = text_of("nsenter", "-t", with_user.pid, "-U", "-n", "sh", "-c", "readlink /proc/self/ns/user; id -u; id -g")
        t.same("-U -n of another user namespace is nsenter's", out(f"pid:{with_user.pid}", "-U", "-n", "--", "sh", "-c",
                                                                     "readlink /proc/self/ns/user; id -u; id -g"), theirs)
    finally:
        end(with_user)
    t.same("-r: its root directory", out("app", "--root", "--", "ls", "/"), text_of("nsenter", "-t", pid, "-r", "ls", "/"))
    t.same("-w: its working directory", out("app", "-m", "-w", "target", "--", "pwd"), text_of("nsenter", "-t", pid, "-m", "-w", "pwd"))
    t.same("-S -G: user and group", out("app", "-S", "33", "-G", "44", "--", "sh", "-c", "id -u; id -g; id -G").split(), ["33", "44", "44"])
    t.same("the container's files mean its capabilities", out("app", "-a", "--", "grep", "CapEff", "/proc/self/status").split()[1],
           re.search(r"CapBnd:\s*(\w+)", open(f"/proc/{pid}/status", encoding="utf-8").read())[1])
    t.same("--caps none", out("app", "--caps", "none", "--", "grep", "CapEff", "/proc/self/status").split()[1].strip("0"), "")


def codes(t):
    for command, code in ((["sh", "-c", "exit 7"], 7), (["sh", "-c", "kill -TERM $$"], 143), (["/nowhere"], 127), (["no-such-program"], 127),
                          (["/etc/passwd"], 126)):
        t.same(f"exit status of {command[-1]}", execute("app", "--", *command)[0], code)
    for argv, says in ((["nobody-there", "--", "true"], "no target"), (["app", "--ns", "nut", "--", "true"], "namespace"),
                       (["app", "--caps", "x", "--", "true"], "capability"), (["stopped", "--", "true"], "running"),
                       (["tracer", "-p", "--", "true"], "CAP_SYS_PTRACE"), (["app", "-p", "--caps", "none", "--", "true"], "--proc"),
                       (["bare", "-m", "--", "sh"], "no such program")):
        code, _, said = execute(*argv)
        t.ok(f"exec {' '.join(argv)}: {says}", code in (125, 127) and says in said and said.count("\n") == 1, f"{code} {said}")
    t.same("variables", out("app", "--env", "A=b c", "-e", "D=", "--", "sh", "-c", 'echo "$A,$D,$NSDBG_TARGET,$SUDO_USER"').strip(), "b c,,app,")
    t.same("a variable of the caller's", out("app", "--env", "SECRET", "--", "printenv", "SECRET", env={**os.environ, "SECRET": "s"}).strip(), "s")
    data = os.urandom(300000)
    result = subprocess.run([NSDBG, "exec", "app", "--", "cat"], input=data, capture_output=True, timeout=30)
    t.ok("pipes pass every byte", result.stdout == data, len(result.stdout))
    process = subprocess.Popen([NSDBG, "exec", "app", "--", "sh", "-c", "trap 'echo usr; exit 9' USR1; echo on; while :; do sleep .1; done"], stdout=subprocess.PIPE)
    process.stdout.readline()
    process.send_signal(signal.SIGUSR1)
    t.same("signals are passed on", (process.communicate(timeout=5)[0], process.returncode), (b"usr\n", 9))


# --- nothing is left ---

def host_state():
    """What could be left: engines' own mounts come and go, so they are left out."""
    table = {line for line in text_of("findmnt", "-rno", "TARGET,FSTYPE,OPTIONS,PROPAGATION").splitlines() if line.split()[0] in mounts()}
    return {"mounts": table, "processes": ours(),
            "files": set(text_of("stat", "-c", "%n %Y %s", "/etc", "/etc/hosts", "/etc/resolv.conf", "/sys", "/run").splitlines())}


def ours():
    """Processes that nsdbg started, by name or by what they carry."""
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
                name = file.read().strip()
            copy = os.readlink(f"/proc/{pid}/exe").startswith("/memfd:nsdbg-copy")
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                line = file.read()
        except OSError:
            continue
        if copy or MARK in line:
            found.add((pid, name))
    return found | {(str(p), "nsdbg") for p in processes_of()}


MARK = b"424242"


def left(before):
    return {k: v - before[k] for k, v in host_state().items() if v - before[k]}


def unchanged(t, name, before):
    wait_for(lambda: not left(before), 4)
    t.ok(name, not left(before), left(before))


def untouched(t):
    before = host_state()
    for options in (["app"], ["app", "--proc"], ["app", "-a"], ["tracer", "-m", "-p"]):
        process = subprocess.Popen([NSDBG, "exec", *options, "--", "sh", "-c", "sleep 424242 & echo on; wait"], stdout=subprocess.PIPE)
        process.stdout.readline()
        new = left(before)
        t.ok(f"{options}: mounts, their propagation and files of the host are the same during", set(new) == {"processes"}, new)
        end(process)
        unchanged(t, f"{options}: and after", before)
    execute("app", "--", "sh", "-c", "setsid sleep 424242 & sleep 0.1")
    unchanged(t, "a process that detached ended with the tool", before)
    for role in ("front", "nsdbg: broker", "nsdbg: tool", "sh"):
        process = subprocess.Popen([NSDBG, "exec", "app", "--proc", "--", "sh", "-c", "sleep 424242 & echo on; wait"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        process.stdout.readline()
        os.kill(process.pid if role == "front" else find(role, process.pid), signal.SIGKILL)
        process.wait(5)
        unchanged(t, f"kill -9 of {role} leaves nothing", before)


def kids(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return file.read().split()
    except OSError:
        return []


def killed_as_it_starts(t):
    """The front dies after the tool began and before its runner could say so: the runner is held up in between."""
    def runner_of(root):
        try:
            return find("nsdbg: tool", root)
        except (OSError, RuntimeError):
            return None

    def enters(runner, net):
        try:
            return any(os.readlink(f"/proc/{pid}/ns/net") == net for pid in kids(runner))
        except OSError:
            return False

    before, net = host_state(), os.readlink(f"/proc/{pid_of('app')}/ns/net")
    for _ in range(5):
        process = subprocess.Popen([NSDBG, "exec", "app", "--", "sh", "-c", "sleep 424242 & echo on; wait"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        runner = wait_for(lambda root=process.pid: runner_of(root), 5, 0)
        wait_for(lambda pid=runner: enters(pid, net), 5, 0)
        os.kill(runner, signal.SIGSTOP)
        process.stdout.readline()
        process.kill()
        process.wait(5)
        os.kill(runner, signal.SIGCONT)
    unchanged(t, "kill -9 of a front whose tool has just begun leaves nothing", before)


def find(name, root):
    """The process of that name below `root`, which may be several steps down."""
    todo, seen = [root], []
    while todo:
        pid = todo.pop()
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            todo += [int(p) for p in file.read().split()]
        with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
            seen.append(file.read().strip())
        if seen[-1] == name:
            return pid
    raise RuntimeError(f"no {name} among {seen}")


# --- terminals ---

def on_terminal(argv, keys, seconds):
    """Runs a program on a pty; types after its first words; (exit status, all it wrote)."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", LANG="C.UTF-8")
        os.execvp(argv[0], argv)
    data, end_at, typed = b"", time.monotonic() + seconds + 5, None
    while time.monotonic() < end_at:
        if select.select([fd], [], [], 0.1)[0]:
            try:
                data += os.read(fd, 65536)
            except OSError:
                break
        if data and typed is None:
            typed = time.monotonic()
        if keys and typed and time.monotonic() - typed > seconds / 2:
            os.write(fd, keys)
            keys = b""
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), data


class Screen(Terminal):
    """A terminal that is given time: a shell in a container on a busy machine."""

    def wait(self, pattern, seconds=20.0):
        return super().wait(pattern, seconds)


def terminals(t):
    script = f"PS1='OUT> '; n() {{ {NSDBG} exec \"$@\"; }}"
    with Screen(90, 25, ["bash", "--norc", "--noprofile"], env=[f"DOCKER_HOST={os.environ['DOCKER_HOST']}"]) as screen:
        def line(text):
            screen.type(text)
            screen.keys("Enter")

        def prompt():  # until then what is typed is the tool's
            screen.wait(r"^OUT>\s*\Z")
        line(script)
        prompt()
        line("clear; n app -- sh -c 'stty size; tty; read x; stty size; echo \"got $x\"'")
        t.ok("the tool's terminal has the window's size and is another", screen.wait(r"^25 90$"), screen.screen())
        screen.resize(100, 30)
        line("word")
        t.ok("and follows it; what is typed arrives", screen.wait(r"^30 100\n+got word"), screen.screen())
        prompt()
        line("clear; n app -- sleep 424242; echo rc $?")
        wait_for(lambda: any(n == "sleep" for _, n in ours()), 5)
        screen.keys("C-c")
        t.ok("^C ends the tool", screen.wait("rc 130"), screen.screen())
        line("clear; n app -- cat")
        line("one")
        screen.wait("^one\none")
        screen.keys("C-z")
        t.ok("^Z stops it like any job", screen.wait("Stopped"), screen.screen())
        line("stty -a | grep -o ' icanon'; jobs -l; fg")
        screen.wait("^n app -- cat", 2)
        line("two")
        t.ok("fg goes on", screen.wait("^two\ntwo"), screen.screen())
        screen.keys("C-d")
        prompt()
        line("clear; n app -- seq 1 300 | less")
        screen.wait("^20$")
        screen.keys("G")
        t.ok("in a pipeline the keys are the pager's", screen.wait(r"^300\n.*END"), screen.screen())
        screen.keys("q")
        prompt()
        line("clear; echo hi | n app -- sh -c 'cat; read x </dev/tty; echo got $x'")
        screen.wait("^hi$")
        line("typed")
        t.ok("a tool that asks for the terminal gets it", screen.wait("^got typed"), screen.screen())
        prompt()
        line("clear; n app -- sleep 424242; stty -a | grep -o ' icanon'")
        wait_for(lambda: any(n == "sleep" for _, n in ours()), 5)
        os.kill(find("nsdbg", screen.pid()), signal.SIGKILL)
        t.ok("kill -9 of nsdbg gives the terminal back", screen.wait("^ icanon"), screen.screen())
        t.ok("and ends the tool", wait_for(lambda: not ours(), 4), ours())
        line("clear; n app -- python3 -c 'import fcntl,termios; [fcntl.ioctl(0,termios.TIOCSTI,bytes([c])) for c in b\"echo IN\"+b\"JECTED\\n\"]'")
        line("echo end")
        screen.wait("^end$")
        time.sleep(0.3)
        t.ok("TIOCSTI reaches no shell of ours", not re.search("^INJECTED", screen.screen(), re.M), screen.screen())


def keys(t):
    """e and E, in a pane or in full screen (without libvterm); what the pane does beyond that is check_pane's."""
    # as nobody: a plain /bin/sh, whatever root's own shell reads at its start
    with Screen(100, 30, [NSDBG, "app"], env=[f"DOCKER_HOST={os.environ['DOCKER_HOST']}", "SUDO_UID=65534", "SUDO_GID=65534"]) as screen:
        screen.wait(r"\[1 Overview\][\s\S]*process .* sleep")
        where = "net of app   files: the host's   exit: "
        wait_for(lambda: screen.keys("e") or screen.wait(where, 5), 15)  # the list may just be replaced by the overview
        t.ok("e is a shell, and says where", screen.wait(where, 1), screen.screen())
        screen.type("readlink /proc/self/ns/net; exit")
        screen.keys("Enter")
        t.ok("the shell ends, and nsdbg is back", screen.wait(r"exit 0"), screen.screen())
        screen.keys("E")
        t.ok("E asks for namespaces", screen.wait(r"\[x\] net[\s\S]*\[ \] /proc"), screen.screen())
        screen.keys("Down", "Space", "Enter")
        t.ok("with mnt it is the container's shell", screen.wait("files: the container's"), screen.screen())


# --- attacks ---

GRAB = """
while :; do for p in /proc/[0-9]*; do
case $(readlink $p/exe 2>/dev/null) in *nsdbg*) echo "$p $(readlink $p/exe)" >>/tmp/seen; echo evil 2>/dev/null >>$p/exe && echo $p >>/tmp/written;; esac
done; done
"""


def attacks(t):
    before = hashlib.sha256(open(NSDBG, "rb").read()).hexdigest()
    docker("exec", "-d", "tracer", "sh", "-c", GRAB)
    for _ in range(15):
        execute("tracer", "-m", "-p", "--", "true")
        execute("tracer", "--proc", "--", "true")
    t.same("a container that may trace cannot write into nsdbg", hashlib.sha256(open(NSDBG, "rb").read()).hexdigest(), before)
    seen = run(DOCKER, "exec", "tracer", "cat", "/tmp/seen").stdout.decode()
    t.ok("nor did it see the file", os.path.realpath(NSDBG) not in seen, seen[:200])
    process = subprocess.Popen([NSDBG, "exec", "app", "--", "ls", "-l", "/proc/self/fd"], stdout=subprocess.PIPE, pass_fds=[os.open("/root", os.O_RDONLY)])
    numbers = re.findall(r" (\d+) -> (\S+)", process.communicate(timeout=10)[0].decode())
    t.ok("only 0, 1 and 2 reach the tool", {n for n, to in numbers if "/fd" not in to} == {"0", "1", "2"}, numbers)
    words = set(out("app", "-a", "--", "sh", "-c", "env", env={**os.environ, "CANARY": "c", "SSH_AUTH_SOCK": "s"}).split())
    t.ok("nothing of the caller's environment reaches a container's program", not any(w.startswith(("CANARY", "SSH_", "DOCKER_", "SUDO_")) for w in words), words)


def hostile_files(t):
    start("odd")
    inside = ["nsenter", "-t", pid_of("odd"), "-m", "sh", "-c"]
    text_of(*inside, "umount /etc/resolv.conf")
    for name, make, says in (("a link to the host's kernel log", "ln -s /proc/kmsg /etc/resolv.conf", "not a file of the container"),
                             ("a FIFO", "mkfifo /etc/resolv.conf", "not a regular file"), ("missing", "true", "no /etc/resolv.conf"),
                             ("huge", "yes nameserver | head -c 3000000 >/etc/resolv.conf", "longer than")):
        text_of(*inside, "rm -f /etc/resolv.conf; " + make)
        began = time.monotonic()
        code, _, said = execute("odd", "--", "true")
        t.ok(f"resolv.conf is {name}: a sentence, and it goes on", code == 0 and says in said and time.monotonic() - began < 4, f"{code} {said}")
    t.ok("-q says nothing", execute("odd", "-q", "--", "true") == (0, "", ""))
    docker("stop", "-t", "0", "odd")
    t.same("a container that has ended: 125", execute("odd", "--", "true")[0], 125)


if __name__ == "__main__":
    unworld()
    world()
    try:
        Checks().run(names, tools, proc, namespaces_one_by_one, codes, untouched, killed_as_it_starts, terminals, keys, attacks, hostile_files)
    finally:
        unworld()
