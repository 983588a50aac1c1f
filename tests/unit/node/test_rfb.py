"""The RFB server: a client's side of it, byte by byte."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.core.errors import Error
from corral.node import glyphs
from corral.node.rfb import PixelFormat, Server
from corral.node.screen import Screen


class Client:
    """A server with what a client sent and got."""

    def __init__(self, columns: int = 4, lines: int = 2) -> None:
        self.typed = b""
        self.screen = Screen(columns, lines)
        self.server = Server(self.screen, self._note, "shell")

    def _note(self, data: bytes) -> None:
        self.typed += data

    def say(self, data: bytes) -> bytes:
        self.server.feed(data)
        return self.server.outgoing()

    def shake_hands(self) -> bytes:
        assert self.server.outgoing() == b"RFB 003.008\n"
        assert self.say(b"RFB 003.008\n") == b"\x01\x01"
        assert self.say(b"\x01") == b"\0\0\0\0"
        return self.say(b"\x01")

    def ask(self, *, incremental: bool) -> bytes:
        return self.say(struct.pack("!BBHHHH", 3, incremental, 0, 0, 999, 999))

    def press(self, key: int) -> None:
        self.say(struct.pack("!BBxxI", 4, 1, key))


@pytest.fixture
def client() -> Client:
    made = Client()
    made.shake_hands()
    return made


def test_the_handshake_tells_size_and_name() -> None:
    hello = Client().shake_hands()
    assert struct.unpack("!HH", hello[:4]) == (32, 26)
    assert hello.endswith(b"\0\0\0\x05shell")


def test_an_old_client_is_told_that_nothing_is_needed() -> None:
    client = Client()
    client.server.outgoing()
    assert client.say(b"RFB 003.003\n") == b"\0\0\0\x01"
    assert len(client.say(b"\x01")) > 20


def test_a_first_update_has_every_line_and_the_next_waits_for_a_change(client: Client) -> None:
    update = client.ask(incremental=False)
    assert struct.unpack("!BxH", update[:4]) == (0, 2)
    assert len(update) == 4 + 2 * (12 + 32 * 13 * 4)
    assert client.ask(incremental=True) == b""
    client.screen.feed(b"A")
    changed = client.server.outgoing()
    assert struct.unpack("!BxH", changed[:4]) == (0, 1)
    assert struct.unpack("!HHHHi", changed[4:16]) == (0, 0, 32, 13, 0)


def test_pixels_are_the_glyphs(client: Client) -> None:
    client.screen.feed(b"\x1b[?25lA")
    update = client.ask(incremental=False)
    pixels = update[16 : 16 + 32 * 13 * 4]
    ink = bytes.fromhex("bbbbbb00")
    for row in range(13):
        start = row * 32 * 4
        bits = sum(1 << (7 - x) for x in range(8) if pixels[start + 4 * x : start + 4 * x + 4] == ink)
        assert bits == glyphs.load()["A"][row]


def test_a_client_chooses_its_pixels(client: Client) -> None:
    wanted = struct.pack("!BBBBHHHBBB3x", 16, 16, 1, 1, 31, 63, 31, 11, 5, 0)
    client.say(b"\0\0\0\0" + wanted)
    assert len(client.ask(incremental=False)) == 4 + 2 * (12 + 32 * 13 * 2)
    assert PixelFormat(16, 16, 1, 1, 31, 63, 31, 11, 5, 0).pixel(0xFF0000) == b"\xf8\0"
    with pytest.raises(Error):
        client.say(b"\0\0\0\0" + struct.pack("!BBBBHHHBBB3x", 24, 24, 0, 1, 255, 255, 255, 0, 8, 16))


def test_keys_mean_what_a_terminal_expects(client: Client) -> None:
    for key in (ord("a"), 0xFF0D, 0xFF52, 0xE4, 0x010020AC):
        client.press(key)
    assert client.typed == "a\r\x1b[Aä€".encode()
    client.typed = b""
    client.screen.feed(b"\x1b[?1h")
    client.press(0xFF52)
    client.press(0xFFE3)
    client.press(ord("c"))
    client.say(struct.pack("!BBxxI", 4, 0, 0xFFE3))
    client.press(0xFFE9)
    client.press(ord("x"))
    assert client.typed == b"\x1bOA\x03\x1bx"


def test_clipboard_text_is_typed(client: Client) -> None:
    client.say(b"\x06\0\0\0" + struct.pack("!I", 5) + b"ls\n-l")
    assert client.typed == b"ls\r-l"


def test_messages_may_come_in_pieces(client: Client) -> None:
    data = struct.pack("!BxH2i", 2, 2, 0, 1) + struct.pack("!BBHH", 5, 0, 1, 1) + struct.pack("!BBxxI", 4, 1, ord("q"))
    for byte in data:
        client.say(bytes([byte]))
    assert client.typed == b"q"


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"RFB 003.008\n\x02"])
def test_what_is_no_rfb_ends_the_session(data: bytes) -> None:
    with pytest.raises(Error):
        Client().say(data)


def test_a_huge_message_ends_the_session(client: Client) -> None:
    with pytest.raises(Error, match="too long"):
        client.say(b"\x06\0\0\0\xff\xff\xff\xff")


@given(st.binary(max_size=200))
def test_no_bytes_break_the_server(data: bytes) -> None:
    client = Client()
    client.shake_hands()
    try:
        client.say(data)
    except Error:
        return
