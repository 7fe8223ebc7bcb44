"""Servers that behave, and servers that do not: webd.py DIR, where DIR holds what make_certificates() put there.

  80 answers · 81 accepts and hangs up · 82 accepts and never reads · 83 first byte late · 84 status 500 · 85 garbage · 86 big answer
  87 breaks off · 88 hostile header lines · 443 good certificate · 444 expired · 445 for another name · 446 self-signed · UDP 9000 echoes
"""
import os
import socket
import ssl
import subprocess
import sys
import threading
import time

PAGE = b"HTTP/1.1 200 OK\r\nServer: webd\r\nContent-Type: text/plain\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n"
HOSTILE = (b"HTTP/1.1 200 OK\r\nServer: \x1b]0;owned\x07\x1b[2J" + b"A" * 4000 + b"\r\nContent-Type: a\xff\xfe\x9b31mb\r\nLocation: http://\xe2\x80\xae/evil\r\n"
           b"Content-Length: 0\r\nConnection: close\r\n\r\n")
SLOW = 0.3
CA_CONFIG = """[ca]
default_ca = lab
[lab]
database = index.txt
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
rand_serial = yes
default_md = sha256
policy = any
[any]
organizationName = optional
commonName = supplied
"""


def make_certificates(directory):
    """ca.pem and NAME.pem (key and chain) for good, expired, other, self."""
    def openssl(*argv):
        subprocess.run(["openssl", *argv], cwd=directory, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def key(name):
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")
    with open(os.path.join(directory, "ca.cnf"), "w", encoding="ascii") as file:
        file.write(CA_CONFIG)
    with open(os.path.join(directory, "index.txt"), "w", encoding="ascii"):
        pass
    key("ca")
    openssl("req", "-x509", "-new", "-key", "ca.key", "-subj", "/CN=Lab CA", "-days", "30", "-out", "ca.pem")
    for name, names in (("good", "DNS:web.lab,DNS:*.wild.lab,IP:10.4.0.2"), ("expired", "DNS:web.lab,IP:10.4.0.2"), ("other", "DNS:other.lab")):
        key(name)
        with open(os.path.join(directory, f"{name}.ext"), "w", encoding="ascii") as file:
            file.write(f"subjectAltName={names}\n")
        openssl("req", "-new", "-key", f"{name}.key", "-subj", f"/O=Lab/CN={name}", "-out", f"{name}.csr")
        dates = ("20200101000000Z", "20200102000000Z") if name == "expired" else ("20200101000000Z", "20491231000000Z")
        openssl("ca", "-batch", "-config", "ca.cnf", "-in", f"{name}.csr", "-extfile", f"{name}.ext", "-startdate", dates[0], "-enddate", dates[1],
                "-out", f"{name}.crt", "-notext")
        join(directory, name, ("key", "crt"), ("ca.pem",))
    key("self")
    openssl("req", "-x509", "-new", "-key", "self.key", "-subj", "/CN=self", "-addext", "subjectAltName=IP:10.4.0.2", "-days", "5", "-out", "self.crt")
    join(directory, "self", ("key", "crt"), ())


def join(directory, name, parts, more):
    with open(os.path.join(directory, f"{name}.pem"), "w", encoding="ascii") as out:
        for path in (*(f"{name}.{part}" for part in parts), *more):
            with open(os.path.join(directory, path), encoding="ascii") as file:
                out.write(file.read())


def read_request(conn):
    data = b""
    while b"\r\n\r\n" not in data:
        more = conn.recv(4096)
        if not more:
            return
        data += more
        if data[0] == 0x16:  # TLS to a plain port
            return


def page(conn, body=PAGE):
    read_request(conn)
    conn.sendall(body)


def late(conn):
    read_request(conn)
    time.sleep(SLOW)
    conn.sendall(PAGE)


def keep(conn):
    time.sleep(600)
    conn.close()


def big(conn):
    read_request(conn)
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\nConnection: close\r\n\r\n" + b"x" * 60000)


PLAIN = {
    80: page, 81: lambda conn: None, 82: keep, 83: late, 84: lambda c: page(c, PAGE.replace(b"200 OK", b"500 Sorry")),
    85: lambda c: page(c, b"\x00\x01nonsense\r\n\r\n"), 86: big,
    87: lambda c: page(c, PAGE.replace(b"Length: 6", b"Length: 600")), 88: lambda c: page(c, HOSTILE),
}
TLS = {443: "good", 444: "expired", 445: "other", 446: "self"}


def serve(listener, handle, context=None):
    while True:
        conn, _ = listener.accept()
        threading.Thread(target=one, args=(conn, handle, context), daemon=True).start()


def one(conn, handle, context):
    try:
        if context:
            conn = context.wrap_socket(conn, server_side=True)
        handle(conn)
    except OSError:
        pass
    finally:
        conn.close()


def main(directory):
    for port, handle in PLAIN.items():
        start(port, handle)
    for port, name in TLS.items():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(directory, f"{name}.pem"))
        start(port, page, context)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("", 9000))
    print("up", flush=True)
    while True:
        data, peer = udp.recvfrom(2048)
        udp.sendto(data, peer)


def start(port, handle, context=None):
    listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    threading.Thread(target=serve, args=(listener, handle, context), daemon=True).start()


if __name__ == "__main__":
    main(sys.argv[1])
