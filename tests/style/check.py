#!/usr/bin/env python3
"""The house's rules that a program can check: who may include whom, who may print, sizes, forbidden words, headers that stand alone."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import ROOT, Checks

FOLDERS = ("core", "capture", "tui")
BELOW = {"core": {"core"}, "capture": {"core", "capture"}, "tui": {"core", "capture", "tui"}}
FORBIDDEN = r"\b(goto|gets|strcpy|strcat|sprintf|vsprintf|strtok|asctime|ctime|gethostbyname|getaddrinfo|system|popen|tmpnam|mktemp)\b *\(?"

# The name in tcp://NAME:2375, looked up by a process that is nobody and holds nothing yet.
ALLOWED = {("core/engine/mover.c", "getaddrinfo")}


def sources():
    for folder in FOLDERS:
        for path, _, names in os.walk(os.path.join(ROOT, folder)):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    with open(os.path.join(path, name), encoding="utf-8") as file:
                        yield folder, os.path.relpath(os.path.join(path, name), ROOT), file.read()


def code_only(text):
    """Without comments and without what stands in strings; lines stay where they are."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match[0])
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', blank, text, flags=re.S)


def includes_go_one_way(t):
    wrong = []
    for folder, path, text in sources():
        for include in re.findall(r'^#include "([^"]+)"', text, re.M):
            top = include.split("/")[0]
            if top in BELOW and top not in BELOW[folder]:
                wrong.append(f"{path} includes {include}")
    t.ok("includes go one way: tui, capture, core", not wrong, wrong)
    curses = [path for _, path, text in sources() if re.search(r"#include <(n?curses|panel|ncursesw/)", text) and path not in ("tui/screen.c", "tui/terminfo.c")]
    t.ok("curses is included by tui/screen.c and tui/terminfo.c alone", not curses, curses)


def nobody_below_prints(t):
    wrong = [f"{path}: {found[0]}" for folder, path, text in sources() if folder != "tui"
             for found in re.finditer(r"\b(printf|vprintf|puts|putchar|perror)\s*\(|\bstd(out|err)\b", code_only(text))]
    t.ok("core and capture never print", not wrong, wrong)


def forbidden_words(t):
    wrong = [f"{path}: {found[0].strip()}" for _, path, text in sources() for found in re.finditer(FORBIDDEN, code_only(text))
             if (path, found[1]) not in ALLOWED]
    t.ok("no goto, no unbounded string functions, no shell, no libc resolver", not wrong, wrong)


def functions(text):
    """(name, lines) of each function body: from the { in the first column to the } in the first column."""
    lines = code_only(text).split("\n")
    start = None
    for number, line in enumerate(lines):
        if line == "{":
            start = number
            head = " ".join(lines[max(0, number - 4):number])
            name = re.findall(r"(\w+)\s*\(", head)
        elif line == "}" and start is not None:
            yield (name[-1] if name else "?"), number - start + 1
            start = None


def sizes(t):
    long_files = [f"{path} {text.count(chr(10))}" for _, path, text in sources() if text.count("\n") > 1000]
    t.ok("no file is over 1000 lines", not long_files, long_files)
    all_functions = [(path, name, n) for _, path, text in sources() if path.endswith(".c") for name, n in functions(text)]
    too_long = [f"{path} {name} {n}" for path, name, n in all_functions if n > 80]
    t.ok("no function is over 80 lines", not too_long, too_long)
    lengths = sorted(n for _, _, n in all_functions) or [0]
    print(f"# {len(lengths)} functions: median {lengths[len(lengths) // 2]}, 90 % within {lengths[len(lengths) * 9 // 10]}, longest {lengths[-1]} lines")


def no_mutable_globals(t):
    """A name at file scope that is neither const nor a type, a prototype or an extern const."""
    wrong = []
    for _, path, text in sources():
        for line in code_only(text).split("\n"):
            if re.match(r"^(static |extern )?(?!const\b)(struct \w+ |unsigned |int |bool |char |size_t |u?int\d+_t |volatile )[^()]*(=|;)", line) and "const" not in line:
                wrong.append(f"{path}: {line.strip()}")
    wrong = [w for w in wrong if not re.match(r"\S+: struct \w+;$", w) and "sig_atomic_t" not in w]
    t.ok("no mutable state at file scope", len(wrong) <= ALLOWED_GLOBALS, wrong)


ALLOWED_GLOBALS = 1  # the hook that restores the terminal on a crash


def headers_stand_alone(t):
    broken = []
    for _, path, _ in sources():
        if path.endswith(".h"):
            result = subprocess.run(["cc", "-std=gnu17", "-D_GNU_SOURCE", "-fsyntax-only", "-I", ROOT, "-x", "c", "-"], input=f'#include "{path}"\n'.encode(),
                                    capture_output=True)
            if result.returncode:
                broken.append(path + ": " + result.stderr.decode().split("\n")[0])
    t.ok("every header compiles alone", not broken, broken)


def shell_scripts(t):
    scripts = [os.path.join(path, name) for path, _, names in os.walk(os.path.join(ROOT, "tests")) for name in names if name.endswith(".sh")]
    for path in (*scripts, os.path.join(ROOT, "quickstart"), os.path.join(ROOT, ".ci/run")):
        result = subprocess.run(["bash", "-n", path], capture_output=True)
        if result.returncode:
            t.ok(f"{path} is valid bash", False, result.stderr.decode())
    t.ok("the shell scripts are valid bash")


Checks().run(includes_go_one_way, nobody_below_prints, forbidden_words, sizes, no_mutable_globals, headers_stand_alone, shell_scripts)
