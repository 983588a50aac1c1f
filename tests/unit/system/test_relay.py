"""The framing of terminal consoles."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.core.errors import Error
from corral.system.relay import Frames, Input, Listener, Resize, greet, relay, session_socket


def test_frames_are_read_in_any_pieces() -> None:
    frames = Frames()
    wire = b"0:5:hello1:80:24:20:1:x"
    seen = [frame for byte in wire for frame in frames.feed(bytes([byte]))]
    assert seen == [Input(b"hello"), Resize(80, 24), Input(b"x")]


@pytest.mark.parametrize("wire", [b"3", b"0:999999999999:", b"0:-1:x", b"1:a:b:", b"0:99999999:"])
def test_nonsense_is_refused(wire: bytes) -> None:
    with pytest.raises(Error, match="terminal client"):
        Frames().feed(wire + b"x" * 40)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(wire: bytes) -> None:
    try:
        frames = Frames().feed(wire)
    except Error:
        return
    assert all(isinstance(frame, Input | Resize) for frame in frames)


@given(st.lists(st.binary(min_size=0, max_size=300), max_size=8))
def test_what_is_typed_arrives(parts: list[bytes]) -> None:
    wire = b"".join(b"0:%d:%s" % (len(part), part) for part in parts)
    assert Frames().feed(wire) == [Input(part) for part in parts]


class _Pair:
    """A target whose far end the test holds."""

    def __init__(self) -> None:
        self.near, self.far = socket.socketpair()
        self.sizes: list[tuple[int, int]] = []

    def fileno(self) -> int:
        return self.near.fileno()

    def resize(self, columns: int, rows: int) -> None:
        self.sizes.append((columns, rows))


def test_a_session_needs_its_credentials_and_then_passes_bytes(tmp_path: Path) -> None:
    listener, target = Listener(tmp_path / "5900.sock"), _Pair()

    def serve() -> None:
        client = listener.accept(5)
        with client:
            relay(client, target, framed=True, first=greet(client, lambda line: line == "u@pam:ticket"))

    thread = threading.Thread(target=serve)
    thread.start()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "5900.sock"))
        client.sendall(b"u@pam:ticket\n0:2:ls")
        assert client.recv(2) == b"OK"
        assert target.far.recv(10) == b"ls"
        client.sendall(b"1:100:30:0:1:x")
        assert target.far.recv(10) == b"x"
        target.far.sendall(b"out")
        assert client.recv(10) == b"out"
    thread.join(5)
    assert not thread.is_alive()
    assert target.sizes == [(100, 30)]
    target.near.close()
    target.far.close()
    assert not (tmp_path / "5900.sock").exists()


def test_wrong_credentials_end_the_session() -> None:
    near, far = socket.socketpair()
    with near, far:
        far.sendall(b"u@pam:forged\n")
        with pytest.raises(Error, match="wrong credentials"):
            greet(near, lambda line: line == "u@pam:ticket")


def test_a_session_is_not_found_by_its_port_alone(tmp_path: Path) -> None:
    """A ticket that outlived its session must not open the next one that got the same port."""
    mine, theirs = (session_socket(tmp_path, 5900, f"joe@pve:{ticket}") for ticket in ("PVEVNC:1::a", "PVEVNC:2::b"))
    listener = Listener(theirs)
    try:
        with socket.socket(socket.AF_UNIX) as client, pytest.raises(FileNotFoundError):
            client.connect(str(mine))
    finally:
        listener.close()
