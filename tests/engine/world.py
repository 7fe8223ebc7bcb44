#!/usr/bin/env python3
"""The containers that the engine tests look at: world.py up|down. The names are what the checks use.

shop and back are user networks, the rest is Docker's own. web, db and client are the lab's programs FROM scratch and talk all the time.
"""
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import DOCKER, LAB, docker, inspect, run, text_of, wait_for

SLEEP = ["sleep", "1000000"]
CONTAINERS = {  # name: (options, image and command)
    "web": (["--network", "shop", "--network-alias", "web.lab", "-p", "8080:80", "-p", "127.0.0.1:9090:9090/udp", "--expose", "443",
             "--label", "com.docker.compose.project=shop"], ["lab:1", "web"]),
    "db": (["--network", "shop", "--network-alias", "db.lab", "--restart", "on-failure:3"], ["lab:1", "db"]),
    "client": (["--network", "shop"], ["lab:1", "client", "127.0.0.11"]),
    "busy": (["--hostname", "busy-host"], ["bb:1", "sh", "-c", "sleep 1000001 & sleep 1000002 & wait"]),
    "tiny": ([], ["scratch:1", "7000"]),
    "two": (["--network", "shop"], ["bb:1", *SLEEP]),
    "side": (["--network", "container:web"], ["bb:1", *SLEEP]),
    "hosty": (["--network", "host"], ["bb:1", "nc", "-l", "-p", "7777"]),
    "lonely": (["--network", "none"], ["bb:1", *SLEEP]),
    "paused": ([], ["bb:1", *SLEEP]),
    "ill": (["--health-cmd", "false", "--health-interval", "1s", "--health-retries", "1"], ["bb:1", *SLEEP]),
    "well": (["--health-cmd", "true", "--health-interval", "1s"], ["bb:1", *SLEEP]),
    "user": (["--user", "33:33"], ["bb:1", *SLEEP]),
}


def lab_image():
    """The lab's static program as an image FROM scratch."""
    root = tempfile.mkdtemp(prefix="nsdbg-image-")
    os.mkdir(os.path.join(root, "bin"))
    shutil.copy(LAB, os.path.join(root, "bin/lab"))
    text_of("tar", "-C", root, "-cf", root + ".tar", ".")
    docker("import", "--change", 'ENTRYPOINT ["/bin/lab"]', root + ".tar", "lab:1")
    shutil.rmtree(root)
    os.unlink(root + ".tar")


def start(name):
    options, command = CONTAINERS[name]
    docker("run", "-d", "--name", name, *options, *command)


def up():
    lab_image()
    docker("network", "create", "--subnet", "172.30.1.0/24", "--gateway", "172.30.1.1", "shop")
    docker("network", "create", "--subnet", "172.30.2.0/24", "-o", "com.docker.network.bridge.name=br-back", "--internal", "back")
    for name in CONTAINERS:
        start(name)
    docker("network", "connect", "back", "two")
    docker("pause", "paused")
    run(DOCKER, "run", "--name", "stopped", "bb:1", "sh", "-c", "exit 3")
    docker("create", "--name", "fresh", "--network", "back", "-p", "8181:81", "bb:1", *SLEEP)
    wait_for(lambda: inspect("ill")[0]["State"]["Health"]["Status"] == "unhealthy", 10)
    wait_for(lambda: inspect("well")[0]["State"]["Health"]["Status"] == "healthy", 10)


def down():
    ids = docker("ps", "-aq").split()
    if ids:
        docker("rm", "-f", "-v", *ids)
    docker("network", "rm", "shop", "back")


if __name__ == "__main__":
    {"up": up, "down": down}[sys.argv[1]]()
