#!/usr/bin/env python3
"""Docker, podman of root and of a user, containerd, CRI, LXC and nspawn at once: every container is listed once, as its own engine says;
changes arrive by events; when daemons are killed the rows stay, marked, and can be looked into."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import ROOT, Checks, Terminal, docker, end, inspect, netns_of, nsdbg, nsdbg_json, run, text_of, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))
PROBE = os.environ.get("PROBE", os.path.join(ROOT, "build-test/tests/engine/engine-probe"))
BASE = tempfile.mkdtemp(prefix="nsdbg-engines.")
USER = "nsdbgtest"
os.chmod(BASE, 0o755)


def script(name, *argv, **more):
    return text_of(os.path.join(HERE, name), *argv, timeout=90, **more).strip()


# --- CRI by hand: protobuf and gRPC in a few lines, so that pods need no further tool ---

def field(number, value):
    """A string, message or number as a protobuf field."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def cri(method, message):
    """The string in field 1 of the answer."""
    body = b"\0" + len(message).to_bytes(4, "big") + message
    result = subprocess.run(["curl", "-s", "--http2-prior-knowledge", "--unix-socket", f"{BASE}/ct/containerd.sock", "-H", "content-type: application/grpc",
                             "-H", "te: trailers", "-D", f"{BASE}/headers", "--data-binary", "@-", f"http://localhost/runtime.v1.RuntimeService/{method}"],
                            input=body, capture_output=True, timeout=60)
    answer = result.stdout[5:]
    if result.returncode or not answer and method != "StartContainer":
        with open(f"{BASE}/headers", encoding="utf-8", errors="replace") as file:
            raise RuntimeError(f"{method}: {file.read()}")
    return answer[2:2 + answer[1]].decode() if answer else ""


def pod_config(name):
    meta = field(1, name) + field(2, f"uid-{name}") + field(3, "shop")
    return field(1, meta) + field(2, name) + field(3, BASE) + field(8, field(1, f"/kubepods/besteffort/poduid-{name}"))


def cri_pod(name, containers):
    """{name: id} of a pod with these containers; its sandbox is under the pod's name."""
    pod = cri("RunPodSandbox", field(1, pod_config(name)))
    ids = {name: pod}
    for attempt, (container, command) in enumerate(containers.items()):
        config = field(1, field(1, container) + field(2, attempt)) + field(2, field(1, "docker.io/library/bb:1"))
        config += field(3, command[0]) + b"".join(field(4, word) for word in command[1:]) + field(11, f"{container}.log")
        config += field(15, field(2, field(3, field(2, 1))))
        ids[container] = cri("CreateContainer", field(1, pod) + field(2, config) + field(3, pod_config(name)))
        cri("StartContainer", field(1, ids[container]))
    return ids


# --- the engines ---

def podman(*argv, user=None):
    return script("podman.sh", "run", f"{BASE}/{'rl' if user else 'pm'}", *argv, env=environment(user))


def environment(user):
    return {**{k: v for k, v in os.environ.items() if k != "DOCKER_HOST"}, **({"PODMAN_USER": user} if user else {})}


def ctr(*argv):
    return script("containerd.sh", "ctr", f"{BASE}/ct", *argv)


def together(*functions):
    """Calls them all at the same time; the first exception is raised."""
    failed = []

    def call(f):
        try:
            f()
        except Exception as error:  # raised below, in the thread that reports
            failed.append(error)
    threads = [threading.Thread(target=call, args=(f,)) for f in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def start_podman():
    script("podman.sh", "start", f"{BASE}/pm", env=environment(None))
    podman("network", "create", "n1")
    podman("run", "-d", "--name", "pweb", "--network", "n1", "-p", "127.0.0.1:18080:80", "bb:1", "/bin/httpd", "-f", "-h", "/www")
    podman("pod", "create", "--name", "pod1", "--network", "n1")
    podman("run", "-d", "--pod", "pod1", "--name", "pc1", "bb:1")
    podman("create", "--name", "pstopped", "bb:1")


def start_rootless():
    script("podman.sh", "start", f"{BASE}/rl", env=environment(USER))
    podman("run", "-d", "--name", "rl1", "bb:1", "/bin/httpd", "-f", "-h", "/www", user=USER)


def start_containerd():
    script("containerd.sh", "start", f"{BASE}/ct")
    FACTS["b1"] = script("containerd.sh", "run", f"{BASE}/ct", "test", "b1", "/bin/sleep", "100000")
    FACTS["cri"] = cri_pod("shop", {"httpd": ["/bin/httpd", "-f", "-h", "/www"], "side": ["/bin/sleep", "100000"]})


def start_small():
    FACTS["l1"] = int(script("lxc.sh", "start", f"{BASE}/lxc", "l1", f"{BASE}/img/bb.tar"))
    FACTS["n1"] = int(script("nspawn.sh", "start", f"{BASE}/nsp", "n1", f"{BASE}/img/bb.tar"))


def stop_all():
    together(*[lambda argv=argv, user=user: run(os.path.join(HERE, argv[0]), *argv[1:], timeout=120, env=environment(user)) for argv, user in (
        (("podman.sh", "stop", f"{BASE}/pm"), None), (("podman.sh", "stop", f"{BASE}/rl"), USER), (("containerd.sh", "stop", f"{BASE}/ct"), None),
        (("lxc.sh", "stop", f"{BASE}/lxc", "l1"), None), (("nspawn.sh", "stop", f"{BASE}/nsp", "n1"), None))])
    shutil.rmtree(BASE, ignore_errors=True)


FACTS = {}


def addresses():
    uid = text_of("id", "-u", USER).strip()
    return ["--podman-host", f"unix://{BASE}/pm/podman.sock,unix:///run/user/{uid}/podman/podman.sock",
            "--containerd-host", f"unix://{BASE}/ct/containerd.sock"]


def podman_truth(user=None):
    """{name: (id, pid, addresses)}"""
    names = podman("ps", "-aq", "--no-trunc", user=user).split()
    found = {}
    for c in json.loads(podman("inspect", *names, user=user)):
        networks = c["NetworkSettings"].get("Networks") or {}
        found[c["Name"]] = (c["Id"], c["State"]["Pid"] or None, {n["IPAddress"] for n in networks.values()} - {""})
    return found


def tasks(space):
    """{id: pid}"""
    return {line.split()[0]: int(line.split()[1]) for line in ctr("-n", space, "tasks", "ls").splitlines()[1:]}


# --- checks ---

def everything_is_listed_once(t):
    document = nsdbg_json("ls", "-a", *addresses())
    t.same("ls: no engine failed", document["errors"], [])
    rows = [r for r in document["data"] if r["runtime"] not in ("netns", "host")]
    known = {r["id"]: r for r in rows}
    t.same("ls: every id once", len(known), len(rows))
    pids = [r["pid"] for r in rows if r["pid"]]
    t.same("ls: every process once", len(set(pids)), len(pids))
    for user in (None, USER):
        for name, (container, pid, ips) in podman_truth(user).items():
            row = known.get(container, {})
            t.same(f"podman {name}: engine, name and pid", (row.get("runtime"), row.get("name"), row.get("pid")), ("podman", name, pid))
            t.ok(f"podman {name}: addresses", ips <= set(row.get("addresses") or []), (row.get("addresses"), ips))
            t.same(f"podman {name}: whose it is", row.get("owner"), int(text_of("id", "-u", USER)) if user else None)
    by_name = {(r["runtime"], r["name"]): r for r in rows}
    pc1, infra = by_name[("podman", "pc1")], [r for r in rows if r["pod"] == "pod1" and r["infra"]]
    t.ok("podman: the pod's infra container is marked", len(infra) == 1 and pc1["infra"] is False and pc1["pod"] == "pod1", infra)
    t.same("podman: the pod is a group with its owner", (pc1["shares_with"], infra[0]["shared_by"]), (infra[0]["name"], ["pc1"]))
    pod = tasks("k8s.io")
    for name, container in FACTS["cri"].items():
        row = known.get(container, {})
        t.same(f"CRI {name}: engine, name, pod and pid", tuple(row.get(k) for k in ("runtime", "name", "pod", "namespace", "pid", "infra")),
               ("cri", name, "shop", "shop", pod[container], name == "shop"))
        t.ok(f"CRI {name}: the pod's address", row.get("addresses") and row["addresses"][0].startswith("10.66."), row.get("addresses"))
    t.same("CRI: attempt", known[FACTS["cri"]["side"]]["attempt"], 1)
    b1 = by_name[("containerd", "b1")]
    t.same("ctr b1: namespace, pid, address", (b1["namespace"], b1["pid"], b1["addresses"]), ("test", tasks("test")["b1"], [FACTS["b1"]]))
    l1, n1 = by_name[("lxc", "l1")], by_name[("nspawn", "n1")]
    t.same("lxc l1: pid, address", (l1["pid"], l1["addresses"]), (FACTS["l1"], ["10.55.0.2"]))
    t.same("nspawn n1: pid", n1["pid"], FACTS["n1"])
    web = inspect("web")[0]
    t.same("docker web: as before", (known[web["Id"]]["name"], known[web["Id"]]["pid"]), ("web", web["State"]["Pid"]))
    for r in rows:
        if r["pid"] and r["pid"] in (l1["pid"], n1["pid"], b1["pid"], pc1["pid"]):
            t.same(f"{r['name']}: network namespace", r["netns"], netns_of(r["pid"]))


def engines_answer(t):
    rows = {(r["runtime"], r["endpoint"]): r for r in nsdbg_json("engines", *addresses())["data"]}
    t.same("engines: one line each, all answer", sorted((k[0], r["answering"]) for k, r in rows.items() if BASE in k[1] or "/run/user/" in k[1]),
           [("containerd", True), ("podman", True), ("podman", True)])
    networks = {(r["runtime"], r["name"]): r for r in nsdbg_json("networks", *addresses())["data"]}
    t.ok("networks: podman's n1 with its bridge", (networks[("podman", "n1")]["interface"] or "").startswith("podman"), networks[("podman", "n1")])
    only = {r["runtime"] for r in nsdbg_json("ls", "--runtime", "lxc,cri", *addresses())["data"]}
    t.same("--runtime: only these", only, {"lxc", "cri"})


def views_open(t, when):
    for name in ("pweb", "httpd", "rl1"):
        document = nsdbg_json("ss", name, "-tl", *addresses(), codes=(0, 5, 7))
        t.ok(f"{when}: sockets of {name}", 80 in {r["local_port"] for r in document["data"]}, document["errors"])
    for name in ("b1", "l1", "n1"):
        document = nsdbg_json("ps", name, *addresses(), codes=(0, 5, 7))
        t.ok(f"{when}: processes of {name}", any("sleep" in r["command"] for r in document["data"]), document["errors"])


def names_find_their_target(t):
    views_open(t, "all engines up")
    for word, container in (("pod:shop/shop", "shop"), ("shop/httpd", "httpd")):
        t.same(f"target {word}", nsdbg_json("show", word, *addresses())["data"][0]["id"], FACTS["cri"][container])
    t.same("target ctr:test/b1", nsdbg_json("show", "ctr:test/b1", *addresses())["data"][0]["id"], "b1")
    t.same("target pod:pod1", nsdbg_json("show", "pod:pod1", *addresses())["data"][0]["infra"], True)


def a_user_sees_his_own(t):
    uid = text_of("id", "-u", USER).strip()
    program = shutil.copy(os.environ["NSDBG"], f"{BASE}/nsdbg")
    os.chmod(program, 0o755)
    user = ["setpriv", "--reuid", uid, "--regid", uid, "--clear-groups", "env", "-i", "-C", "/", "PATH=/usr/bin:/bin", f"XDG_RUNTIME_DIR=/run/user/{uid}"]
    rows = json.loads(run(*user, program, "ls", "--json").stdout)["data"]
    mine = [r for r in rows if r["name"] == "rl1"]
    t.ok("an ordinary user lists his own container", len(mine) == 1 and mine[0]["problem"] is None, mine)
    ports = {r["local_port"] for r in json.loads(run(*user, program, "ss", "rl1", "--json").stdout)["data"]}
    t.ok("and looks into it without root", 80 in ports, ports)
    other = [r for r in rows if r["runtime"] == "podman" and r["name"] == "pweb"]
    t.ok("root's container has a row that names the missing right", len(other) == 1 and "sudo" in (other[0]["problem"] or ""), other)


def live(endpoint, change, pattern):
    """Seconds from the change until the source told of it."""
    probe = subprocess.Popen([PROBE, endpoint, "live", "20"], stdout=subprocess.PIPE, text=True)
    try:
        for line in probe.stdout:  # its first whole answer
            if " block engines " in line:
                break
        time.sleep(0.5)  # the events are being listened to
        change()
        begin = time.monotonic()
        for line in probe.stdout:
            if re.search(pattern, line):
                return time.monotonic() - begin
        return None
    finally:
        end(probe)
        probe.stdout.close()


def changes_arrive_by_events(t):
    took = live(f"unix://{BASE}/ct/containerd.sock", lambda: ctr("-n", "test", "run", "-d", "docker.io/library/bb:1", "b2", "/bin/sleep", "1000"), r" ls name=b2 .*state=running")
    t.ok("containerd: a new container is told by an event", took is not None and took < 1.5, took)
    took = live(f"unix://{BASE}/pm/podman.sock", lambda: podman("start", "pstopped"), r" ls name=pstopped .*state=running")
    t.ok("podman: a start is told by an event", took is not None and took < 1.5, took)


def killed_daemons_leave_rows(t):
    before = {r["id"]: (r["runtime"], r["name"] if r["runtime"] != "cri" else None, r["pid"]) for r in nsdbg_json("ls", *addresses())["data"]
              if r["runtime"] in ("podman", "containerd", "cri")}
    with Terminal(160, 50, [os.environ["NSDBG"], *addresses()]) as screen:
        screen.wait("targets", 5)
        screen.type("/runtime:podman,cri,containerd")
        screen.keys("Enter")
        t.ok("the list shows all", screen.wait(r"pweb[\s\S]*", 8) and screen.wait("httpd", 5) and screen.wait("rl1", 5), screen.screen())
        together(lambda: script("podman.sh", "kill", f"{BASE}/pm"), lambda: script("podman.sh", "kill", f"{BASE}/rl", env=environment(USER)),
                 lambda: script("containerd.sh", "kill", f"{BASE}/ct"))
        marked = screen.wait(r"pweb .*its engine does", 8) and screen.wait(r"httpd .*its engine does", 8)
        t.ok("list: the rows stay and are marked", marked, screen.screen())
        screen.keys("\\")
        screen.type("/pweb")
        screen.keys("Enter", "Enter", "s")
        t.ok("list: and their views open", screen.wait(r"LISTEN.*:80", 6), screen.screen())
    result = nsdbg("ls", "--json", *addresses())
    t.same("ls with dead engines: exit status", result.returncode, 5)
    document = json.loads(result.stdout)
    after = {r["id"]: r for r in document["data"] if r["runtime"] in ("podman", "containerd", "cri")}
    kept = {i: (r["runtime"], r["name"] if r["runtime"] != "cri" else None, r["pid"]) for i, r in after.items()}
    t.same("ls with dead engines: the same rows by /proc", {i: kept.get(i) for i in before}, before)
    t.ok("ls with dead engines: all are marked", all(r["problem"] and r["engine"] is None for i, r in after.items() if i in before),
         [r["name"] for i, r in after.items() if i in before and not r["problem"]])
    t.ok("ls with dead engines: it says which", sum(BASE in e["message"] or "/run/user/" in e["message"] for e in document["errors"]) == 3, document["errors"])
    for name in ("pweb", FACTS["cri"]["httpd"][:12], "rl1"):
        sockets = nsdbg_json("ss", name, "-tl", *addresses(), codes=(0, 5, 7))["data"]
        t.ok(f"with dead engines: sockets of {name}", 80 in {r["local_port"] for r in sockets}, sockets)


def main():
    t = Checks()
    try:
        script("mkimages.sh", f"{BASE}/img")
        os.environ["NSDBG_IMAGES"] = f"{BASE}/img"
        together(start_podman, start_rootless, start_containerd, start_small)
        run("ip", "netns", "add", "nsdbg-bare")
        t.run(everything_is_listed_once, engines_answer, names_find_their_target, a_user_sees_his_own, changes_arrive_by_events, killed_daemons_leave_rows)
    except SystemExit:
        raise
    except Exception as error:
        t.ok("the engines start", False, error)
        sys.exit(1)
    finally:
        run("ip", "netns", "del", "nsdbg-bare")
        if not os.environ.get("KEEP"):
            stop_all()


main()
