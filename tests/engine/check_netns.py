#!/usr/bin/env python3
"""nsdbg netns: containers' namespaces as names for ip-netns(8); reversible, foreign names untouched, nothing left. All of it happens in a
mount namespace of our own with an empty /run, so that the host's names are out of reach."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import Checks, docker, end, in_net, inspect, netns_of, nsdbg, nsdbg_json, pid_of, popen_in_net, run, text_of, wait_for

if os.environ.get("NSDBG_NETNS_CHECK") != "inside":
    os.environ["NSDBG_NETNS_CHECK"] = "inside"
    # As on a usual host: /run is shared and nobody has used ip netns yet.
    os.execvp("unshare", ["unshare", "-m", "--propagation", "private", "sh", "-c",
                          "umount -R -l /run/netns 2>/dev/null; mount -t tmpfs tmpfs /run && mount --make-shared /run && exec \"$@\"", "sh", sys.executable, *sys.argv])


def mountinfo():
    """Our mounts without their numbers; what an engine mounts comes and goes."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as file:
        lines = [line.split() for line in file]
    return sorted((f[4], f[3], re.sub(r"\d+", "N", " ".join(f[6:]))) for f in lines if f[4].startswith("/run"))


def names():
    return {line.split()[0] for line in text_of("ip", "netns", "list").splitlines()}


def rows(*argv, **more):
    return {row["name"]: row for row in nsdbg_json("netns", *argv, **more)["data"]}


def refused(t, name, code, pattern, *argv):
    result = nsdbg("netns", *argv)
    said = result.stderr.decode()
    t.ok(name, result.returncode == code and re.search(pattern, said) and said.count("\n") == 1, f"exit {result.returncode}: {said}")


def running():
    """{name: pid} of the containers with a network of their own."""
    listed = docker("ps", "--format", "{{.Names}}").split()
    return {c["Name"][1:]: c["State"]["Pid"] for c in inspect(*listed) if c["HostConfig"]["NetworkMode"] != "host"}


def attach_all(t):
    before = mountinfo()
    containers = running()
    done = rows("attach", "--all")
    t.sets("attach --all: one name for each container with a network of its own", done, containers)
    t.sets("ip netns list has them", names(), containers)
    t.ok("the directory is shared as ip-netns(8) makes it", any(p == "/run/netns" and "shared:" in rest for p, _, rest in mountinfo()), mountinfo())
    for name in ("web", "tiny", "client"):
        t.same(f"ip netns exec {name} ip addr: as inside", text_of("ip", "netns", "exec", name, "ip", "-o", "addr"), in_net(containers[name], "ip", "-o", "addr"))
    t.same("the names stand for the containers' namespaces", {n: os.stat(f"/run/netns/{n}").st_ino for n in done}, {n: netns_of(p) for n, p in containers.items()})
    t.sets("attach --all again changes nothing and is no error", rows("attach", "--all"), containers)
    t.ok("list: all alive, all ours, with their containers",
         all(r["state"] == "alive" and r["ours"] is True and n in r["targets"] and r["processes"] >= 1 for n, r in rows("list").items()), rows("list"))
    nsdbg("netns", "detach", "--all")
    t.same("after detach --all the mounts are as before", mountinfo(), before)
    t.ok("after detach --all the directory is gone again", not os.path.exists("/run/netns"))


def foreign(t):
    text_of("ip", "netns", "add", "other")
    text_of("ip", "netns", "add", "web")
    before = mountinfo()
    refused(t, "attach over a foreign name is refused", 2, "name web is taken.*--name", "attach", "web")
    refused(t, "detach of a foreign name is refused", 4, "not nsdbg's", "detach", "other")
    t.ok("attach --name takes another", "www" in rows("attach", "web", "--name", "www"))
    said = nsdbg("netns", "attach", "--all")
    t.ok("attach --all does the rest and exits 7", said.returncode == 7 and b"web is taken" in said.stderr and "tiny" in names(), said)
    listed = rows("list")
    t.ok("list tells ours from foreign ones", listed["www"]["ours"] is True and listed["other"]["ours"] is False and listed["web"]["ours"] is False, listed)
    t.ok("list says which namespace only a mount keeps alive", listed["other"]["state"] == "kept" and "only this mount" in listed["other"]["problem"], listed["other"])
    # The same name made by somebody else after ours was deleted by somebody else.
    text_of("ip", "netns", "del", "www")
    text_of("ip", "netns", "add", "www")
    t.ok("a name that ip netns made anew is not ours", rows("list")["www"]["ours"] is False)
    nsdbg("netns", "detach", "--all")
    t.sets("detach --all leaves foreign names", names(), {"other", "web", "www"})
    text_of("ip", "netns", "del", "www")
    t.same("and their mounts", mountinfo(), before)
    for name in ("other", "web"):
        text_of("ip", "netns", "del", name)
    text_of("umount", "/run/netns")
    os.rmdir("/run/netns")


def stale(t):
    before = mountinfo()
    docker("run", "-d", "--name", "brief", "--network", "shop", "bb:1", "sleep", "1000000")
    nsdbg("netns", "attach", "brief")
    old = os.stat("/run/netns/brief").st_ino
    docker("rm", "-f", "brief")
    row = rows("list")["brief"]
    t.ok("list says that a removed container's namespace is only kept by its name", row["state"] == "kept" and row["ours"] is True and "detach" in row["problem"], row)
    docker("run", "-d", "--name", "brief", "--network", "shop", "bb:1", "sleep", "1000000")
    nsdbg("netns", "attach", "brief")
    t.ok("attach again follows the new container", os.stat("/run/netns/brief").st_ino == netns_of(pid_of("brief")) != old)
    docker("rm", "-f", "brief")
    t.ok("detach NAME works without the container", "brief" in rows("detach", "brief"))
    # Somebody unmounted ours: the file with the mark is left.
    nsdbg("netns", "attach", "web")
    text_of("umount", "/run/netns/web")
    t.ok("a leftover file of ours is said to be empty", rows("list")["web"]["state"] == "empty", rows("list"))
    t.ok("and detached", "web" in rows("detach", "--all") and not os.path.exists("/run/netns/web"))
    t.same("nothing is left", mountinfo(), before)


def by_target(t):
    before = mountinfo()
    nsdbg("netns", "attach", "db", "--name", "one")
    nsdbg("netns", "attach", "db", "--name", "two")
    t.sets("detach TARGET takes all our names of it", rows("detach", "docker:db"), {"one", "two"})
    pid = pid_of("db")
    process = popen_in_net(pid, "sleep", "100")
    wait_for(lambda: netns_of(process.pid) == netns_of(pid), 3)
    t.ok("attach pid:N of a container has the container's name", "db" in rows("attach", f"pid:{pid}"))
    t.ok("of another process in it its number", f"pid_{process.pid}" in rows("attach", f"pid:{process.pid}"))
    end(process)
    t.sets("detach by container finds both", rows("detach", "docker:db"), {"db", f"pid_{process.pid}"})
    t.same("nothing is left", mountinfo(), before)


def bad_input(t):
    for name in (".", "..", "a/b", "../x", "-x", "", "a" * 64, "a\nb"):
        refused(t, f"--name {name[:8]!r} is refused", 2, "--name is 1-63 letters", "attach", "web", f"--name={name}")
    refused(t, "attach without a target", 2, "target or --all", "attach")
    refused(t, "attach with both", 2, "target or --all", "attach", "web", "--all")
    refused(t, "an unknown verb", 2, "attach, detach or list", "attack", "web")
    refused(t, "an unknown target", 3, "no target nobody", "attach", "nobody")
    refused(t, "a stopped container", 3, "not running", "attach", "stopped")
    refused(t, "the host", 2, "host's network", "attach", "host")
    refused(t, "detach of what has no name", 3, "has no name", "detach", "web")
    t.ok("nothing was made", not os.path.exists("/run/netns"), os.path.exists("/run/netns") and os.listdir("/run/netns"))


def not_root(t):
    text_of("ip", "netns", "add", "other")
    user = ["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", os.environ["NSDBG"]]
    pid = pid_of("web")
    result = run(*user, "netns", "attach", f"pid:{pid}", "--name", "x")
    t.ok("without rights: refused, the remedy said", result.returncode == 4 and b"sudo" in result.stderr, result)
    result = run(*user, "netns", "list", "--json", env={k: v for k, v in os.environ.items() if k != "DOCKER_HOST"})
    t.ok("without rights: whose they are is unknown, not false", result.returncode == 7 and b'"ours":null' in result.stdout, result)
    text_of("ip", "netns", "del", "other")
    text_of("umount", "/run/netns")
    os.rmdir("/run/netns")


def seen_elsewhere(t):
    """The mounts reach other mount namespaces, and leave them again."""
    other = subprocess.Popen(["unshare", "-m", "--propagation", "slave", "sleep", "100"])
    try:
        wait_for(lambda: os.readlink(f"/proc/{other.pid}/ns/mnt") != os.readlink("/proc/self/ns/mnt"), 3)

        def there():
            with open(f"/proc/{other.pid}/mountinfo", encoding="utf-8", errors="replace") as file:
                return " /run/netns/web " in file.read()
        nsdbg("netns", "attach", "web")
        t.ok("the name is seen in other mount namespaces", wait_for(there, 2))
        nsdbg("netns", "detach", "web")
        t.ok("and does not stay behind there", wait_for(lambda: not there(), 2))
    finally:
        other.kill()
        other.wait()


Checks().run(attach_all, foreign, stale, by_target, bad_input, not_root, seen_elsewhere)
