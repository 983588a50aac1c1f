"""The terminal's screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.node.screen import Cell, Screen


def text(screen: Screen) -> list[str]:
    return ["".join(cell.char for cell in row).rstrip() for row in screen.rows]


def shown(data: bytes, columns: int = 10, lines: int = 4) -> list[str]:
    screen = Screen(columns, lines)
    screen.feed(data)
    return text(screen)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"hello\r\nworld", ["hello", "world", "", ""]),
        (b"0123456789ab", ["0123456789", "ab", "", ""]),
        (b"0123456789\r\nab", ["0123456789", "ab", "", ""]),
        (b"1\r\n2\r\n3\r\n4\r\n5", ["2", "3", "4", "5"]),
        (b"abc\b\bX", ["aXc", "", "", ""]),
        (b"a\tb", ["a       b", "", "", ""]),
        (b"abc\x1b[2DX\x1b[K", ["aX", "", "", ""]),
        (b"abc\x1b[1K", ["", "", "", ""]),
        (b"one\x1b[2;3Htwo\x1b[Hx", ["xne", "  two", "", ""]),
        (b"a\r\nb\r\nc\x1b[2;1H\x1b[J", ["a", "", "", ""]),
        (b"a\r\nb\x1b[2J", ["", "", "", ""]),
        (b"abcd\x1b[1;2H\x1b[P", ["acd", "", "", ""]),
        (b"abcd\x1b[1;2H\x1b[2@", ["a  bcd", "", "", ""]),
        (b"abcd\x1b[1;2H\x1b[2X", ["a  d", "", "", ""]),
        (b"1\r\n2\r\n3\x1b[2;1H\x1b[L", ["1", "", "2", "3"]),
        (b"1\r\n2\r\n3\x1b[1;1H\x1b[M", ["2", "3", "", ""]),
        (b"\x1b[1;2r\x1b[1;1H1\r\n2\r\n3", ["2", "3", "", ""]),
        (b"1\x1b[H\x1bMtop", ["top", "1", "", ""]),
        (b"old\x1b[?1049h\x1b[Hnew\x1b[?1049l", ["old", "", "", ""]),
        ("grün ─".encode(), ["grün -", "", "", ""]),
        (b"\x1b]0;title\x07ok\x1b]2;t\x1b\\!", ["ok!", "", "", ""]),
        (b"\x1b(0lqk\x1b(Bx", ["+-+x", "", "", ""]),
        (b"x\x1b[99999999C\x1b[999ByX", ["", "", "         y", "X"]),
    ],
)
def test_what_programs_write_is_where_they_mean(data: bytes, expected: list[str]) -> None:
    assert shown(data) == expected
    pieces = Screen(10, 4)
    for byte in data:  # it does not matter how the bytes are cut
        pieces.feed(bytes([byte]))
    assert text(pieces) == expected


def test_colors() -> None:
    screen = Screen(10, 1)
    screen.feed(b"\x1b[31mr\x1b[1mR\x1b[0;7mi\x1b[0;38;5;12mb\x1b[38;2;255;0;0mt\x1b[44;97mx")
    assert [cell[1:] for cell in screen.rows[0][:6]] == [(1, 0), (9, 0), (0, 7), (12, 0), (1, 0), (15, 4)]


def test_programs_get_answers() -> None:
    said: list[bytes] = []
    screen = Screen(10, 4, said.append)
    screen.feed(b"ab\x1b[6n\x1b[5n\x1b[c")
    assert said == [b"\x1b[1;3R", b"\x1b[0n", b"\x1b[?6c"]


def test_only_changed_lines_are_dirty() -> None:
    screen = Screen(10, 4)
    screen.dirty.clear()
    screen.feed(b"\x1b[3;1Hx")
    assert screen.dirty == {0, 2}


PARTS = (b"\x1b", b"[", b"?", b"5", b";", b"H", b"J", b"r", b"L", b"M", b"\n", b"x", b"\xff", b"P", b"@", b"S", b"T",
         b"h", b"l", b"(", b"]", b"m", b"1049", b"38", b"8", b"7")  # fmt: skip


@given(st.lists(st.sampled_from(PARTS)))
def test_nothing_breaks_the_screen(parts: list[bytes]) -> None:
    screen = Screen(6, 3)
    screen.feed(b"".join(parts))
    assert [len(row) for row in screen.rows] == [6, 6, 6]
    assert 0 <= screen.x < 6
    assert 0 <= screen.y < 3
    assert all(isinstance(cell, Cell) for row in screen.rows for cell in row)
