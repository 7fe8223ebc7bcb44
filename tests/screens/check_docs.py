#!/usr/bin/env python3
"""README.md: its keys are the program's, its pictures exist, its commands run."""
import os
import re
import subprocess
import sys
import xml.dom.minidom

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import ROOT, Checks, nsdbg

with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as readme:
    README = readme.read()


def keys(t):
    block = re.search(r"<!-- keys -->\n(.*?)<!-- /keys -->", README, re.S)
    said = nsdbg("--print-keys").stdout.decode()
    t.ok("README: its keys are those of the program (tests/screens/readme-keys.sh writes them)",
         block and said.strip() and block[1].strip() == said.strip(), said[:300])


def pictures(t):
    for name in re.findall(r"\((screenshots/[^)]+)\)|src=\"(screenshots/[^\"]+)\"", README):
        path = name[0] or name[1]
        t.ok(f"README: {path} is there", os.path.exists(os.path.join(ROOT, path)))
    for name in sorted(os.listdir(os.path.join(ROOT, "screenshots"))):
        with open(os.path.join(ROOT, "screenshots", name), encoding="utf-8") as file:
            svg = file.read()
        t.ok(f"screenshots/{name} is a whole picture of text", svg.endswith("</svg>\n") and svg.count("<text") > 10)


def drawing(t):
    """ansi2svg.py itself: colours, reverse, lines, wide characters, nothing that breaks XML."""
    capture = "\x1b[1;31mred & <b>\x1b[0m │ ▅ \x1b[7mrev\x1b[27m \x1b[38;5;82m8bit\x1b[48;2;1;2;3mtrue\x1b[m 漢字 ⣿\n"
    svg = subprocess.run([sys.executable, os.path.join(ROOT, "tests/screens/ansi2svg.py"), "40", "2", "a & b"], input=capture.encode(),
                         capture_output=True, check=True).stdout.decode()
    xml.dom.minidom.parseString(svg)
    t.ok("ansi2svg: text, colours and shapes", all(s in svg for s in ("red &amp; &lt;b&gt;", 'font-weight="700"', "#010203", "#5fff00", "<path", "<circle")))


Checks().run(keys, pictures, drawing)
