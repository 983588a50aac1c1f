"""Consoles: one relay per session, between the socket that corral-api connects to and a guest's socket or a terminal.

The client of a terminal sends `user:ticket` and a newline first, is answered `OK`, and then sends frames
`0:LENGTH:DATA` (input), `1:COLUMNS:ROWS:` (resize) and `2` (keep-alive); the other way go the terminal's raw bytes.
A graphical console passes bytes both ways.
"""

from __future__ import annotations

import fcntl
import grp
import hashlib
import os
import secrets
import select
import socket
import struct
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from corral.core.errors import Error, TimedOut

FIRST_PORT, LAST_PORT = 5900, 5999
"""The labels of sessions."""
GROUP = "corral"
"""Whose members may connect to sessions: the daemon that serves WebSockets."""
CHUNK = 65536
MAX_GREETING = 4096
MAX_FRAME = 1024 * 1024


def draw_port() -> int:
    """A label for a new session. Two sessions may bear the same: a socket is named by its ticket too."""
    return FIRST_PORT + secrets.randbelow(LAST_PORT - FIRST_PORT + 1)


def session_socket(directory: Path, port: int, greeting: str) -> Path:
    """Where a session is reached; `greeting` is its `user:ticket`.

    Tickets outlive sessions, and ports come again: named by the port alone, the next session on it, of another guest or
    the node's own shell, would be open to whoever still holds a ticket for that port.
    """
    return directory / f"{port}-{hashlib.sha256(greeting.encode()).hexdigest()[:32]}.sock"


def daemon_group() -> int | None:
    """The group of the daemon that connects to sessions; None where it is not set up."""
    try:
        return grp.getgrnam(GROUP).gr_gid
    except KeyError:
        return None


class Input(NamedTuple):
    """Bytes typed at the terminal."""

    data: bytes


class Resize(NamedTuple):
    """The terminal's new size."""

    columns: int
    rows: int


class Frames:
    """Sans-I/O parser of what a terminal client sends. `feed` answers the complete frames; `Error` for nonsense."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Input | Resize]:
        """Take some bytes, answer the frames that are complete with them."""
        self._buffer += data
        return list(self._frames())

    def _frames(self) -> Iterator[Input | Resize]:
        while self._buffer:
            kind = self._buffer[:1]
            if kind == b"2":
                del self._buffer[:1]
            elif kind == b"0":
                frame = self._input()
                if frame is None:
                    return
                yield frame
            elif kind == b"1":
                parts = bytes(self._buffer[:32]).split(b":", 3)
                if len(parts) < 4:
                    if len(self._buffer) >= 32:
                        raise Error("terminal client sent a broken resize frame")
                    return
                del self._buffer[: sum(len(part) + 1 for part in parts[:3])]
                yield Resize(_number(parts[1], 10000), _number(parts[2], 10000))
            else:
                raise Error("terminal client sent an unknown frame")

    def _input(self) -> Input | None:
        head, colon, _ = bytes(self._buffer[2:12]).partition(b":")
        if not colon:
            if len(self._buffer) >= 12:
                raise Error("terminal client sent a broken input frame")
            return None
        start = 2 + len(head) + 1
        end = start + _number(head, MAX_FRAME)
        if len(self._buffer) < end:
            return None
        data = bytes(self._buffer[start:end])
        del self._buffer[:end]
        return Input(data)


def _number(text: bytes, maximum: int) -> int:
    if not text.isdigit() or len(text) > 9 or int(text) > maximum:
        raise Error("terminal client sent a broken number")
    return int(text)


class Target(Protocol):
    """What a console leads to: a file descriptor that is read and written, and perhaps resized."""

    def fileno(self) -> int:
        """To read from and write to."""
        ...

    def resize(self, columns: int, rows: int) -> None:
        """The client's window has this size."""
        ...


class SocketTarget:
    """A guest's socket (VNC, serial port). Has no size."""

    def __init__(self, path: Path, *, timeout: float = 5.0) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout)
        try:
            self._socket.connect(str(path))
        except OSError as exc:
            self._socket.close()
            raise Error(f"can't connect to the console: {exc.strerror or exc}") from exc
        self._socket.settimeout(None)

    def fileno(self) -> int:
        """The socket."""
        return self._socket.fileno()

    def resize(self, columns: int, rows: int) -> None:
        """A serial line has no size."""

    def close(self) -> None:
        """Let the next client have it; idempotent."""
        self._socket.close()


class TerminalTarget:
    """The master side of a pseudo terminal."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        """The master."""
        return self._descriptor

    def resize(self, columns: int, rows: int) -> None:
        """Tell the terminal."""
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Listener:
    """The socket of one session: `path` exists from here until `close`, for root and `group` alone."""

    def __init__(self, path: Path, *, group: int | None = None) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX)
        mask = os.umask(0o177)
        try:
            self._socket.bind(str(path))
        finally:
            os.umask(mask)
        if group is not None:
            os.chown(path, 0, group)
            os.chmod(path, 0o660)
        self._socket.listen(1)

    def accept(self, timeout: float) -> socket.socket:
        """The one client of the session; `TimedOut` if nobody comes."""
        self._socket.settimeout(timeout)
        try:
            client, _ = self._socket.accept()
        except TimeoutError as exc:
            raise TimedOut(f"no client connected to the console within {timeout:g} seconds") from exc
        finally:
            self.close()
        return client

    def close(self) -> None:
        """Remove the socket; idempotent."""
        self._socket.close()
        self._path.unlink(missing_ok=True)


def greet(client: socket.socket, accepted: Callable[[str], bool], *, timeout: float = 10.0) -> bytes:
    """Read the first line and answer OK; what came after the line is returned. `Error` for a refused one."""
    client.settimeout(timeout)
    seen = b""
    while b"\n" not in seen:
        if len(seen) > MAX_GREETING:
            raise Error("terminal client sent no credentials")
        try:
            part = client.recv(1024)
        except TimeoutError as exc:
            raise TimedOut("terminal client sent no credentials") from exc
        if not part:
            raise Error("terminal client left before it sent credentials")
        seen += part
    line, _, rest = seen.partition(b"\n")
    if not accepted(line.decode(errors="replace").strip()):
        raise Error("terminal client sent wrong credentials")
    client.sendall(b"OK")
    return rest


def relay(client: socket.socket, target: Target, *, framed: bool, first: bytes = b"") -> None:
    """Pass bytes until one side ends. `framed`: the client speaks the terminal's frames."""
    client.settimeout(60)
    frames = Frames()

    def incoming(data: bytes) -> None:
        if not framed:
            _write_all(target.fileno(), data)
            return
        for frame in frames.feed(data):
            if isinstance(frame, Resize):
                target.resize(frame.columns, frame.rows)
            else:
                _write_all(target.fileno(), frame.data)

    if first:
        incoming(first)
    poll = select.poll()
    poll.register(client, select.POLLIN)
    poll.register(target.fileno(), select.POLLIN)
    while True:
        for descriptor, _ in poll.poll():
            try:
                data = os.read(descriptor, CHUNK)
            except OSError:  # a pseudo terminal whose last process has ended answers EIO
                return
            if not data:
                return
            if descriptor == client.fileno():
                incoming(data)
            else:
                client.sendall(data)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
