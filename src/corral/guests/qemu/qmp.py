"""QMP, the machine protocol of QEMU: a protocol state machine without I/O, and a client on a Unix socket.

    with Qmp.connect(socket_path, vmid=100) as qmp:
        qmp.call("device_add", {"driver": "virtio-net-pci", "id": "net1"})
        qmp.wait(lambda event: event.name == "DEVICE_DELETED", timeout=5)

Errors:  QmpError  QEMU refused a command; `.kind` is its class, such as `CommandNotFound`
         Gone      nobody listens, or the connection ended: the guest is not running (any more)
         TimedOut  it did not answer in time
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import msgspec

from corral.core.clock import Clock
from corral.core.errors import Error, TimedOut
from corral.system.clock import SystemClock

TIMEOUT = 10.0
"""Seconds a command may take where the caller does not say otherwise."""

MAX_LINE = 16 * 1024 * 1024


class QmpError(Error):
    """QEMU refused a command: `kind` is the error's class, `description` QEMU's text."""

    def __init__(self, message: str, kind: str = "GenericError", description: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.description = description or message


class Gone(Error):
    """The process on the other side is not there, or has hung up."""


class Event(NamedTuple):
    """Something QEMU told by itself; `time` is Unix seconds."""

    name: str
    data: Mapping[str, Any]  # Any: JSON, as QEMU's schema has it
    time: float


class Returned(NamedTuple):
    """What a command answered."""

    id: int
    value: Any  # Any: JSON


class Refused(NamedTuple):
    """A command's error."""

    id: int | None
    kind: str
    description: str


class Greeting(NamedTuple):
    """The first line of a server: its version as (major, minor, micro)."""

    version: tuple[int, int, int]


Message = Greeting | Returned | Refused | Event


class State(StrEnum):
    """Where a connection stands."""

    CONNECTED = "connected"
    NEGOTIATING = "negotiating"
    READY = "ready"
    CLOSED = "closed"


class Protocol:
    """The protocol as seen by a client: bytes in, messages out; commands in, bytes out. Does no I/O.

    `CONNECTED` until the greeting was seen, `NEGOTIATING` until capabilities are agreed, then `READY`.
    """

    def __init__(self) -> None:
        self.state = State.CONNECTED
        self._buffer = bytearray()
        self._next = 1

    def receive(self, data: bytes) -> list[Message]:
        """The whole messages that `data` completes; no data means that the other side has hung up."""
        if not data:
            self.state = State.CLOSED
            return []
        self._buffer += data
        if len(self._buffer) > MAX_LINE and b"\n" not in self._buffer:
            self.state = State.CLOSED
            raise QmpError(f"QMP message is larger than {MAX_LINE} bytes")
        *lines, rest = bytes(self._buffer).split(b"\n")
        self._buffer = bytearray(rest)
        return [message for line in lines if line.strip() and (message := self._read(line)) is not None]

    def _read(self, line: bytes) -> Message | None:
        try:
            parsed: Any = msgspec.json.decode(line)  # Any: JSON
        except msgspec.DecodeError as exc:
            raise QmpError(f"not a QMP message: {line[:100]!r}") from exc
        match parsed:
            case {"QMP": {"version": {"qemu": {"major": int(major), "minor": int(minor), "micro": int(micro)}}}}:
                assert self.state is State.CONNECTED, "greeted twice"
                self.state = State.NEGOTIATING
                return Greeting((major, minor, micro))
            case {"event": str(name)}:
                stamp = parsed.get("timestamp", {})
                seconds = stamp.get("seconds", 0) + stamp.get("microseconds", 0) / 1e6
                return Event(name, parsed.get("data", {}), seconds)
            case {"return": value, "id": int(number)}:
                self.state = State.READY
                return Returned(number, value)
            case {"error": {"class": str(kind), "desc": str(text)}}:
                return Refused(parsed.get("id"), kind, text)
            case _:
                return None

    def command(self, name: str, arguments: Mapping[str, Any] | None = None) -> tuple[int, bytes]:
        """The number and the bytes of a command. Only `qmp_capabilities` may be sent before the state is `READY`.

        `Gone` once the other side has hung up, which may have been noticed while events were read.
        """
        if self.state is State.CLOSED:
            raise Gone(f"QEMU has closed its monitor: '{name}' can't be sent")
        expected = State.NEGOTIATING if name == "qmp_capabilities" else State.READY
        assert self.state is expected, f"'{name}' can't be sent while {self.state}"
        number, self._next = self._next, self._next + 1
        body: dict[str, Any] = {"execute": name, "id": number}
        if arguments:
            body["arguments"] = arguments
        return number, msgspec.json.encode(body) + b"\n"


class Qmp:
    """A client on a Unix socket. Not for several threads at once. Every verb has a deadline."""

    def __init__(self, connection: socket.socket, vmid: int, *, clock: Clock | None = None) -> None:
        self._socket = connection
        self._protocol = Protocol()
        self._clock = clock or SystemClock()
        self._vmid = vmid
        self._waiting: deque[Message] = deque()
        self.events: deque[Event] = deque(maxlen=1000)
        self.version: tuple[int, int, int] = (0, 0, 0)

    @classmethod
    def connect(cls, path: Path, *, vmid: int, timeout: float = TIMEOUT, clock: Clock | None = None) -> Qmp:
        """Connect and agree on capabilities within `timeout` seconds.

        Waits while another client is served, or while QEMU, which has been handed the listening socket, starts.
        """
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        client = cls(connection, vmid, clock=clock)
        try:
            connection.settimeout(timeout)
            connection.connect(str(path))
            client.negotiate(timeout)
        except TimeoutError as exc:
            client.close()
            raise TimedOut(f"VM {vmid} qmp socket - timeout after {timeout:g} s") from exc
        except (FileNotFoundError, ConnectionRefusedError) as exc:
            client.close()
            raise Gone(f"VM {vmid} not running") from exc
        except BaseException:
            client.close()
            raise
        return client

    def negotiate(self, timeout: float = TIMEOUT) -> None:
        """Wait for the greeting and agree on capabilities: the first thing on a new connection."""
        deadline = self._clock.monotonic() + timeout
        while self._protocol.state is State.CONNECTED:
            message = self._next(deadline, "greeting")
            if isinstance(message, Greeting):
                self.version = message.version
        self.call("qmp_capabilities", timeout=max(0.01, deadline - self._clock.monotonic()))

    def call(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        timeout: float = TIMEOUT,
        fds: Sequence[int] = (),
    ) -> Any:  # Any: JSON, as QEMU's schema has it
        """Run a command and answer what it returns; `fds` go along with it (for `getfd` and `add-fd`).

        Events that come meanwhile are kept in `events`.
        """
        number, data = self._protocol.command(name, arguments)
        deadline = self._clock.monotonic() + timeout
        self._send(name, data, fds, timeout)
        while True:
            message = self._next(deadline, name)
            if isinstance(message, Returned) and message.id == number:
                return message.value
            if isinstance(message, Refused) and message.id in (number, None):
                text = f"VM {self._vmid} qmp command '{name}' failed - {message.description}"
                raise QmpError(text, message.kind, message.description)

    def _send(self, name: str, data: bytes, fds: Sequence[int], timeout: float) -> None:
        self._socket.settimeout(max(0.01, timeout))
        try:
            if fds:
                sent = socket.send_fds(self._socket, [data], list(fds))
                data = data[sent:]
            self._socket.sendall(data)
        except TimeoutError as exc:
            raise self._late(name) from exc
        except OSError as exc:
            raise self._gone(name) from exc

    def _next(self, deadline: float, purpose: str) -> Message:
        """The next message; events are also noted in `events`."""
        while not self._waiting:
            left = deadline - self._clock.monotonic()
            if left <= 0:
                raise self._late(purpose)
            self._socket.settimeout(left)
            try:
                data = self._socket.recv(65536)
            except TimeoutError as exc:
                raise self._late(purpose) from exc
            except OSError as exc:
                raise self._gone(purpose) from exc
            self._waiting.extend(self._protocol.receive(data))
            if self._protocol.state is State.CLOSED and not self._waiting:
                raise self._gone(purpose)
        message = self._waiting.popleft()
        if isinstance(message, Event):
            self.events.append(message)
        return message

    def _late(self, name: str) -> TimedOut:
        return TimedOut(f"VM {self._vmid} qmp command '{name}' failed - got timeout")

    def _gone(self, name: str) -> Gone:
        return Gone(f"VM {self._vmid} qmp command '{name}' failed - client closed connection")

    def wait(self, wanted: Callable[[Event], bool], *, timeout: float, purpose: str = "event") -> Event:
        """The first event, of those noted and those to come, that is wanted; earlier ones stay noted."""
        for event in self.events:
            if wanted(event):
                self.events.remove(event)
                return event
        deadline = self._clock.monotonic() + timeout
        while True:
            message = self._next(deadline, purpose)
            if isinstance(message, Event) and wanted(message):
                self.events.remove(message)
                return message

    def next_event(self, timeout: float) -> Event | None:
        """The next event, or None if there is none within `timeout` seconds; `Gone` when the guest has ended."""
        if self.events:
            return self.events.popleft()
        try:
            return self.wait(lambda _: True, timeout=timeout)
        except TimedOut:
            return None

    def fileno(self) -> int:
        """The socket: readable when something has come. Drain with `next_event(0)` until it answers None."""
        return self._socket.fileno()

    def close(self) -> None:
        """Hang up; idempotent."""
        self._protocol.state = State.CLOSED
        self._socket.close()

    def __enter__(self) -> Qmp:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _exc: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self.close()
