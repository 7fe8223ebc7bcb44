#!/usr/bin/env python3
"""A Docker engine that misbehaves on purpose:   fakedockerd.py SOCKET MODE [CONTAINERS]

MODE is one of the names in MODES below; NAME@list answers /_ping well and misbehaves afterwards. Writing another mode into the file
SOCKET.mode switches a running one over: open event streams then get an event about the first container. SOCKET.count holds the
number of requests so far.
"""
import json
import os
import socket
import struct
import sys
import threading
import time

MODES = """good stall nohdr hdrflood body trunc dribble deep nums huge esc 302 chunkbad 500 nul gzip reset backlog
close notjson object trailing dup wrongid slowinspect noevents badevents oldapi newapi noapi podman 403net""".split()
PING_OK = "deep nums huge esc nul notjson object trailing dup wrongid slowinspect noevents badevents 403net".split()
NASTY = "ev\x1b[31mil\x1b]0;title\x07\r\n\t\u202egnp.exe\u200b"


def container_id(i):
    return "%064x" % (0xabcdef0000 + i)


def endpoint(i):
    return {"NetworkID": "f" * 64, "EndpointID": "e" * 64, "Gateway": "172.30.0.1", "IPAddress": "172.30.%d.%d" % (i // 250, i % 250 + 2),
            "IPPrefixLen": 16, "IPv6Gateway": "", "GlobalIPv6Address": "", "GlobalIPv6PrefixLen": 0,
            "MacAddress": "02:42:ac:1e:00:02", "Aliases": None}


def listed(i):
    return {"Id": container_id(i), "Names": ["/c%d" % i], "Image": "bb:1", "Command": "sleep 1000", "Created": 1795359106,
            "Ports": [{"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8000 + i % 1000, "Type": "tcp"}], "Labels": {},
            "State": "running", "Status": "Up 2 hours", "HostConfig": {"NetworkMode": "default"},
            "NetworkSettings": {"Networks": {"bridge": endpoint(i)}}}


def inspected(i):
    return {"Id": container_id(i), "Created": "2026-11-22T14:51:11.809234596Z", "Path": "sleep", "Args": ["1000"],
            "State": {"Status": "running", "Pid": 4000 + i, "ExitCode": 0, "OOMKilled": False,
                      "StartedAt": "2026-11-22T14:51:12.363430784Z", "FinishedAt": "0001-01-01T00:00:00Z"},
            "Name": "/c%d" % i, "RestartCount": 0, "HostConfig": {"NetworkMode": "default"},
            "Config": {"Hostname": "h%d" % i, "Image": "bb:1", "Labels": {}},
            "NetworkSettings": {"Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": str(8000 + i % 1000)}]},
                                "Networks": {"bridge": endpoint(i)}}}


def networks():
    return [{"Name": "bridge", "Id": "f" * 64, "Created": "2026-11-22T14:51:10Z", "Scope": "local", "Driver": "bridge",
             "EnableIPv6": False, "IPAM": {"Config": [{"Subnet": "172.30.0.0/16"}]}, "Internal": False,
             "Options": {"com.docker.network.bridge.name": "docker0"}}]


class Fake:
    def __init__(self, path, mode, count):
        self.path, self.mode, self.count = path, mode, count
        self.streams = []
        self.requests = 0
        self.lock = threading.Lock()

    def bad(self, what):
        name, _, scope = self.mode.partition("@")
        return name if what != "/_ping" or (scope != "list" and name not in PING_OK) else "good"

    def headers(self, status="200 OK", extra=""):
        api, server = "1.41", "Docker/20.10.24 (linux)"
        if self.mode == "oldapi":
            api = "1.20"
        if self.mode == "newapi":
            api = "1.60"
        if self.mode == "podman":
            server = "Libpod/4.3.1 (linux)"
        line = "" if self.mode == "noapi" else "Api-Version: %s\r\n" % api
        return ("HTTP/1.1 %s\r\n%sServer: %s\r\nContent-Type: application/json\r\n%s" % (status, line, server, extra)).encode()

    def send(self, conn, body, status="200 OK", extra=""):
        if isinstance(body, str):
            body = body.encode("utf-8", "surrogatepass")
        conn.sendall(self.headers(status, extra + "Content-Length: %d\r\n\r\n" % len(body)) + body)

    # --- one function a mode; they get the connection and what was asked, and may raise to close it

    def stall(self, conn, what):
        time.sleep(60)

    def nohdr(self, conn, what):
        conn.sendall(b"220 mail.example ESMTP\r\n")
        time.sleep(60)

    def hdrflood(self, conn, what):
        conn.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            conn.sendall(b"X-Flood: " + b"a" * 4000 + b"\r\n")

    def body(self, conn, what):
        conn.sendall(self.headers(extra="\r\n"))
        while True:
            conn.sendall(b"[" + b" " * 65535)

    def trunc(self, conn, what):
        conn.sendall(self.headers(extra="Content-Length: 100000\r\n\r\n") + b'[{"Id":"')
        raise ConnectionError

    def dribble(self, conn, what):
        for byte in self.headers(extra="Content-Length: 100000\r\n\r\n") + b"[" * 1000:
            conn.sendall(bytes([byte]))
            time.sleep(0.05)

    def deep(self, conn, what):
        self.send(conn, "[" * 100000 + "]" * 100000)

    def nums(self, conn, what):
        c = listed(0)
        c.update(Created="@1", Ports="@2")
        text = json.dumps([c]).replace('"@1"', "1e999").replace('"@2"',
            '[{"PrivatePort":-1,"PublicPort":1e999},{"PrivatePort":99999999999999999999},{"PrivatePort":80.5,"Type":7}]')
        self.send(conn, text if what.startswith("/containers/json") else "[]")

    def huge(self, conn, what):
        self.send(conn, "[" + "0," * (1 << 23) + "0]")

    def esc(self, conn, what):
        c = listed(0)
        c["Names"] = ["/" + NASTY]
        c["Image"] = c["Command"] = NASTY
        raw = json.dumps([c]).encode() if what.startswith("/containers/json") else b"[]"
        self.send(conn, raw.replace(b"bridge", b"br\xff\xfe\x1b[2J"))

    def redirect(self, conn, what):
        self.send(conn, "", "302 Found", "Location: http://127.0.0.1:1/\r\n")

    def chunkbad(self, conn, what):
        conn.sendall(self.headers(extra="Transfer-Encoding: chunked\r\n\r\n") + b"fffffffffffffffff\r\n[]")

    def error(self, conn, what):
        self.send(conn, json.dumps({"message": "it hurts " + NASTY[:20] + "!" * 500}), "500 Internal Server Error")

    def nul(self, conn, what):
        self.send(conn, b"[\x00\x00\x00]" + b"\x00" * 5000)

    def gzip(self, conn, what):
        self.send(conn, b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", extra="Content-Encoding: gzip\r\n")

    def reset(self, conn, what):
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise ConnectionError

    def close(self, conn, what):
        raise ConnectionError

    def notjson(self, conn, what):
        self.send(conn, "<html>hello</html>")

    def object(self, conn, what):
        self.send(conn, '{"Id": 7}')

    def trailing(self, conn, what):
        self.send(conn, "[] []")

    def dup(self, conn, what):
        self.good(conn, what, lambda i: listed(0))

    def wrongid(self, conn, what):
        self.good(conn, what, inspect=lambda i: inspected(i + 1))

    def slowinspect(self, conn, what):
        if what.endswith("/json") and what != "/containers/json" and container_id(1) in what:
            time.sleep(60)
        self.good(conn, what)

    def noevents(self, conn, what):
        if what.startswith("/events"):
            self.send(conn, '{"message":"events are forbidden here"}', "403 Forbidden")
        else:
            self.good(conn, what)

    def badevents(self, conn, what):
        if what.startswith("/events"):
            conn.sendall(self.headers(extra="\r\n") + b"{]\n" + b"x" * 200000 + b"\n")
            time.sleep(60)
        self.good(conn, what)

    def forbidden_networks(self, conn, what):
        if what.startswith("/networks"):
            self.send(conn, "<html>403 Forbidden</html>", "403 Forbidden")
        else:
            self.good(conn, what)

    def good(self, conn, what, entry=listed, inspect=inspected):
        if what == "/_ping":
            self.send(conn, "OK")
        elif what.startswith("/containers/json"):
            self.send(conn, json.dumps([entry(i) for i in range(self.count)]))
        elif what.startswith("/containers/"):
            word = what.split("/")[2]
            try:
                i = int(word[1:]) if len(word) < 12 else int(word, 16) - 0xabcdef0000  # a name, "c7", or an id
            except ValueError:
                i = -1
            if 0 <= i < self.count:
                self.send(conn, json.dumps(inspect(i)))
            else:
                self.send(conn, '{"message":"No such container"}', "404 Not Found")
        elif what == "/networks":
            self.send(conn, json.dumps(networks()))
        elif what.startswith("/events"):
            conn.sendall(self.headers(extra="Transfer-Encoding: chunked\r\n\r\n"))
            self.streams.append(conn)
            while conn in self.streams:
                time.sleep(0.1)
            raise ConnectionError
        else:
            self.send(conn, '{"message":"page not found"}', "404 Not Found")

    special = {"302": redirect, "500": error, "403net": forbidden_networks, "oldapi": good, "newapi": good, "noapi": good, "podman": good}

    def answer(self, conn, what):
        name = self.bad(what)
        function = self.special.get(name)
        (function.__get__(self) if function else getattr(self, name))(conn, what)

    def serve(self, conn):
        pending = b""
        try:
            while True:
                while b"\r\n\r\n" not in pending:
                    got = conn.recv(65536)
                    if not got:
                        return
                    pending += got
                head, _, pending = pending.partition(b"\r\n\r\n")
                with self.lock:
                    self.requests += 1
                    with open(self.path + ".count", "w") as f:
                        f.write(str(self.requests))
                what = head.split(b" ")[1].decode()
                if what.startswith("/v"):
                    what = "/" + what.split("/", 2)[2]
                self.answer(conn, what)
        except (OSError, ConnectionError):
            pass
        finally:
            conn.close()

    def event(self, action, i=0):
        text = json.dumps({"Type": "container", "Action": action, "Actor": {"ID": container_id(i), "Attributes": {}}}) + "\n"
        for conn in list(self.streams):
            try:
                conn.sendall(("%x\r\n%s\r\n" % (len(text), text)).encode())
            except OSError:
                self.streams.remove(conn)

    def watch(self):
        while True:
            time.sleep(0.05)
            try:
                with open(self.path + ".mode") as f:
                    mode = f.read().strip()
            except OSError:
                continue
            if not mode or mode == self.mode:
                continue
            self.mode = mode
            if mode.split("@")[0] in ("reset", "close"):
                self.streams.clear()
            else:
                self.event("update")

    def run(self):
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(self.path)
        if self.mode == "backlog":
            listener.listen(0)
            self.fill = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(4)]
            for s in self.fill:
                s.setblocking(False)
                s.connect_ex(self.path)
            print("ready", flush=True)
            time.sleep(600)
        listener.listen(64)
        threading.Thread(target=self.watch, daemon=True).start()
        print("ready", flush=True)
        while True:
            conn, _ = listener.accept()
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[2].split("@")[0] not in MODES:
        sys.exit(__doc__)
    if os.path.exists(sys.argv[1]):
        os.unlink(sys.argv[1])
    Fake(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 3).run()
