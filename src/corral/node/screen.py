"""A terminal's screen: bytes that programs write become cells. Sans-I/O.

Knows what TERM=linux promises as far as shells, pagers and editors use it: cursor, erasing, inserting, scroll regions,
sixteen colors, UTF-8, the alternate screen.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from typing import NamedTuple

MAX_SIZE = 512
_DRAWN = {"─": "-", "━": "-", "│": "|", "┃": "|", "═": "=", "║": "|", "•": "*", "–": "-", "—": "-", "…": ".",
          "‘": "'", "’": "'", "“": '"', "”": '"', "█": "#", "▒": "#", "→": ">", "←": "<"}  # fmt: skip
_LINES = dict(zip("jklmnqtuvwx", "+++++-++++|", strict=True))
_CSI = re.compile(r"\x1b\[([?>=!]?)([0-9;]*)[ -/]*([@-~])")
_OSC = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_PARTIAL = re.compile(r"\x1b(?:\[[?>=!]?[0-9;]*[ -/]*|\][^\x07\x1b]{0,4096}\x1b?|[ -/]*)?\Z")


class Cell(NamedTuple):
    """A character with the numbers of its colors (0..15)."""

    char: str = " "
    ink: int = 7
    paper: int = 0


BLANK = Cell()


class Pen(NamedTuple):
    """How the next character is drawn."""

    ink: int = 7
    paper: int = 0
    bold: bool = False
    reverse: bool = False

    def cell(self, char: str) -> Cell:
        """The cell that it draws."""
        ink = self.ink + 8 if self.bold and self.ink < 8 else self.ink
        return Cell(char, self.paper, ink) if self.reverse else Cell(char, ink, self.paper)


class Screen:
    """`rows` are the cells; `dirty` the numbers of rows changed since somebody emptied it.

    `reply` is called with what the terminal answers to programs that ask.
    """

    def __init__(self, columns: int = 80, lines: int = 24, reply: Callable[[bytes], None] = lambda _: None) -> None:
        self.columns, self.lines = columns, lines
        self._reply = reply
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._saved_screen: list[list[Cell]] | None = None
        self._reset()

    def _reset(self) -> None:
        self.rows = [self._blank() for _ in range(self.lines)]
        self.dirty: set[int] = set(range(self.lines))
        self.x = self.y = 0
        self.pen = Pen()
        self.top, self.bottom = 0, self.lines - 1
        self.cursor_shown, self.application_keys = True, False
        self._wrap = self._drawing = False
        self._saved = (0, 0, Pen())

    def _blank(self) -> list[Cell]:
        return [BLANK] * self.columns

    def feed(self, data: bytes) -> None:
        """Take what a program wrote."""
        text = self._rest + self._decoder.decode(data)
        self._rest = ""
        self.dirty.add(self.y)
        at = 0
        while at < len(text):
            char = text[at]
            if char == "\x1b":
                taken = self._escape(text, at)
                if taken == 0:
                    self._rest = text[at:]
                    break
                at += taken
                continue
            at += 1
            if char >= " " and char != "\x7f":
                self._put(char)
            else:
                self._control(char)
        self.dirty.add(self.y)

    # --- characters ---------------------------------------------------------------------------------------------

    def _put(self, char: str) -> None:
        if self._wrap:
            self.x, self._wrap = 0, False
            self._down()
        if self._drawing:
            char = _LINES.get(char, char)
        self.rows[self.y][self.x] = self.pen.cell(_DRAWN.get(char, char))
        self.dirty.add(self.y)
        if self.x == self.columns - 1:
            self._wrap = True
        else:
            self.x += 1

    def _control(self, char: str) -> None:
        self._wrap = False
        match char:
            case "\n" | "\x0b" | "\x0c":
                self._down()
            case "\r":
                self.x = 0
            case "\b":
                self.x = max(0, self.x - 1)
            case "\t":
                self.x = min(self.columns - 1, (self.x // 8 + 1) * 8)
            case "\x0e":
                self._drawing = True
            case "\x0f":
                self._drawing = False

    def _down(self) -> None:
        self.dirty.add(self.y)
        if self.y == self.bottom:
            self._scroll(self.top, 1)
        else:
            self.y = min(self.lines - 1, self.y + 1)
        self.dirty.add(self.y)

    def _scroll(self, first: int, count: int) -> None:
        """Move the lines of `first`..bottom up by `count`, down if it is negative."""
        region = self.rows[first : self.bottom + 1]
        size = len(region)
        moved = min(abs(count), size)
        fresh = [self._blank() for _ in range(moved)]
        self.rows[first : self.bottom + 1] = region[moved:] + fresh if count > 0 else fresh + region[: size - moved]
        self.dirty.update(range(first, self.bottom + 1))

    # --- escape sequences ---------------------------------------------------------------------------------------

    def _escape(self, text: str, at: int) -> int:
        """Handle the sequence at `at`; answers its length, 0 if more has to come."""
        if match := _CSI.match(text, at):
            self._wrap = False
            self._csi(match[1], [int(word[:5] or 0) for word in match[2].split(";")], match[3])
            return len(match[0])
        if match := _OSC.match(text, at):
            return len(match[0])
        if _PARTIAL.match(text, at):
            return 0
        following = text[at + 1]
        if following in "()*+":
            if following == "(":
                self._drawing = text[at + 2 : at + 3] == "0"
            return 3
        self._single(following)
        return 2

    def _single(self, char: str) -> None:
        match char:
            case "7":
                self._saved = (self.x, self.y, self.pen)
            case "8":
                self._restore()
            case "c":
                self._reset()
            case "D":
                self._down()
            case "E":
                self.x = 0
                self._down()
            case "M":
                if self.y == self.top:
                    self._scroll(self.top, -1)
                else:
                    self.y = max(0, self.y - 1)

    def _restore(self) -> None:
        self.x, self.y, self.pen = self._saved
        self.dirty.add(self.y)

    def _csi(self, mark: str, numbers: list[int], final: str) -> None:
        if mark == "?":
            if final in "hl":
                for number in numbers:
                    self._mode(number, on=final == "h")
            return
        if mark:
            return
        count = min(max(1, numbers[0]), MAX_SIZE)
        if final in "ABCDEFGHdf`ae":
            self._move(final, numbers, count)
        elif final in "JKX@PLMSTr":
            self._edit(final, numbers, count)
        elif final == "m":
            self._paint(numbers)
        elif final == "s":
            self._saved = (self.x, self.y, self.pen)
        elif final == "u":
            self._restore()
        elif final == "c":
            self._reply(b"\x1b[?6c")
        elif final == "n":
            self._reply(b"\x1b[0n" if numbers[0] == 5 else f"\x1b[{self.y + 1};{self.x + 1}R".encode())

    def _mode(self, number: int, *, on: bool) -> None:
        if number == 1:
            self.application_keys = on
        elif number == 25:
            self.cursor_shown = on
        elif number in (47, 1047, 1049):
            if on and self._saved_screen is None:
                self._saved_screen = self.rows
                self._saved = (self.x, self.y, self.pen)
                self.rows = [self._blank() for _ in range(self.lines)]
            elif not on and self._saved_screen is not None:
                self.rows, self._saved_screen = self._saved_screen, None
                self._restore()
            self.dirty.update(range(self.lines))

    def _move(self, final: str, numbers: list[int], count: int) -> None:
        self.dirty.add(self.y)
        x, y = self.x, self.y
        match final:
            case "A":
                y -= count
            case "B" | "e":
                y += count
            case "C" | "a":
                x += count
            case "D":
                x -= count
            case "E":
                x, y = 0, y + count
            case "F":
                x, y = 0, y - count
            case "G" | "`":
                x = count - 1
            case "d":
                y = count - 1
            case _:
                x = (numbers[1] if len(numbers) > 1 and numbers[1] else 1) - 1
                y = count - 1
        self.x, self.y = min(max(0, x), self.columns - 1), min(max(0, y), self.lines - 1)

    def _edit(self, final: str, numbers: list[int], count: int) -> None:
        row = self.rows[self.y]
        match final:
            case "J":
                self._erase_lines(numbers[0])
            case "K":
                self._erase(self.y, *((self.x, self.columns), (0, self.x + 1), (0, self.columns))[min(numbers[0], 2)])
            case "X":
                self._erase(self.y, self.x, min(self.columns, self.x + count))
            case "@":
                self.rows[self.y] = (row[: self.x] + [BLANK] * count + row[self.x :])[: self.columns]
            case "P":
                self.rows[self.y] = (row[: self.x] + row[self.x + count :] + [BLANK] * count)[: self.columns]
            case "L" | "M":
                if self.top <= self.y <= self.bottom:
                    self._scroll(self.y, count if final == "M" else -count)
            case "S" | "T":
                self._scroll(self.top, count if final == "S" else -count)
            case "r":
                self._region(numbers)
        self.dirty.add(self.y)

    def _region(self, numbers: list[int]) -> None:
        top = max(1, numbers[0]) - 1
        bottom = min((numbers[1] if len(numbers) > 1 else 0) or self.lines, self.lines) - 1
        if top < bottom:
            self.top, self.bottom = top, bottom
            self.x = self.y = 0

    def _erase_lines(self, which: int) -> None:
        if which == 0:
            self._erase(self.y, self.x, self.columns)
            wanted = range(self.y + 1, self.lines)
        elif which == 1:
            self._erase(self.y, 0, self.x + 1)
            wanted = range(self.y)
        else:
            wanted = range(self.lines)
        for line in wanted:
            self._erase(line, 0, self.columns)

    def _erase(self, line: int, first: int, last: int) -> None:
        self.rows[line][first:last] = [self.pen._replace(reverse=False).cell(" ")] * max(0, last - first)
        self.dirty.add(line)

    def _paint(self, numbers: list[int]) -> None:
        waiting = list(numbers)
        while waiting:
            number = waiting.pop(0)
            if number in (38, 48):
                color = _extended(waiting)
                self.pen = self.pen._replace(ink=color) if number == 38 else self.pen._replace(paper=color)
            else:
                self.pen = _painted(self.pen, number)


def _painted(pen: Pen, number: int) -> Pen:
    simple = {0: Pen(), 1: pen._replace(bold=True), 7: pen._replace(reverse=True), 22: pen._replace(bold=False),
              27: pen._replace(reverse=False), 39: pen._replace(ink=7), 49: pen._replace(paper=0)}  # fmt: skip
    if number in simple:
        return simple[number]
    for first, field, offset in ((30, "ink", 0), (40, "paper", 0), (90, "ink", 8), (100, "paper", 8)):
        if first <= number < first + 8:
            return pen._replace(**{field: number - first + offset})  # type: ignore[arg-type]  # both are numbers
    return pen


def _extended(waiting: list[int]) -> int:
    """One of sixteen colors for `5;N` or `2;R;G;B`, whose numbers are taken from `waiting`."""
    kind = waiting.pop(0) if waiting else 0
    taken = [waiting.pop(0) for _ in range(min(len(waiting), {5: 1, 2: 3}.get(kind, 0)))]
    if kind == 5 and taken and taken[0] < 16:
        return taken[0]
    if kind == 2 and len(taken) == 3:
        return sum(bit for bit, part in zip((1, 2, 4), taken, strict=True) if part > 100)
    return 7
