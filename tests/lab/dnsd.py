#!/usr/bin/env python3
"""A small DNS server for tests, ordinary or hostile: dnsd.py MODE ADDRESS PORT [SECONDS] [LOGFILE]

It serves the zones example. and arpa below over UDP and TCP, and prints "ready PORT" once it is bound (PORT 0: any free one).
Each question adds a line to LOGFILE: transport, client port, id, name, type, edns or -. Modes:

  ok         answers from the zone, with compression, TC over UDP where 512 bytes (or EDNS's size) are not enough
  nxdomain servfail refused notimp formerr   that response code to everything
  noedns     FORMERR to questions with EDNS, else ok
  silent     takes questions and never answers
  wrongid wrongq wrongqr   one forged reply (id, question, not a reply) before the true one
  flood      wrong ids over UDP without end, the truth over TCP
  tc         TC over UDP, the truth over TCP;  tcrefuse: TC, and TCP is closed
  tcstall    TC, then TCP accepts and says nothing;  tcdribble: one byte a second;  tccut: half of it, then closes
  loop fwd   compression pointers in a circle, or forwards;  self: a pointer to itself
  cut        the last record ends in the middle;  count: more records promised than there are
  rdlen      data one byte too short and too long for its type
  esc        CNAME and TXT with escape sequences, quotes, dots inside labels
  names      names of 255 bytes, of control bytes and of one-letter labels
  slow       the truth after 0.3 s
  script     by the beginning of the name: lose1 the first question of each client port and type is lost; noaaaa AAAA is never answered;
             late the truth after 2.5 s; else the truth
"""
import os
import select
import socket
import struct
import sys
import time

TYPES = dict(A=1, NS=2, CNAME=5, SOA=6, PTR=12, HINFO=13, MX=15, TXT=16, RP=17, AAAA=28, SRV=33, NAPTR=35, DNAME=39,
             DS=43, SSHFP=44, TLSA=52, SVCB=64, HTTPS=65, SPF=99, ANY=255, URI=256, CAA=257, TYPE65400=65400)


def labels(text):
    return [l.encode() for l in text.rstrip('.').split('.') if l]


def name(text):
    """A domain name for rdata; compressed when it is written."""
    return ('name', labels(text))


def plain(text):
    """A domain name that must not be compressed."""
    return b''.join(bytes([len(l)]) + l for l in labels(text)) + b'\0'


def string(b):
    return bytes([len(b)]) + b


def u8(v):
    return struct.pack('>B', v)


def u16(*v):
    return struct.pack('>%dH' % len(v), *v)


def u32(*v):
    return struct.pack('>%dI' % len(v), *v)


def ip4(text):
    return socket.inet_pton(socket.AF_INET, text)


def ip6(text):
    return socket.inet_pton(socket.AF_INET6, text)


def param(key, value):
    return u16(key, len(value)) + value


SOA = (name('ns1.example.'), ('name', [b'host.master', b'example']), u32(2026112201, 7200, 900, 1209600, 300))
SVCB = u16(1) + plain('.') + param(1, string(b'h2') + string(b'h3')) + param(3, u16(8443)) + \
    param(4, ip4('192.0.2.1') + ip4('192.0.2.2')) + param(6, ip6('2001:db8::1'))

# owner, type, ttl, parts of the data
ZONE = [
    ('example.', 'SOA', 3600, SOA),
    ('example.', 'NS', 3600, (name('ns1.example.'),)),
    ('example.', 'NS', 3600, (name('ns2.example.'),)),
    ('example.', 'MX', 300, (u16(10), name('mail.example.'))),
    ('example.', 'MX', 300, (u16(20), name('mail2.example.'))),
    ('example.', 'TXT', 300, (string(b'v=spf1 -all'),)),
    ('example.', 'TXT', 300, (string(b'two'), string(b'strings "quoted" and \\ back; semi'))),
    ('example.', 'CAA', 300, (u8(0), string(b'issue'), b'letsencrypt.org')),
    ('example.', 'CAA', 300, (u8(128), string(b'iodef'), b'mailto:a@example.org')),
    ('example.', 'HTTPS', 300, (SVCB,)),
    ('ns1.example.', 'A', 3600, (ip4('192.0.2.53'),)),
    ('ns2.example.', 'A', 3600, (ip4('192.0.2.54'),)),
    ('www.example.', 'A', 60, (ip4('192.0.2.10'),)),
    ('www.example.', 'A', 60, (ip4('192.0.2.11'),)),
    ('www.example.', 'AAAA', 60, (ip6('2001:db8::10'),)),
    ('v4.example.', 'A', 0, (ip4('198.51.100.4'),)),
    ('v6.example.', 'AAAA', 60, (ip6('2001:db8::6'),)),
    ('alias.example.', 'CNAME', 30, (name('alias2.example.'),)),
    ('alias2.example.', 'CNAME', 30, (name('www.example.'),)),
    ('dangling.example.', 'CNAME', 30, (name('nowhere.example.'),)),
    ('_http._tcp.example.', 'SRV', 120, (u16(0, 5, 8080), plain('www.example.'))),
    ('naptr.example.', 'NAPTR', 120, (u16(100, 50), string(b's'), string(b'http+I2R'), string(b'!^.*$!x!'), plain('_http._tcp.example.'))),
    ('host.example.', 'HINFO', 120, (string(b'ARM64'), string(b'LINUX 6'))),
    ('rp.example.', 'RP', 120, (plain('admin.example.'), plain('.'))),
    ('old.example.', 'DNAME', 120, (plain('new.example.'),)),
    ('ds.example.', 'DS', 120, (u16(60485), u8(5), u8(1), bytes(range(20)))),
    ('ssh.example.', 'SSHFP', 120, (u8(4), u8(2), bytes(range(32)))),
    ('_443._tcp.example.', 'TLSA', 120, (u8(3), u8(1), u8(1), bytes(range(32)))),
    ('svcb.example.', 'SVCB', 120, (u16(0), plain('www.example.'))),
    ('svcb2.example.', 'SVCB', 120, (u16(2), plain('a.example.'), param(1, string(b'a,b\\c"d')), param(2, b''), param(5, b'echech!'),
                                     param(667, b'hi "x" \x01'))),
    ('svcb3.example.', 'SVCB', 120, (u16(3), plain('a.example.'), param(0, u16(1, 3)), param(1, string(b'h2')), param(3, u16(53)))),
    ('uri.example.', 'URI', 120, (u16(10, 1), b'https://www.example/path?q="1"')),
    ('spf.example.', 'SPF', 120, (string(b'v=spf1 mx'),)),
    ('odd.example.', 'TYPE65400', 120, (b'\x00\x01\xfe\xff',)),
    ('void.example.', 'TYPE65400', 120, (b'',)),
    ('bytes.example.', 'TXT', 120, (string(bytes(range(0, 200))), string(bytes(range(200, 256))), string(b''))),
    ('big.example.', 'TXT', 120, tuple(string(b'%03d ' % i + b'x' * 200) for i in range(8))),
    ('huge.example.', 'TXT', 120, tuple(string(b'%03d ' % i + b'y' * 250) for i in range(240))),
    ('many.example.', 'A', 120, (ip4('203.0.113.1'),)),
    ('*.wild.example.', 'A', 120, (ip4('192.0.2.99'),)),
    ('db.shop.internal.example.', 'A', 120, (ip4('172.18.0.3'),)),
    ('stale.example.', 'A', 120, (ip4('172.30.1.250'),)),
    ('4.100.51.198.in-addr.arpa.', 'PTR', 120, (name('v4.example.'),)),
    ('6.0.0.0.' + '0.' * 20 + '8.b.d.0.1.0.0.2.ip6.arpa.', 'PTR', 120, (name('v6.example.'),)),
    ('example.arpa.', 'TXT', 120, (string(b'here so that arpa exists'),)),
]
ZONE += [('many.example.', 'A', 120, (ip4('203.0.113.%d' % i),)) for i in range(2, 120)]
NUMBER = {v: k for k, v in TYPES.items()}


class Writer:
    """A message with compressed names (RFC 1035 4.1.4)."""

    def __init__(self):
        self.b = bytearray()
        self.known = {}

    def name(self, ls):
        ls = list(ls)
        while ls:
            key = tuple(l.lower() for l in ls)
            if key in self.known:
                self.b += u16(0xc000 | self.known[key])
                return
            if len(self.b) < 0x3fff:
                self.known[key] = len(self.b)
            self.b += string(ls[0])
            ls = ls[1:]
        self.b += b'\0'

    def record(self, owner, type_, ttl, parts):
        self.name(owner)
        self.b += u16(type_, 1) + u32(ttl)
        at = len(self.b)
        self.b += b'\0\0'
        for p in parts:
            if isinstance(p, tuple):
                self.name(p[1])
            else:
                self.b += p
        self.b[at:at + 2] = u16(len(self.b) - at - 2)


def question(msg):
    """id, flags, labels, type, class, end of the question, EDNS payload or 0"""
    id_, flags, _, _, _, extra = struct.unpack('>6H', msg[:12])
    at, ls = 12, []
    while msg[at]:
        ls.append(msg[at + 1:at + 1 + msg[at]])
        at += 1 + msg[at]
    type_, class_ = struct.unpack('>2H', msg[at + 1:at + 5])
    edns = struct.unpack('>H', msg[at + 8:at + 10])[0] if extra else 0
    return id_, flags, ls, type_, class_, at + 5, edns


def zone_name(ls):
    return [l.lower() for l in ls]


def find(ls, type_):
    """Records at a name (wildcards too), and whether the name exists."""
    here = [r for r in ZONE if zone_name(labels(r[0])) == zone_name(ls)]
    exists = bool(here) or any(zone_name(labels(r[0]))[-len(ls):] == zone_name(ls) for r in ZONE)
    if not exists and len(ls) > 1:
        here = [r for r in ZONE if zone_name(labels(r[0])) == zone_name([b'*'] + list(ls[1:]))]
        exists = bool(here)
    hits = [r for r in here if TYPES[r[1]] == type_ or type_ == 255]
    return hits or [r for r in here if r[1] == 'CNAME'], exists


def answer(msg, limit):
    id_, flags, ls, type_, class_, _, edns = question(msg)
    w = Writer()
    w.b += bytes(12)
    w.name(ls)
    w.b += u16(type_, class_)
    n, owner, rcode = [0, 0, 0], ls, 0
    for _ in range(8):
        hits, exists = find(owner, type_)
        for r in hits:
            w.record(owner, TYPES[r[1]], r[2], r[3])
            n[0] += 1
        if not hits and not exists:
            rcode = 3
        if len(hits) == 1 and hits[0][1] == 'CNAME' and type_ not in (5, 255):
            owner = hits[0][3][0][1]
        else:
            break
    if n[0] == 0 or rcode:
        w.record([b'example'], 6, 300, SOA)
        n[1] += 1
    if type_ in (2, 15) and n[0]:
        for r in ZONE:
            if r[0] in ('ns1.example.', 'ns2.example.') and type_ == 2:
                w.record(labels(r[0]), TYPES[r[1]], r[2], r[3])
                n[2] += 1
    if edns:
        w.b += b'\0' + u16(41, 1232) + u32(0) + u16(0)
        n[2] += 1
    tc = 0
    if len(w.b) > limit:
        del w.b[12 + sum(len(l) + 1 for l in ls) + 1 + 4:]
        n, tc = [0, 0, 0], 0x0200
    w.b[:12] = u16(id_, 0x8480 | (flags & 0x0100) | tc | rcode, 1, *n)
    return bytes(w.b)


def echo(msg, flags, counts=(0, 0, 0), body=b''):
    """The question back with other flags and this behind it."""
    end = question(msg)[5]
    return msg[:2] + u16(0x8000 | flags, 1, *counts) + msg[12:end] + body


def rr(owner, type_, data, length=None):
    return owner + u16(type_, 1) + u32(60) + u16(len(data) if length is None else length) + data


def hostile(mode, msg, limit):
    """The reply of a mode that answers each question with one message; None: no answer."""
    end = question(msg)[5]
    codes = dict(formerr=1, servfail=2, nxdomain=3, notimp=4, refused=5)
    here = b'\xc0\x0c'
    if mode in codes:
        return echo(msg, 0x0180 | codes[mode])
    if mode == 'noedns' and question(msg)[6]:
        return echo(msg, 0x0180 | 1)
    if mode == 'loop':
        return echo(msg, 0x0180, (1, 0, 0), rr(u16(0xc000 | end), 1, b'\1\2\3\4'))
    if mode == 'self':
        return echo(msg, 0x0180, (1, 0, 0), rr(here, 5, u16(0xc000 | (end + 12))))
    if mode == 'fwd':
        return echo(msg, 0x0180, (1, 0, 0), rr(u16(0xc000 | (end + 16)), 1, b'\1\2\3\4') + b'\3abc\0')
    if mode == 'cut':
        return echo(msg, 0x0180, (2, 0, 0), rr(here, 1, b'\1\2\3\4') + rr(here, 1, b'\1\2', 4))
    if mode == 'count':
        return echo(msg, 0x0180, (60000, 0, 0), rr(here, 1, b'\1\2\3\4'))
    if mode == 'rdlen':
        return echo(msg, 0x0180, (4, 0, 0), rr(here, 1, b'\1\2\3') + rr(here, 1, b'\1\2\3\4\5') + rr(here, 15, b'\0') + rr(here, 16, b'\5ab'))
    if mode == 'esc':
        cname = string(b'\x1b[2J\x07evil') + string(b'dot.in"side') + string('\u202e\u0430'.encode()) + b'\0'
        txt = string(b'\x1b]0;owned\x07\x1b[31m"red"\\') + string('\u202egnp.exe'.encode()) + string(b'\xff\x9b31m\r\n\t')
        return echo(msg, 0x0180, (2, 0, 0), rr(here, 5, cname) + rr(cname, question(msg)[3], txt if question(msg)[3] != 1 else b'\1\2\3\4'))
    if mode == 'names':
        longest = (b'\x3f' + b'a' * 63) * 3 + b'\x3d' + b'b' * 61 + b'\0'
        control = (b'\x1f' + bytes(range(31))) * 7 + b'\0'
        single = b'\1x' * 127 + b'\0'
        return echo(msg, 0x0180, (3, 0, 0), rr(here, 5, longest) + rr(here, 5, control) + rr(here, 5, single))
    if mode.startswith('tc') or mode == 'silent':
        return echo(msg, 0x0380) if mode != 'silent' and limit < 65535 else None
    return answer(msg, limit)


def forged(mode, msg, true):
    """What comes before the true reply."""
    if mode == 'wrongid':
        return [bytes([true[0] ^ 1]) + true[1:]]
    if mode == 'wrongq':
        at = 13
        return [true[:at] + bytes([true[at] ^ 2]) + true[at + 1:]]
    if mode == 'wrongqr':
        return [true[:2] + bytes([true[2] & 0x7f]) + true[3:]]
    if mode == 'flood':
        return [u16((struct.unpack('>H', true[:2])[0] + i) & 0xffff) + true[2:] for i in range(1, 400)]
    return []


def scripted(sock, msg, peer, seen):
    """Does the script deal with this question?"""
    _, _, ls, type_, _, _, _ = question(msg)
    word = ls[0].decode('latin1').lower()
    if word.startswith('lose1') and (peer[1], type_) not in seen:
        seen.add((peer[1], type_))
        return True
    if word.startswith('noaaaa') and type_ == 28:
        return True
    if word.startswith('late') and os.fork() == 0:
        time.sleep(2.5)
        sock.sendto(answer(msg, question(msg)[6] or 512), peer)
        os._exit(0)
    return word.startswith('late')


SEEN = set()


def serve_udp(sock, mode, log):
    msg, peer = sock.recvfrom(4096)
    log('udp', peer[1], msg)
    if mode == 'script' and scripted(sock, msg, peer, SEEN):
        return
    if mode == 'slow':
        time.sleep(0.3)
    reply = hostile(mode, msg, question(msg)[6] or 512)
    if reply is None:
        return
    for f in forged(mode, msg, reply):
        sock.sendto(f, peer)
    if mode != 'flood':
        sock.sendto(reply, peer)


def take(sock, n):
    b = b''
    while len(b) < n:
        more = sock.recv(n - len(b))
        if not more:
            return b
        b += more
    return b


def send_slowly(sock, frame, mode):
    """What a mode makes of its answer; False: nothing more will come."""
    if mode == 'tcstall':
        time.sleep(20)
    elif mode == 'tcdribble':
        for i in range(0, len(frame)):
            sock.send(frame[i:i + 1])
            time.sleep(1)
    elif mode == 'tccut':
        sock.send(frame[:len(frame) // 2])
    else:
        sock.sendall(frame)
        return True
    return False


def answer_tcp(sock, port, mode, log):
    """Several questions may come in one connection (RFC 7766 6.2.1)."""
    sock.settimeout(20)
    while True:
        msg = take(sock, struct.unpack('>H', take(sock, 2))[0])
        log('tcp', port, msg)
        reply = hostile('ok' if mode.startswith('tc') or mode == 'flood' else mode, msg, 65535)
        if reply is not None and not send_slowly(sock, struct.pack('>H', len(reply)) + reply, mode):
            return


def serve_tcp(listener, mode, log):
    sock, peer = listener.accept()
    if os.fork() == 0:
        try:
            listener.close()
            answer_tcp(sock, peer[1], mode, log)
        except (OSError, IndexError, struct.error):
            pass
        finally:
            os._exit(0)
    sock.close()


def listen(address, port, mode):
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    for _ in range(50):
        udp = socket.socket(family, socket.SOCK_DGRAM)
        tcp = socket.socket(family, socket.SOCK_STREAM)
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        udp.bind((address, port))
        try:
            tcp.bind((address, udp.getsockname()[1]))
        except OSError:
            if port:
                raise
            continue
        if mode == 'tcrefuse':
            tcp.close()
            tcp = None
        else:
            tcp.listen(64)
        return udp, tcp
    raise OSError('no free port')


def main():
    mode, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    end = time.time() + float(sys.argv[4] if len(sys.argv) > 4 else 60)
    logfile = open(sys.argv[5], 'a', buffering=1) if len(sys.argv) > 5 else None

    def log(transport, client, msg):
        if logfile:
            q = question(msg)
            logfile.write('%s %d %d %s %s %s\n' % (transport, client, q[0], b'.'.join(q[2]).decode('latin1').encode('unicode_escape').decode(),
                                                   NUMBER.get(q[3], q[3]), 'edns' if q[6] else '-'))

    udp, tcp = listen(address, port, mode)
    print('ready %d' % udp.getsockname()[1], flush=True)
    socks = [s for s in (udp, tcp) if s]
    while time.time() < end:
        for s in select.select(socks, [], [], max(0, min(1, end - time.time())))[0]:
            try:
                serve_udp(s, mode, log) if s is udp else serve_tcp(s, mode, log)
            except (OSError, IndexError, struct.error):
                pass
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass


if __name__ == '__main__':
    main()
