#!/usr/bin/env python3
"""rawcheck.py [--screen] FILE: may these bytes go to a terminal? Prints what may not and exits 1.

Without --screen (pipes, tables, JSON): no control byte but newline and tab, no C1, no bidi or invisible direction marks, valid UTF-8.
With --screen (a recording of the curses app): also the sequences that a curses program sends, nothing else: no titles (OSC), no device
strings (DCS, APC, PM), no resets, no reports, no C1.
"""
import re
import sys

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
# CSI as terminfo of tmux and xterm use it, private modes, charset and keypad switches, the title stack of smcup and rmcup. Queries (n, c),
# resets, other window operations and the like are not in it.
CURSES = re.compile(
    rb"\x1b\[[0-9;:]*[ABCDEFGHJKLMPSTXZ@bdefmr]"
    rb"|\x1b\[\??[0-9;]*[hl]"
    rb"|\x1b\[2[23];0;0t|\x1b\[!p|\x1b\[[0-9]* q"
    rb"|\x1b[()*+][A-Z0-9<>]|\x1b[=>78MDE]")


def complaints(data, screen):
    if screen:
        data = CURSES.sub(b"", data)
        data = data.replace(b"\r", b"").replace(b"\x0e", b"").replace(b"\x0f", b"").replace(b"\x08", b"")
    for match in re.finditer(rb"[\x00-\x08\x0b-\x1f\x7f]", data):
        yield match.start(), "control byte " + around(data, match.start())
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        yield error.start, "not UTF-8 " + around(data, error.start)
        text = data.decode("utf-8", "replace").replace("\ufffd", "")
    for match in re.finditer(f"[\x80-\x9f{BIDI}]", text):
        yield match.start(), f"U+{ord(match[0]):04X} in {text[max(0, match.start() - 20):match.start() + 20]!r}"


def around(data, at):
    return repr(data[max(0, at - 20):at + 30])


def main():
    args = [a for a in sys.argv[1:] if a != "--screen"]
    with open(args[0], "rb") as file:
        data = file.read()
    if "--screen" in sys.argv:  # script(1) writes a line of its own at both ends
        data = re.sub(rb"\AScript started[^\n]*\n|\n?Script done[^\n]*\n?\Z", b"", data)
    found = list(complaints(data, "--screen" in sys.argv))
    for at, what in found[:10]:
        print(f"byte {at}: {what}")
    sys.exit(1 if found else 0)


main()
