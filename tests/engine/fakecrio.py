#!/usr/bin/env python3
"""A runtime that speaks nothing but CRI v1, as CRI-O does:   fakecrio.py SOCKET STATE [noevents]

STATE is a JSON file: {"pods": [{id, name, namespace, pid, ip}], "containers": [{id, pod, name, attempt, image, pid}]}. When it changes,
GetContainerEvents tells (unless noevents: then it is not known). HTTP/2 (RFC 9113) in its least form; HPACK by libnghttp2, which libcurl
brings along."""
import ctypes
import json
import os
import socket
import struct
import sys
import threading
import time

from protobuf import field

DATA, HEADERS, SETTINGS, PING = 0, 1, 4, 6
END_STREAM, END_HEADERS, PADDED, PRIORITY, ACK = 1, 4, 8, 32, 1


class Pair(ctypes.Structure):
    _fields_ = [("name", ctypes.POINTER(ctypes.c_uint8)), ("value", ctypes.POINTER(ctypes.c_uint8)), ("name_n", ctypes.c_size_t),
                ("value_n", ctypes.c_size_t), ("flags", ctypes.c_uint8)]


class Inflater:
    lib = ctypes.CDLL("libnghttp2.so.14")

    def __init__(self):
        self.lib.nghttp2_hd_inflate_hd2.restype = ctypes.c_ssize_t
        self.me = ctypes.c_void_p()
        self.lib.nghttp2_hd_inflate_new(ctypes.byref(self.me))

    def headers(self, block):
        """{name: value} of one header block."""
        found, pair, flags, at = {}, Pair(), ctypes.c_int(), 0
        while True:
            n = self.lib.nghttp2_hd_inflate_hd2(self.me, ctypes.byref(pair), ctypes.byref(flags), block[at:], ctypes.c_size_t(len(block) - at), 1)
            if n < 0:
                raise ValueError("HPACK")
            at += n
            if flags.value & 2:
                found[bytes(pair.name[:pair.name_n]).decode()] = bytes(pair.value[:pair.value_n]).decode()
            if flags.value & 1:
                self.lib.nghttp2_hd_inflate_end_headers(self.me)
                return found


# --- CRI ---

def info(pid):
    return field(2, field(1, "info") + field(2, json.dumps({"pid": pid, "sandboxID": "x"})))


class Runtime:
    def __init__(self, state):
        self.path = state

    def state(self):
        with open(self.path, encoding="utf-8") as file:
            return json.load(file)

    def pod(self, p):
        return field(1, p["name"]) + field(2, "uid") + field(3, p["namespace"])

    def answer(self, method, message):
        """The reply's bytes; None: no such method."""
        state, created = self.state(), field(7, 1700000000 * 10**9)
        if method == "Version":
            return field(1, "0.1.0") + field(2, "cri-o") + field(3, "1.30.4") + field(4, "v1")
        if method == "ListPodSandbox":
            return b"".join(field(1, field(1, p["id"]) + field(2, self.pod(p)) + field(4, 1700000000 * 10**9)) for p in state["pods"])
        if method == "ListContainers":
            return b"".join(field(1, field(1, c["id"]) + field(2, c["pod"]) + field(3, field(1, c["name"]) + field(2, c["attempt"])) +
                                  field(4, field(1, c["image"])) + field(6, 1) + created) for c in state["containers"])
        asked, verbose = message[2:2 + message[1]].decode() if message else "", message.endswith(b"\x10\x01")
        for p in state["pods"] if method == "PodSandboxStatus" else ():
            if p["id"] == asked:
                return field(1, field(1, asked) + field(5, field(1, p["ip"]))) + (info(p["pid"]) if verbose else b"")
        for c in state["containers"] if method == "ContainerStatus" else ():
            if c["id"] == asked:
                return field(1, field(1, asked) + field(3, 1) + field(5, 1700000000 * 10**9)) + (info(c["pid"]) if verbose else b"")
        return None


# --- HTTP/2 ---

def frame(kind, flags, stream, body=b""):
    return struct.pack(">I", len(body))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + body


def literal(name, value):
    return b"\x00" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


class Connection(threading.Thread):
    def __init__(self, conn, runtime, events):
        super().__init__(daemon=True)
        self.conn, self.runtime, self.events, self.rest = conn, runtime, events, b""

    def read(self, n):
        while len(self.rest) < n:
            more = self.conn.recv(65536)
            if not more:
                raise EOFError
            self.rest += more
        out, self.rest = self.rest[:n], self.rest[n:]
        return out

    def run(self):
        inflater, path, body = Inflater(), "", b""
        try:
            self.read(24)
            self.conn.sendall(frame(SETTINGS, 0, 0))
            while True:
                head = self.read(9)
                payload, kind, flags = self.read(int.from_bytes(head[:3], "big")), head[3], head[4]
                if kind in (SETTINGS, PING) and not flags & ACK:
                    self.conn.sendall(frame(kind, ACK, 0, payload if kind == PING else b""))
                if kind == HEADERS:
                    payload = payload[1:len(payload) - payload[0]] if flags & PADDED else payload
                    path = inflater.headers(payload[5:] if flags & PRIORITY else payload)[":path"]
                if kind == DATA:
                    body += payload
                if kind in (HEADERS, DATA) and flags & END_STREAM:
                    self.respond(int.from_bytes(head[5:], "big"), path.rsplit("/", 1), body[5:])
        except (OSError, EOFError):
            self.conn.close()

    def respond(self, stream, path, message):
        begin = frame(HEADERS, END_HEADERS, stream, b"\x88" + literal("content-type", "application/grpc"))
        service, method = path
        if service == "/runtime.v1.RuntimeService" and method == "GetContainerEvents" and self.events:
            self.conn.sendall(begin)
            self.tell(stream)
            return
        answer = self.runtime.answer(method, message) if service == "/runtime.v1.RuntimeService" else None
        if answer is None:
            trailer = literal("content-type", "application/grpc") + literal("grpc-status", "12") + literal("grpc-message", "unknown method " + method)
            self.conn.sendall(frame(HEADERS, END_HEADERS | END_STREAM, stream, b"\x88" + trailer))
            return
        data = frame(DATA, 0, stream, b"\0" + struct.pack(">I", len(answer)) + answer)
        self.conn.sendall(begin + data + frame(HEADERS, END_HEADERS | END_STREAM, stream, literal("grpc-status", "0")))

    def tell(self, stream):
        before = os.stat(self.runtime.path).st_mtime_ns
        while True:
            time.sleep(0.02)
            now = os.stat(self.runtime.path).st_mtime_ns
            if now != before:
                event = field(1, "x") + field(2, 1)
                self.conn.sendall(frame(DATA, 0, stream, b"\0" + struct.pack(">I", len(event)) + event))
            before = now


def main():
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen(64)
    print("ready", flush=True)
    while True:
        Connection(listener.accept()[0], Runtime(sys.argv[2]), "noevents" not in sys.argv[3:]).start()


main()
