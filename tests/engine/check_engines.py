#!/usr/bin/env python3
"""Docker and podman of root and of users, containerd, CRI, LXC and nspawn at once: every container is listed once, as its own engine says;
changes arrive by events; when daemons are killed the rows stay, marked, and can be looked into, and come to life with their daemon.

All names end in this run's own word, so that several runs can go on at the same time."""
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import ROOT, Checks, Terminal, docker, end, inspect, netns_of, nsdbg, nsdbg_json, run, text_of, wait_for
from protobuf import field

HERE = os.path.dirname(os.path.abspath(__file__))
PROBE = os.environ.get("PROBE", os.path.join(ROOT, "build-test/tests/engine/engine-probe"))
BASE = tempfile.mkdtemp(prefix="nsdbg-engines.")
WORD = hashlib.sha1(BASE.encode()).hexdigest()[:6]
USER, DOCKER_USER = f"nsdbgp{WORD}", f"nsdbgd{WORD}"
os.chmod(BASE, 0o755)


def my(name):
    return f"{name}-{WORD}"


def script(name, *argv, **more):
    return text_of(os.path.join(HERE, name), *argv, timeout=90, **more).strip()


# --- CRI by hand: gRPC in a few lines ---

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
    return {**{k: v for k, v in os.environ.items() if k != "DOCKER_HOST"}, **({"PODMAN_USER": user} if user else {}), "DOCKER_USER": DOCKER_USER}


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


def start_docker():
    script("dockerd.sh", "start", f"{BASE}/dk", env={**environment(None), "DOCKERD_ARGS": "--live-restore", "DOCKERD_IMAGES": "0"})
    own_docker("import", f"{BASE}/img/bb.tar", "bb:1")
    own_docker("run", "-d", "--name", my("dweb"), "--label", "com.docker.compose.project=shop", "bb:1", "/bin/httpd", "-f", "-h", "/www")
    own_docker("run", "-d", "--name", my("dside"), "--network", f"container:{my('dweb')}", "bb:1", "/bin/sleep", "100000")


def own_docker(*argv):
    return text_of("/usr/bin/docker", "-H", f"unix://{BASE}/dk/docker.sock", *argv, timeout=60, env=environment(None)).strip()


def rootless_docker(*argv):
    return script("docker-rootless.sh", "run", f"{BASE}/rd", *argv, env=environment(None))


def start_rootless_docker():
    script("docker-rootless.sh", "start", f"{BASE}/rd", env=environment(None))
    rootless_docker("network", "create", my("net"))
    web = ("/bin/httpd", "-f", "-h", "/www")
    rootless_docker("run", "-d", "--name", my("rdbridge"), "-p", "127.0.0.1::80", "bb:1", *web)
    rootless_docker("run", "-d", "--name", my("rdnet"), "--network", my("net"), "bb:1", *web)
    rootless_docker("run", "-d", "--name", my("rdnone"), "--network", "none", "bb:1", *web)
    rootless_docker("run", "-d", "--name", my("rdhost"), "--network", "host", "bb:1", "/bin/sleep", "100000")
    rootless_docker("run", "-d", "--name", my("rdside"), "--network", f"container:{my('rdnet')}", "bb:1", "/bin/sleep", "100000")


def start_podman():
    script("podman.sh", "start", f"{BASE}/pm", env=environment(None))
    podman("network", "create", my("n1"))
    podman("run", "-d", "--name", my("pweb"), "--network", my("n1"), "-p", "127.0.0.1:18080:80", "bb:1", "/bin/httpd", "-f", "-h", "/www")
    podman("pod", "create", "--name", my("pod1"), "--network", my("n1"))
    podman("run", "-d", "--pod", my("pod1"), "--name", my("pc1"), "bb:1")
    podman("create", "--name", my("pstopped"), "bb:1")


def start_rootless():
    script("podman.sh", "start", f"{BASE}/rl", env=environment(USER))
    podman("run", "-d", "--name", my("rl1"), "bb:1", "/bin/httpd", "-f", "-h", "/www", user=USER)


def start_containerd():
    script("containerd.sh", "start", f"{BASE}/ct")
    FACTS["b1"] = script("containerd.sh", "run", f"{BASE}/ct", "test", my("b1"), "/bin/sleep", "100000")
    FACTS["cri"] = cri_pod(my("shop"), {my("httpd"): ["/bin/httpd", "-f", "-h", "/www"], my("side"): ["/bin/sleep", "100000"]})


def start_small():
    FACTS["l1"] = int(script("lxc.sh", "start", f"{BASE}/lxc", my("l1"), f"{BASE}/img/bb.tar"))
    FACTS["n1"] = int(script("nspawn.sh", "start", f"{BASE}/nsp", my("n1"), f"{BASE}/img/bb.tar"))


def stop_all():
    together(*[lambda argv=argv, user=user: run(os.path.join(HERE, argv[0]), *argv[1:], timeout=120, env=environment(user)) for argv, user in (
        (("dockerd.sh", "stop", f"{BASE}/dk"), None), (("docker-rootless.sh", "stop", f"{BASE}/rd"), None),
        (("podman.sh", "stop", f"{BASE}/pm"), None), (("podman.sh", "stop", f"{BASE}/rl"), USER), (("containerd.sh", "stop", f"{BASE}/ct"), None),
        (("lxc.sh", "stop", f"{BASE}/lxc", my("l1")), None), (("nspawn.sh", "stop", f"{BASE}/nsp", my("n1")), None))])
    shutil.rmtree(BASE, ignore_errors=True)


FACTS = {}


def uid_of(user):
    return int(text_of("id", "-u", user))


def addresses():
    return ["--docker-host", f"{os.environ['DOCKER_HOST']},unix://{BASE}/dk/docker.sock,unix:///run/user/{uid_of(DOCKER_USER)}/docker.sock",
            "--podman-host", f"unix://{BASE}/pm/podman.sock,unix:///run/user/{uid_of(USER)}/podman/podman.sock",
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
            t.same(f"podman {name}: whose it is", row.get("owner"), uid_of(USER) if user else None)
    by_name = {(r["runtime"], r["name"]): r for r in rows}
    pc1, infra = by_name[("podman", my("pc1"))], [r for r in rows if r["pod"] == my("pod1") and r["infra"]]
    t.ok("podman: the pod's infra container is marked", len(infra) == 1 and pc1["infra"] is False and pc1["pod"] == my("pod1"), infra)
    t.same("podman: the pod is a group with its owner", (pc1["shares_with"], infra[0]["shared_by"]), (infra[0]["name"], [my("pc1")]))
    pod = tasks("k8s.io")
    for name, container in FACTS["cri"].items():
        row = known.get(container, {})
        t.same(f"CRI {name}: engine, name, pod and pid", tuple(row.get(k) for k in ("runtime", "name", "pod", "namespace", "pid", "infra")),
               ("cri", name, my("shop"), "shop", pod[container], name == my("shop")))
        t.ok(f"CRI {name}: the pod's address", row.get("addresses") and row["addresses"][0].startswith("10.66."), row.get("addresses"))
    t.same("CRI: attempt", known[FACTS["cri"][my("side")]]["attempt"], 1)
    b1 = by_name[("containerd", my("b1"))]
    t.same("ctr b1: namespace, pid, address", (b1["namespace"], b1["pid"], b1["addresses"]), ("test", tasks("test")[my("b1")], [FACTS["b1"]]))
    l1, n1 = by_name[("lxc", my("l1"))], by_name[("nspawn", my("n1"))]
    t.same("lxc l1: pid, address", (l1["pid"], l1["addresses"]), (FACTS["l1"], ["10.55.0.2"]))
    t.same("nspawn n1: pid", n1["pid"], FACTS["n1"])
    web = inspect("web")[0]
    t.same("docker web: as before", (known[web["Id"]]["name"], known[web["Id"]]["pid"]), ("web", web["State"]["Pid"]))
    rootless_docker_is_listed(t, known)
    for r in rows:
        if r["pid"] and r["pid"] in (l1["pid"], n1["pid"], b1["pid"], pc1["pid"]):
            t.same(f"{r['name']}: network namespace", r["netns"], netns_of(r["pid"]))


def rootless_docker_is_listed(t, known):
    """known: {id: row} as root, or as the user."""
    for c in json.loads(rootless_docker("inspect", *rootless_docker("ps", "-q", "--no-trunc").split())):
        row, name, networks = known.get(c["Id"], {}), c["Name"][1:], c["NetworkSettings"]["Networks"]
        t.same(f"rootless docker {name}: engine, name, pid, owner", tuple(row.get(k) for k in ("runtime", "name", "pid", "owner", "problem")),
               ("docker", name, c["State"]["Pid"], uid_of(DOCKER_USER), None))
        t.same(f"rootless docker {name}: addresses", row.get("addresses") if not name.startswith("rdside") else [],
               [n["IPAddress"] for n in networks.values() if n["IPAddress"]])
        published = [int(p["HostPort"]) for list_ in c["NetworkSettings"]["Ports"].values() for p in list_ or []]
        t.same(f"rootless docker {name}: published ports", [p["host_port"] for p in row.get("ports") or [] if p["host_port"]], published)
    by_name = {r["name"]: r for r in known.values()}
    t.same("rootless docker: --network container: is a group", by_name[my("rdside")]["shares_with"], my("rdnet"))


def engines_answer(t):
    rows = {(r["runtime"], r["endpoint"]): r for r in nsdbg_json("engines", *addresses())["data"]}
    mine = [(k[0], r["answering"]) for k, r in rows.items() if BASE in k[1] or f"/{uid_of(USER)}/" in k[1] or f"/{uid_of(DOCKER_USER)}/" in k[1]]
    t.same("engines: one line each, all answer", sorted(mine),
           [("containerd", True), ("docker", True), ("docker", True), ("podman", True), ("podman", True)])
    networks = {(r["runtime"], r["name"]): r for r in nsdbg_json("networks", *addresses())["data"]}
    t.ok("networks: podman's n1 with its bridge", (networks[("podman", my("n1"))]["interface"] or "").startswith("podman"), networks[("podman", my("n1"))])
    only = {r["runtime"] for r in nsdbg_json("ls", "--runtime", "lxc,cri", *addresses())["data"]}
    t.same("--runtime: only these", only, {"lxc", "cri"})


def views_open(t, when):
    def sockets(name):
        document = nsdbg_json("ss", my(name), "-tl", *addresses(), codes=(0, 5, 7))
        t.ok(f"{when}: sockets of {name}", 80 in {r["local_port"] for r in document["data"]}, document["errors"])

    def processes(name):
        document = nsdbg_json("ps", my(name), *addresses(), codes=(0, 5, 7))
        t.ok(f"{when}: processes of {name}", any("sleep" in r["command"] for r in document["data"]), document["errors"])
    together(*[lambda name=name: sockets(name) for name in ("dweb", "rdbridge", "pweb", "httpd", "rl1")],
             *[lambda name=name: processes(name) for name in ("b1", "l1", "n1")])


def names_find_their_target(t):
    views_open(t, "all engines up")
    shop = my("shop")
    for word, container in ((f"pod:shop/{shop}", shop), (f"{shop}/{my('httpd')}", my("httpd"))):
        t.same(f"target {word}", nsdbg_json("show", word, *addresses())["data"][0]["id"], FACTS["cri"][container])
    t.same("target ctr:test/b1", nsdbg_json("show", f"ctr:test/{my('b1')}", *addresses())["data"][0]["id"], my("b1"))
    t.same("target pod:pod1", nsdbg_json("show", f"pod:{my('pod1')}", *addresses())["data"][0]["infra"], True)


def as_user(name, *argv):
    """The JSON that nsdbg prints for an ordinary user, without anything of root's around it."""
    uid, program = uid_of(name), f"{BASE}/nsdbg"
    if not os.path.exists(program):
        shutil.copy(os.environ["NSDBG"], program)
        os.chmod(program, 0o755)
    result = run("setpriv", "--reuid", uid, "--regid", uid, "--clear-groups", "env", "-i", "-C", "/", "PATH=/usr/bin:/bin",
                 f"XDG_RUNTIME_DIR=/run/user/{uid}", program, *argv, "--json")
    return json.loads(result.stdout)["data"]


def a_user_sees_his_own(t):
    rows = as_user(USER, "ls")
    mine = [r for r in rows if r["name"] == my("rl1")]
    t.ok("an ordinary user lists his own container", len(mine) == 1 and mine[0]["problem"] is None, mine)
    ports = {r["local_port"] for r in as_user(USER, "ss", my("rl1"))}
    t.ok("and looks into it without root", 80 in ports, ports)
    other = [r for r in rows if r["runtime"] == "podman" and r["name"] == my("pweb")]
    t.ok("root's container has a row that names the missing right", len(other) == 1 and "sudo" in (other[0]["problem"] or ""), other)


def a_user_sees_his_docker(t):
    rows = as_user(DOCKER_USER, "ls")
    ids = [r["id"] for r in rows if r["owner"] == uid_of(DOCKER_USER)]
    t.same("rootless docker as its user: every container once", len(ids), len(set(ids)))
    rootless_docker_is_listed(t, {r["id"]: r for r in rows if r["runtime"] == "docker"})
    for name in ("rdbridge", "rdnet", "rdnone"):
        ports = {r["local_port"] for r in as_user(DOCKER_USER, "ss", my(name), "-tl")}
        t.ok(f"rootless docker as its user: sockets of {name} without root", 80 in ports, ports)
    for name in ("rdhost", "rdside"):
        t.ok(f"rootless docker as its user: processes of {name}", any("sleep" in r["command"] for r in as_user(DOCKER_USER, "ps", my(name))))


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
    took = live(f"unix://{BASE}/ct/containerd.sock", lambda: ctr("-n", "test", "run", "-d", "docker.io/library/bb:1", my("b2"), "/bin/sleep", "1000"),
                rf" ls name={my('b2')} .*state=running")
    t.ok("containerd: a new container is told by an event", took is not None and took < 1.5, took)
    took = live(f"unix://{BASE}/pm/podman.sock", lambda: podman("start", my("pstopped")), rf" ls name={my('pstopped')} .*state=running")
    t.ok("podman: a start is told by an event", took is not None and took < 1.5, took)


KEPT = ("runtime", "name", "pid", "pod", "infra", "project", "image")
DAEMONS = {"dockerd.sh": "dk", "podman.sh": "pm", "containerd.sh": "ct"}
RUNTIMES = ("docker", "podman", "containerd", "cri")


def kept(document):
    """{id: what files and processes tell} of what this run started; pods of podman are known to its service alone."""
    rows = {r["id"]: {k: r[k] for k in KEPT if (k, r["runtime"]) != ("pod", "podman")} for r in document["data"]
            if r["runtime"] in RUNTIMES and WORD in r["name"] and r["pid"]}
    for r in rows.values():
        if r["runtime"] in ("containerd", "cri"):  # ctr leaves no image name beside its bundle, CRI calls it otherwise
            del r["image"]
    return rows


def differ(t, name, found, expected):
    t.same(name, {i: r for i, r in found.items() if expected.get(i) != r}, {i: r for i, r in expected.items() if found.get(i) != r})


def each_daemon(command):
    together(*[lambda name=name, place=place: script(name, command, f"{BASE}/{place}", env={**environment(None), "DOCKERD_ARGS": "--live-restore",
                                                                                            "DOCKERD_IMAGES": "0"}) for name, place in DAEMONS.items()],
             lambda: script("podman.sh", command, f"{BASE}/rl", env=environment(USER)))


def daemons_die_and_come_back(t):
    before = kept(nsdbg_json("ls", *addresses()))
    with Terminal(160, 50, [os.environ["NSDBG"], *addresses()]) as screen:
        screen.wait("targets", 5)
        screen.type(f"/{WORD} runtime:docker,podman,cri,containerd")
        screen.keys("Enter")
        names = [my(n) for n in ("dweb", "pweb", "httpd", "rl1", "b1")]
        t.ok("the list shows all", all(screen.wait(name, 8) for name in names), screen.screen())
        each_daemon("kill")
        t.ok("list: the rows stay and are marked", all(screen.wait(rf"{name} .*its engine do", 8) for name in names), screen.screen())
        screen.keys("\\")
        screen.type(f"/{my('dweb')}")
        screen.keys("Enter", "Enter", "s")
        t.ok("list: and their views open", screen.wait(r"LISTEN.*:80", 6), screen.screen())
        screen.keys("0", "\\")
        dead_daemons_leave_names(t, before)
        each_daemon("start")
        screen.type(f"/{WORD} runtime:docker,podman,cri,containerd")
        screen.keys("Enter")
        alive = wait_for(lambda: not re.search(rf"{WORD}.*its engine do", screen.screen()), 30)
        t.ok("list: the daemons are back, the rows live again", alive, screen.screen())
        t.same("list: and none is there twice", [len(re.findall(rf"^.?.?.?{name} ", screen.screen(), re.M)) for name in names], [1] * len(names))
    differ(t, "ls with the daemons back: the same rows", kept(nsdbg_json("ls", *addresses())), before)


def dead_daemons_leave_names(t, before):
    result = nsdbg("ls", "--json", *addresses())
    t.same("ls with dead engines: exit status", result.returncode, 5)
    document = json.loads(result.stdout)
    differ(t, "ls with dead engines: the same rows and names by /proc and files", kept(document), before)
    after = [r for r in document["data"] if r["id"] in before and r["owner"] != uid_of(DOCKER_USER)]
    t.ok("ls with dead engines: all are marked", all(r["problem"] and r["engine"] is None for r in after), [r["name"] for r in after if not r["problem"]])
    t.ok("ls with dead engines: it says which", sum(BASE in e["message"] or f"/{uid_of(USER)}/" in e["message"] for e in document["errors"]) == 4,
         document["errors"])
    side = next(r for r in after if r["name"] == my("dside"))
    t.same("ls with dead engines: who shares a network namespace", side["shares_with"], my("dweb"))
    views_open(t, "with dead engines")


def a_runtime_with_nothing_but_cri(t):
    """CRI-O as it is seen: no API of containerd's, pids in verbose answers, events that are CRI's own."""
    path, state = f"{BASE}/crio-containerd.sock", f"{BASE}/crio.json"  # the probe goes by the name
    sleeper = subprocess.Popen(["unshare", "-n", "sleep", "1000"])
    pod = {"id": "a" * 64, "name": my("till"), "namespace": "shop", "pid": os.getpid(), "ip": "10.85.0.7"}
    first = {"id": "b" * 64, "pod": pod["id"], "name": my("app"), "attempt": 3, "image": "quay.io/app:1", "pid": sleeper.pid}

    def write(containers):
        with open(state + ".new", "w", encoding="ascii") as file:
            json.dump({"pods": [pod], "containers": containers}, file)
        os.rename(state + ".new", state)
    write([first])
    fake = subprocess.Popen([sys.executable, os.path.join(HERE, "fakecrio.py"), path, state], stdout=subprocess.PIPE)
    try:
        fake.stdout.readline()
        where = ["--runtime", "cri", "--containerd-host", f"unix://{path}"]
        document = nsdbg_json("ls", *where)
        row = next((r for r in document["data"] if r["id"] == first["id"]), {})
        t.same("CRI alone: name, pod, namespace, attempt, pid", tuple(row.get(k) for k in ("runtime", "name", "pod", "namespace", "attempt", "pid")),
               ("cri", my("app"), my("till"), "shop", 3, sleeper.pid))
        t.same("CRI alone: its network namespace", row.get("netns"), netns_of(sleeper.pid))
        engine = nsdbg_json("engines", *where)["data"][0]
        t.same("CRI alone: the engine", tuple(engine[k] for k in ("runtime", "answering", "version", "api")), ("cri", True, "1.30.4", "cri v1"))
        second = {**first, "id": "c" * 64, "name": my("more")}
        took = live(f"unix://{path}", lambda: write([first, second]), rf" ls name={my('more')} ")
        t.ok("CRI alone: a new container is told by CRI's own event", took is not None and took < 1.5, took)
    finally:
        end(fake)
        end(sleeper)
        fake.stdout.close()


def a_socket_of_systemd_is_left_alone(t):
    directory = f"{BASE}/activation"
    os.mkdir(directory)
    program = ["unshare", "-mpf", "--mount-proc", sys.executable, os.path.join(HERE, "fakesystemd.py"), directory, os.environ["NSDBG"]]
    result = run(*program, "engines", "--json", env=environment(None))
    engine = json.loads(result.stdout)["data"][0]
    t.ok("systemd's socket: engines says who listens and what starts it", "systemd listens" in engine["error"] and "systemctl" in engine["error"], engine)
    with Terminal(160, 50, ["env", "-u", "DOCKER_HOST", *program]) as screen:
        t.ok("systemd's socket: the app says that podman does not run", screen.wait("podman not running", 8), screen.screen())
        screen.keys("R")
        time.sleep(0.3)
        t.ok("systemd's socket: nobody connected to it", not os.path.exists(f"{directory}/touched"))
        with open(f"{directory}/go", "w", encoding="ascii"):
            pass
        t.ok("systemd's socket: once podman runs its rows come by themselves", screen.wait("podman +[1-9]", 8), screen.screen())


def addresses_are_live(t):
    """An address that no engine gave; the list says so without an event of Docker's."""
    web = json.loads(own_docker("inspect", my("dweb")))[0]
    with Terminal(160, 50, [os.environ["NSDBG"], *addresses()]) as screen:
        screen.wait("targets", 5)
        screen.type(f"/{my('dweb')} addresses:10.77.0.9")
        screen.keys("Enter")
        t.ok("list: nobody has that address", screen.wait("Nothing matches", 6), screen.screen())
        text_of("nsenter", "-n", "-t", web["State"]["Pid"], "ip", "addr", "add", "10.77.0.9/24", "dev", "eth0")
        t.ok("list: an address added behind the engine's back appears", screen.wait(rf"{my('dweb')} ", 5), screen.screen())
        text_of("nsenter", "-n", "-t", web["State"]["Pid"], "ip", "addr", "del", "10.77.0.9/24", "dev", "eth0")
        t.ok("list: and goes when it goes", screen.wait("Nothing matches", 5), screen.screen())


def a_hanging_daemon_ages(t):
    """Stopped, not dead: its socket takes connections and nobody answers."""
    with open(f"{BASE}/dk/dockerd.pid", encoding="ascii") as file:
        pid = int(file.read())
    with Terminal(160, 50, [os.environ["NSDBG"], *addresses()]) as screen:
        screen.wait(my("dweb"), 8)
        screen.type(f"/{WORD} runtime:docker,podman")
        screen.keys("Enter")
        os.kill(pid, signal.SIGSTOP)
        try:
            marked = None
            for _ in range(3):  # what is under way when the key comes is not asked again
                screen.keys("R")
                marked = marked or screen.wait(rf"{my('dweb')} .*its engine do", 5)
            t.ok("a hanging dockerd: its rows are marked", marked, screen.screen())
            t.ok("a hanging dockerd: others go on", re.search(rf"{my('pweb')} (?!.*its eng)", screen.screen()), screen.screen())
            screen.keys("\\")
            screen.type(f"/{my('dweb')}")
            screen.keys("Enter", "Enter")
            t.ok("a hanging dockerd: and how old they are", screen.wait(r"as of \d+s ago", 6), screen.screen())
            screen.keys("0")
        finally:
            os.kill(pid, signal.SIGCONT)
        lives = wait_for(lambda: my("dweb") in screen.screen() and "its engine do" not in screen.screen(), 8)
        t.ok("it goes on: the rows live again", lives, screen.screen())


def main():
    t = Checks()
    try:
        script("mkimages.sh", f"{BASE}/img")
        os.environ["NSDBG_IMAGES"] = f"{BASE}/img"
        together(start_docker, start_rootless_docker, start_podman, start_rootless, start_containerd, start_small)
        t.run(everything_is_listed_once, engines_answer, names_find_their_target, a_user_sees_his_own, a_user_sees_his_docker,
              a_runtime_with_nothing_but_cri, a_socket_of_systemd_is_left_alone, addresses_are_live,
              changes_arrive_by_events, a_hanging_daemon_ages, daemons_die_and_come_back)
    except SystemExit:
        raise
    except Exception as error:
        t.ok("the engines start", False, error)
        sys.exit(1)
    finally:
        if not os.environ.get("KEEP"):
            stop_all()


main()
