"""A screen shown by the RFB protocol (VNC) 3.8, for `vncshell`. Sans-I/O: bytes in, bytes out.

Who may connect has been decided before: the session is reached through a WebSocket with a ticket, so the protocol's own
authentication (eight characters of DES) is not used. Pixels are sent raw, line by line, as lines change.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Generator
from functools import lru_cache
from typing import NamedTuple

from corral.core.errors import Error
from corral.node import glyphs
from corral.node.screen import Cell, Screen

Steps = Generator[int, bytes, None]
MAX_MESSAGE = 1024 * 1024
_PALETTE = (0x000000, 0xAA0000, 0x00AA00, 0xAA5500, 0x0000AA, 0xAA00AA, 0x00AAAA, 0xBBBBBB,
            0x555555, 0xFF5555, 0x55FF55, 0xFFFF55, 0x5555FF, 0xFF55FF, 0x55FFFF, 0xFFFFFF)  # fmt: skip
_VERSION = b"RFB 003.008\n"
_FORMAT = struct.Struct("!BBBBHHHBBB3x")

_KEYS = {
    0xFF08: b"\x7f", 0xFF09: b"\t", 0xFF0D: b"\r", 0xFF8D: b"\r", 0xFF1B: b"\x1b", 0xFFFF: b"\x1b[3~",
    0xFF63: b"\x1b[2~", 0xFF50: b"\x1b[1~", 0xFF57: b"\x1b[4~", 0xFF55: b"\x1b[5~", 0xFF56: b"\x1b[6~",
    0xFFBE: b"\x1b[[A", 0xFFBF: b"\x1b[[B", 0xFFC0: b"\x1b[[C", 0xFFC1: b"\x1b[[D", 0xFFC2: b"\x1b[[E",
    0xFFC3: b"\x1b[17~", 0xFFC4: b"\x1b[18~", 0xFFC5: b"\x1b[19~", 0xFFC6: b"\x1b[20~", 0xFFC7: b"\x1b[21~",
    0xFFC8: b"\x1b[23~", 0xFFC9: b"\x1b[24~",
}  # fmt: skip
_ARROWS = {0xFF51: b"D", 0xFF52: b"A", 0xFF53: b"C", 0xFF54: b"B"}
_CONTROL, _ALT = (0xFFE3, 0xFFE4), (0xFFE9, 0xFFEA, 0xFFE7, 0xFFE8)


class PixelFormat(NamedTuple):
    """How a client wants its pixels: true color of 8, 16 or 32 bits."""

    bits: int = 32
    depth: int = 24
    big_endian: int = 0
    true_color: int = 1
    red_max: int = 255
    green_max: int = 255
    blue_max: int = 255
    red_shift: int = 16
    green_shift: int = 8
    blue_shift: int = 0

    def pixel(self, color: int) -> bytes:
        """The bytes of a pixel of a 24-bit color."""
        red, green, blue = color >> 16, color >> 8 & 255, color & 255
        value = (
            red * self.red_max // 255 << self.red_shift
            | green * self.green_max // 255 << self.green_shift
            | blue * self.blue_max // 255 << self.blue_shift
        )
        return (value & (1 << self.bits) - 1).to_bytes(self.bits // 8, "big" if self.big_endian else "little")


class Server:
    """One client's session. `typed` is called with what its keys mean to a terminal; `outgoing` empties what to send.

    Use: `feed` what the client sent, feed the screen what programs wrote, and send `outgoing()` after either.
    """

    def __init__(self, screen: Screen, typed: Callable[[bytes], None], name: str) -> None:
        self._screen = screen
        self._typed = typed
        self._name = name.encode()[:200]
        self._glyphs = glyphs.load()
        self._format = PixelFormat()
        self._buffer = b""
        self._out = bytearray(_VERSION)
        self._asked = False
        self._held: set[str] = set()
        self._cursor: tuple[int, int] | None = None
        self._steps = self._run()
        self._wanted = next(self._steps)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._screen.columns * glyphs.WIDTH, self._screen.lines * glyphs.HEIGHT

    def feed(self, data: bytes) -> None:
        """Take what the client sent; `Error` for what is no RFB."""
        self._buffer += data
        while len(self._buffer) >= self._wanted:
            piece, self._buffer = self._buffer[: self._wanted], self._buffer[self._wanted :]
            self._wanted = self._steps.send(piece)
            if self._wanted > MAX_MESSAGE:
                raise Error("the VNC client sent a message that is too long")

    def outgoing(self) -> bytes:
        """What has to be sent now; an update only if the client has asked for one."""
        if self._asked and (lines := self._changed()):
            self._asked = False
            self._update(lines)
        data = bytes(self._out)
        self._out.clear()
        return data

    # --- the protocol, as a coroutine that yields how many bytes it needs -------------------------------------------

    def _run(self) -> Steps:
        version = yield from _need(12)
        if not version.startswith(b"RFB 003."):
            raise Error("the VNC client speaks another protocol")
        minor = int(version[8:11]) if version[8:11].isdigit() else 3
        yield from self._security(minor)
        yield from _need(1)
        width, height = self.size
        self._out += struct.pack("!HH", width, height) + _FORMAT.pack(*self._format)
        self._out += struct.pack("!I", len(self._name)) + self._name
        while True:
            kind = yield from _need(1)
            yield from self._message(kind[0])

    def _security(self, minor: int) -> Steps:
        if minor < 7:
            self._out += struct.pack("!I", 1)
            return
        self._out += b"\x01\x01"
        chosen = yield from _need(1)
        if chosen != b"\x01":
            raise Error("the VNC client wants an authentication that was not offered")
        if minor >= 8:
            self._out += struct.pack("!I", 0)

    def _message(self, kind: int) -> Steps:
        match kind:
            case 0:
                self._set_format((yield from _need(19))[3:])
            case 2:
                head = yield from _need(3)
                yield from _need(4 * struct.unpack("!xH", head)[0])
            case 3:
                request = yield from _need(9)
                self._asked = True
                if not request[0]:
                    self._screen.dirty.update(range(self._screen.lines))
            case 4:
                down, key = struct.unpack("!BxxI", (yield from _need(7)))
                self._key(key, down=bool(down))
            case 5:
                yield from _need(5)
            case 6:
                length = struct.unpack("!xxxI", (yield from _need(7)))[0]
                text = yield from _need(length)
                self._typed(text.decode("latin-1").replace("\n", "\r").encode())
            case _:
                raise Error(f"the VNC client sent a message of unknown kind {kind}")

    def _set_format(self, data: bytes) -> None:
        wanted = PixelFormat(*_FORMAT.unpack(data))
        if wanted.bits not in (8, 16, 32) or not wanted.true_color or max(wanted[7:]) > 31:
            raise Error("the VNC client wants pixels that are not supported")
        self._format = wanted
        self._screen.dirty.update(range(self._screen.lines))

    # --- keys --------------------------------------------------------------------------------------------------------

    def _key(self, key: int, *, down: bool) -> None:
        for word, keys in (("control", _CONTROL), ("alt", _ALT)):
            if key in keys:
                (self._held.add if down else self._held.discard)(word)
                return
        if down and (data := self._meaning(key)):
            self._typed(b"\x1b" + data if "alt" in self._held else data)

    def _meaning(self, key: int) -> bytes:
        if key in _ARROWS:
            return (b"\x1bO" if self._screen.application_keys else b"\x1b[") + _ARROWS[key]
        if key in _KEYS:
            return _KEYS[key]
        if 0x20 <= key <= 0x7E or 0xA0 <= key <= 0xFF:
            char = chr(key)
        elif 0x01000100 <= key <= 0x0110FFFF:
            char = chr(key - 0x01000000)
        else:
            return b""
        if "control" in self._held and ("@" <= char.upper() <= "_" or char == " "):
            return bytes([ord(char.upper()) & 0x1F])
        return char.encode("utf-8", "ignore")

    # --- pixels ------------------------------------------------------------------------------------------------------

    def _changed(self) -> list[int]:
        """The lines that must be sent: changed ones, and where the cursor was or is."""
        screen = self._screen
        cursor = (screen.x, screen.y) if screen.cursor_shown else None
        if cursor != self._cursor:
            screen.dirty.update(place[1] for place in (cursor, self._cursor) if place)
            self._cursor = cursor
        lines = sorted(screen.dirty)
        screen.dirty.clear()
        return lines

    def _update(self, lines: list[int]) -> None:
        width = self.size[0]
        self._out += struct.pack("!BxH", 0, len(lines))
        for line in lines:
            self._out += struct.pack("!HHHHi", 0, line * glyphs.HEIGHT, width, glyphs.HEIGHT, 0)
            self._out += self._line(line)

    def _line(self, line: int) -> bytes:
        cells = list(self._screen.rows[line])
        if self._cursor and self._cursor[1] == line:
            under = cells[self._cursor[0]]
            cells[self._cursor[0]] = Cell(under.char, under.paper, under.ink)
        unknown = self._glyphs["?"]
        shapes = [(self._glyphs.get(cell.char, unknown), cell) for cell in cells]
        return b"".join(
            _row_pixels(shape[row], cell.ink, cell.paper, self._format)
            for row in range(glyphs.HEIGHT)
            for shape, cell in shapes
        )


def _need(count: int) -> Generator[int, bytes, bytes]:
    """For `yield from`: the next `count` bytes."""
    return (yield count) if count else b""


@lru_cache(maxsize=8192)
def _row_pixels(bits: int, ink: int, paper: int, form: PixelFormat) -> bytes:
    """Eight pixels of a glyph's row."""
    on, off = form.pixel(_PALETTE[ink & 15]), form.pixel(_PALETTE[paper & 15])
    return b"".join(on if bits >> (7 - place) & 1 else off for place in range(8))
