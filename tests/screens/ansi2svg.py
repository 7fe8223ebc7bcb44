#!/usr/bin/env python3
"""ansi2svg.py COLUMNS ROWS TITLE < CAPTURE > PICTURE.svg: a terminal's cells as a picture.

CAPTURE is what `tmux capture-pane -e -p -N` prints: text with SGR sequences and nothing else. Lines, corners, blocks and braille are
drawn as shapes, so that they join whatever font the viewer has; text is set in runs of equal style, stretched to the cell grid. The
same bytes in give the same bytes out.
"""
import re
import sys
import unicodedata
from dataclasses import dataclass, replace
from xml.sax.saxutils import escape

CELL_W, CELL_H, SIZE, BASE = 8.4, 18, 14, 13.5
PAD, BAR = 14, 30
PAPER, INK = "#14171c", "#d5d9e0"
NAMED = ("#1f232b #e06c75 #7fbf7f #d8b25e #6ea0e0 #b98bd0 #5fb4b8 #c5cad3 "
         "#6d7583 #ff8a90 #a2dba2 #f2d087 #95bff5 #d5abe8 #8cd8dc #ffffff").split()


@dataclass(frozen=True)
class Style:
    ink: str = ""  # "" = the terminal's own
    paper: str = ""
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    reverse: bool = False

    def colours(self):
        ink, paper = self.ink or INK, self.paper or PAPER
        return (paper, ink) if self.reverse else (ink, paper)


FLAGS = {1: {"bold": True}, 2: {"dim": True}, 3: {"italic": True}, 4: {"underline": True}, 7: {"reverse": True},
         22: {"bold": False, "dim": False}, 23: {"italic": False}, 24: {"underline": False}, 27: {"reverse": False},
         39: {"ink": ""}, 49: {"paper": ""}}


def palette(n):
    """Colour n of the 256: 16 named, a 6x6x6 cube, 24 greys."""
    if n < 16:
        return NAMED[n]
    if n >= 232:
        return "#" + f"{8 + (n - 232) * 10:02x}" * 3
    steps = (0, 95, 135, 175, 215, 255)
    n -= 16
    return "#%02x%02x%02x" % (steps[n // 36], steps[n // 6 % 6], steps[n % 6])


def restyle(style, parameters):
    """Applies one SGR sequence."""
    todo = [int(p or 0) for p in re.split("[;:]", parameters)]
    while todo:
        n = todo.pop(0)
        if n == 0:
            style = Style()
        elif n in FLAGS:
            style = replace(style, **FLAGS[n])
        elif n in (38, 48):
            kind = todo.pop(0)
            colour = palette(todo.pop(0)) if kind == 5 else "#%02x%02x%02x" % (todo.pop(0), todo.pop(0), todo.pop(0))
            style = replace(style, **{"ink" if n == 38 else "paper": colour})
        elif n // 10 in (3, 4, 9, 10):
            base = 8 if n >= 90 else 0
            style = replace(style, **{"ink" if n // 10 in (3, 9) else "paper": NAMED[base + n % 10]})
    return style


def cells_of(line, style):
    """[(text, style, columns)] of one line, and the style that goes on to the next."""
    cells = []
    for sequence, parameters, char in re.findall(r"(\x1b\[([0-9;:]*)m)|(?:\x1b\[[0-9;?]*[A-Za-z])|(.)", line):
        if sequence:
            style = restyle(style, parameters)
        elif char and unicodedata.combining(char) and cells:
            cells[-1] = (cells[-1][0] + char, *cells[-1][1:])
        elif char:
            cells.append((char, style, 2 if unicodedata.east_asian_width(char) in "WF" else 1))
    return cells, style


# --- shapes: each takes the cell's left, top and ink ---

LEFT, RIGHT, UP, DOWN = 1, 2, 4, 8
LINES = {"─": 3, "│": 12, "┌": 10, "┐": 9, "└": 6, "┘": 5, "├": 14, "┤": 13, "┬": 11, "┴": 7, "┼": 15,
         "╭": 10, "╮": 9, "╰": 6, "╯": 5, "╴": 1, "╶": 2, "╵": 4, "╷": 8, "━": 3, "┃": 12}


def line_shape(char, x, y, ink):
    arms, width = LINES[char], 2.6 if char in "━┃" else 1.3
    cx, cy, r = x + CELL_W / 2, y + CELL_H / 2, 0.15
    path = "".join(f"M{cx:.2f} {cy}L{ex:.2f} {ey:.2f}" for arm, ex, ey in (
        (LEFT, x - r, cy), (RIGHT, x + CELL_W + r, cy), (UP, cx, y - r), (DOWN, cx, y + CELL_H + r)) if arms & arm)
    return f'<path d="{path}" stroke="{ink}" stroke-width="{width}" stroke-linecap="square"/>'


def box(x, y, w, h, ink, opacity=""):
    return f'<rect x="{x:.2f}" y="{y:.2f}" width="{w:.2f}" height="{h:.2f}" fill="{ink}"{opacity}/>'


def shape(char, x, y, ink):
    """The cell's drawing, or None when it is a letter."""
    code = ord(char[0])
    if char in LINES:
        return line_shape(char, x, y, ink)
    if 0x2581 <= code <= 0x2588:
        height = CELL_H * (code - 0x2580) / 8
        return box(x, y + CELL_H - height, CELL_W + 0.2, height, ink)
    if 0x2589 <= code <= 0x258F:
        return box(x, y, CELL_W * (0x2590 - code) / 8, CELL_H, ink)
    if char in "░▒▓":
        return box(x, y, CELL_W + 0.2, CELL_H, ink, f' opacity="{0.25 * (1 + "░▒▓".index(char))}"')
    if 0x2800 <= code <= 0x28FF:
        dots = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
        return "".join(f'<circle cx="{x + CELL_W * (0.28 + 0.44 * dx):.2f}" cy="{y + CELL_H * (0.14 + 0.24 * dy):.2f}" r="1.1" fill="{ink}"/>'
                       for bit, (dx, dy) in enumerate(dots) if code >> bit & 1)
    return None


def text_run(text, style, columns, x, y):
    ink = style.colours()[0]
    attributes = "".join((' font-weight="700"' if style.bold else "", ' opacity=".65"' if style.dim else "",
                          ' font-style="italic"' if style.italic else "", ' text-decoration="underline"' if style.underline else ""))
    return (f'<text x="{x:.2f}" y="{y + BASE:.2f}" fill="{ink}" textLength="{columns * CELL_W:.2f}" xml:space="preserve"'
            f"{attributes}>{escape(text)}</text>")


def row_svg(cells, y):
    papers, marks, column, run = [], [], 0, None  # run: [text, style, first column, columns]

    def flush():
        if run and run[0].strip():
            text = run[0] if run[1].underline else run[0].rstrip()
            marks.append(text_run(text, run[1], run[3] - (len(run[0]) - len(text)), PAD + run[2] * CELL_W, y))

    for text, style, columns in cells:
        x = PAD + column * CELL_W
        ink, paper = style.colours()
        if papers and papers[-1][2] == paper and papers[-1][0] + papers[-1][1] == column:
            papers[-1][1] += columns
        elif paper != PAPER:
            papers.append([column, columns, paper])
        drawing = shape(text, x, y, ink)
        if drawing:
            flush()
            run = None
            marks.append(drawing)
        elif run and run[1] == style and columns == 1:
            run[0] += text
            run[3] += 1
        else:
            flush()
            run = [text, style, column, columns] if columns == 1 else None
            if columns == 2:
                marks.append(text_run(text, style, 2, x, y))
        column += columns
    flush()
    return [box(PAD + first * CELL_W, y, n * CELL_W + 0.3, CELL_H + 0.3, paper) for first, n, paper in papers] + marks


def picture(columns, rows, title, capture):
    width, height = columns * CELL_W + 2 * PAD, rows * CELL_H + PAD + BAR
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" viewBox="0 0 {width:.0f} {height}" '
           f'font-family="Hack, \'DejaVu Sans Mono\', Menlo, Consolas, monospace" font-size="{SIZE}" fill="none">',
           f'<rect width="100%" height="100%" rx="8" fill="{PAPER}"/>']
    out += [f'<circle cx="{18 + i * 16}" cy="16" r="5" fill="{c}"/>' for i, c in enumerate((NAMED[1], NAMED[3], NAMED[2]))]
    out.append(f'<text x="{width / 2:.0f}" y="20" fill="#8b93a1" text-anchor="middle" font-size="12">{escape(title)}</text>')
    style = Style()
    for number, line in enumerate(capture.split("\n")[:rows]):
        cells, style = cells_of(line, style)
        out += row_svg(cells, BAR + number * CELL_H)
    return "\n".join([*out, "</svg>", ""])


if __name__ == "__main__":
    sys.stdin.reconfigure(encoding="utf-8", errors="replace")
    sys.stdout.write(picture(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.stdin.read()))
