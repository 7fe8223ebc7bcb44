#!/usr/bin/env python3
"""nsdbg in a container: with nothing, with Docker's socket, with the machine's processes. What it says of "the host" is true there, too."""
import io
import json
import os
import sys
import tarfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import DOCKER, NSDBG, Checks, docker, pid_of, run, text_of

SOCKET = os.environ["DOCKER_HOST"].removeprefix("unix://")
# Not --privileged: a test machine may lack a capability itself. AppArmor's profile would hide the host's processes.
CAPS = ["--pid=host", "--security-opt", "apparmor=unconfined", *(f"--cap-add={c}" for c in ("SYS_PTRACE", "SYS_ADMIN", "NET_ADMIN", "DAC_READ_SEARCH"))]


def make_image():
    """Nothing but names: the libraries come from this machine, read only."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name in ("etc", "proc", "sys", "run", "tmp", "dev", "usr", "root", "var"):
            info = tarfile.TarInfo(name)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(info)
        for name in ("lib", "lib64", "bin", "sbin"):
            if os.path.islink("/" + name):
                info = tarfile.TarInfo(name)
                info.type, info.linkname = tarfile.SYMTYPE, os.readlink("/" + name).lstrip("/")
                tar.addfile(info)
    run(DOCKER, "import", "-", "inside:1", stdin=None, input=out.getvalue())


def inside(options, *argv):
    return run(DOCKER, "run", "--rm", "-v", "/usr:/usr:ro", "-v", f"{NSDBG}:/nsdbg:ro", *options, "inside:1", "/nsdbg", *argv, timeout=60)


def rows(options, *argv):
    result = inside(options, *argv, "--json")
    return json.loads(result.stdout)["data"] if result.stdout else (_ for _ in ()).throw(RuntimeError(result.stderr.decode()))


def alone(t):
    for who, options in (("root", ()), ("an ordinary user", ("-u", "1000:1000"))):
        host = [r for r in rows(options, "ls") if r["runtime"] == "host"]
        t.ok(f"in a container, {who}: the host is said to be that container", len(host) == 1 and "runs in a container" in (host[0]["problem"] or ""), host)
        found = {r["name"]: r for r in rows(options, "doctor")}
        t.ok(f"in a container, {who}: doctor says where it is", found["place"]["state"] == "less" and "--pid=host" in found["place"]["remedy"], found["place"])
        remedy = found["CAP_SYS_ADMIN"]["remedy"]
        t.ok(f"in a container, {who}: a remedy that helps", ("sudo" in remedy) == bool(options) and ("container" in remedy) != bool(options), remedy)


def with_socket(t):
    """Rows of Docker whose processes are of another pid namespace."""
    options = ("-v", f"{SOCKET}:/var/run/docker.sock")
    web = [r for r in rows(options, "ls") if r["name"] == "web" and r["engine"]]
    t.ok("with Docker's socket alone: its processes are not seen, and that is said", len(web) == 1 and "--pid=host" in (web[0]["problem"] or ""), web)
    result = inside(options, "ss", "web")
    t.ok("... and asked for it, it is no ended process", result.returncode == 3 and b"--pid=host" in result.stderr, (result.returncode, result.stderr))


def with_processes(t):
    options = (*CAPS, "-v", f"{SOCKET}:/var/run/docker.sock")
    here = os.stat("/proc/self/ns/net").st_ino
    listed = rows(options, "ls")
    t.same("with the machine's processes: the host is the machine", [(r["netns"], r["problem"]) for r in listed if r["runtime"] == "host"], [(here, None)])
    t.ok("... a container is found by its process", pid_of("web") in [r["pid"] for r in listed if r["name"] == "web"], listed)  # other daemons have a web, too
    links = {r["ifname"] for r in json.loads(text_of("ip", "-j", "link"))}
    t.sets("... ip host: the machine's links", {r["name"] for r in rows(options, "ip", "host")}, links)
    heard = {int(line.split()[3].rsplit(":", 1)[1]) for line in text_of("ss", "-Hltn").splitlines()}
    t.sets("... ports host: the machine's listeners", {r["port"] for r in rows(options, "ports", "host", "-a") if r["protocol"] == "tcp" and r["kind"] == "listens"}, heard)
    t.sets("... ip web: the container's links", {r["name"] for r in rows(options, "ip", "web")},
           {r["ifname"] for r in json.loads(text_of("nsenter", "-n", "-t", pid_of("web"), "ip", "-j", "link"))})


if __name__ == "__main__":
    make_image()
    try:
        Checks().run(alone, with_socket, with_processes)
    finally:
        docker("rmi", "inside:1")
