#!/usr/bin/env python3
"""meson-tap.py TESTLOG.json: meson's report as TAP lines, one for each check that a test program made."""
import json
import re
import sys

BAD = {"FAIL", "TIMEOUT", "ERROR", "INTERRUPT", "UNEXPECTEDPASS"}


def checks(entry):
    """Lines of one test program: its own TAP when it speaks that, else one line for the whole."""
    lines = re.findall(r"^(not ok|ok) (\d+)? ?(?:- )?(.*)$", entry.get("stdout", ""), re.M)
    for verdict, _, name in lines:
        yield f"{verdict} - {entry['name']}: {name}"
    if entry["result"] in BAD and not any(v == "not ok" for v, _, _ in lines):
        yield f"not ok - {entry['name']}: {entry['result'].lower()}, see meson-logs/testlog.txt"
    elif not lines:
        yield f"ok - {entry['name']}" + (" # SKIP see meson-logs" if entry["result"] == "SKIP" else "")


def main():
    with open(sys.argv[1], encoding="utf-8", errors="replace") as log:
        for line in log:
            print("\n".join(checks(json.loads(line))))


main()
