"""The QEMU guest agent: a client for what runs inside of a guest, which may be slow, hostile or not there at all.

Every verb has a deadline. Whatever the guest answers is JSON of bounded size; nothing in it is trusted.
"""

from __future__ import annotations

import base64
import secrets
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from corral.core.clock import Clock
from corral.core.errors import Error, ParamError, TimedOut
from corral.system.clock import SystemClock

SYNC_TIMEOUT = 3.0
"""Seconds in which a running agent answers the first question; busy ones have needed more than two."""
TIMEOUT = 5.0
FREEZE_TIMEOUT = 3600.0
"""A guest with many file systems, or with hooks of databases, may freeze for long."""

MAX_ANSWER = 64 * 1024 * 1024
MAX_READ = 16 * 1024 * 1024
CHUNK = 1024 * 1024
MAX_INPUT = 1024 * 1024
MAX_WRITE = 60 * 1024

NOT_RUNNING = "QEMU guest agent is not running"


class AgentError(Error):
    """The agent refused a command; the message is its own."""


class Agent:
    """A connection to one guest's agent. QEMU serves one client at a time; the next waits for its turn."""

    def __init__(self, connection: socket.socket, *, clock: Clock | None = None) -> None:
        self._socket = connection
        self._clock = clock or SystemClock()
        self._buffer = bytearray()

    @classmethod
    def connect(cls, path: Path, *, timeout: float = SYNC_TIMEOUT, clock: Clock | None = None) -> Agent:
        """Connect and get in step with the agent; `Error` in the words clients know if it does not answer."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        agent = cls(connection, clock=clock)
        try:
            connection.settimeout(timeout)
            connection.connect(str(path))
            agent.sync(timeout)
        except (Error, OSError) as exc:
            agent.close()
            raise Error(NOT_RUNNING) from exc
        except BaseException:
            agent.close()
            raise
        return agent

    def sync(self, timeout: float = SYNC_TIMEOUT) -> None:
        """Get in step: drop what an earlier client left unread. `TimedOut` if nobody answers."""
        number = secrets.randbits(31)
        deadline = self._clock.monotonic() + timeout
        # 0xFF is no JSON: it makes the agent drop a half command, and it leads the answer that we wait for.
        self._send(b"\xff" + _command("guest-sync-delimited", {"id": number}), deadline)
        while True:
            answer = self._answer(deadline)
            if isinstance(answer, dict) and answer.get("return") == number:
                return

    def call(self, name: str, arguments: Mapping[str, Any] | None = None, *, timeout: float = TIMEOUT) -> Any:
        """Run a command and answer what it returns (JSON). After `TimedOut` the connection must be closed."""
        deadline = self._clock.monotonic() + timeout
        self._send(_command(name, arguments), deadline)
        answer = self._answer(deadline)
        match answer:
            case {"return": value}:
                return value
            case {"error": {"desc": str(text)}}:
                raise AgentError(f"Agent error: {text}")
            case _:
                raise AgentError(f"Agent error: unexpected answer to {name}")

    def say(self, name: str, arguments: Mapping[str, Any] | None = None, *, patience: float = 2.0) -> None:
        """Run a command that answers nothing when it succeeds, such as `guest-shutdown`; a refusal is raised."""
        try:
            self.call(name, arguments, timeout=patience)
        except AgentError:
            raise
        except Error:  # silence, or the guest has gone already
            return

    def _send(self, data: bytes, deadline: float) -> None:
        try:
            self._socket.settimeout(max(0.01, deadline - self._clock.monotonic()))
            self._socket.sendall(data)
        except TimeoutError as exc:
            raise TimedOut("guest agent - got timeout") from exc
        except OSError as exc:
            raise Error(NOT_RUNNING) from exc

    def _answer(self, deadline: float) -> Any:  # Any: JSON
        seen = 0
        while (end := self._buffer.find(b"\n", seen)) < 0:
            seen = len(self._buffer)
            if len(self._buffer) > MAX_ANSWER:
                raise AgentError(f"Agent error: answer is larger than {MAX_ANSWER} bytes")
            left = deadline - self._clock.monotonic()
            if left <= 0:
                raise TimedOut("guest agent - got timeout")
            try:
                self._socket.settimeout(left)
                data = self._socket.recv(65536)
            except TimeoutError as exc:
                raise TimedOut("guest agent - got timeout") from exc
            except OSError as exc:
                raise Error(NOT_RUNNING) from exc
            if not data:
                raise Error(NOT_RUNNING)
            self._buffer += data
        line = bytes(self._buffer[:end]).rpartition(b"\xff")[2]
        del self._buffer[: end + 1]
        try:
            return msgspec.json.decode(line)
        except msgspec.DecodeError:
            return None  # a torn line of an earlier answer

    def exec(self, command: Sequence[str], data: bytes | None = None) -> int:
        """Start a program in the guest and answer its process id there; `data` is fed to its stdin."""
        if data is not None and len(data) > MAX_INPUT:
            raise ParamError({"input-data": f"value may only be {MAX_INPUT} bytes long"})
        arguments: dict[str, Any] = {"path": command[0], "arg": list(command[1:]), "capture-output": True}
        if data is not None:
            arguments["input-data"] = base64.b64encode(data).decode()
        answer = _object(self.call("guest-exec", arguments))
        if not isinstance(pid := answer.get("pid"), int):
            raise AgentError("Agent error: unexpected answer to guest-exec")
        return pid

    def exec_status(self, pid: int) -> dict[str, Any]:
        """How a program stands: `exited` (0 or 1), `exitcode`, `signal`, `out-data` and `err-data` as text."""
        answer = _object(self.call("guest-exec-status", {"pid": pid}))
        for key in ("out-data", "err-data"):
            if key in answer:
                answer[key] = _decoded(answer[key])
        return answer

    def read_file(self, path: str, *, offset: int | None = None, count: int = MAX_READ) -> tuple[bytes, bool]:
        """At most `count` bytes of a file in the guest, and whether that was not all."""
        handle = self.call("guest-file-open", {"path": path, "mode": "rb"})
        try:
            if offset:
                self.call("guest-file-seek", {"handle": handle, "offset": offset, "whence": 0})
            content = bytearray()
            while len(content) < count:
                wanted = {"handle": handle, "count": min(CHUNK, count - len(content))}
                answer = _object(self.call("guest-file-read", wanted, timeout=30))
                content += _bytes(answer.get("buf-b64"))
                if answer.get("eof") or not answer.get("count"):
                    return bytes(content), False
            return bytes(content[:count]), True
        finally:
            self.call("guest-file-close", {"handle": handle})

    def write_file(self, path: str, content: bytes) -> None:
        """Replace a file's content in the guest."""
        handle = self.call("guest-file-open", {"path": path, "mode": "wb"})
        try:
            text = base64.b64encode(content).decode()
            answer = _object(self.call("guest-file-write", {"handle": handle, "buf-b64": text}, timeout=30))
            if answer.get("count") != len(content):
                raise AgentError(f"Agent error: only {answer.get('count')} of {len(content)} bytes were written")
        finally:
            self.call("guest-file-close", {"handle": handle})

    def close(self) -> None:
        """Hang up; idempotent."""
        self._socket.close()

    def __enter__(self) -> Agent:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _exc: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self.close()


def _command(name: str, arguments: Mapping[str, Any] | None) -> bytes:
    body: dict[str, Any] = {"execute": name}
    if arguments:
        body["arguments"] = arguments
    return msgspec.json.encode(body) + b"\n"


def _object(answer: object) -> dict[str, Any]:
    """What should be an object: a guest may answer anything."""
    if not isinstance(answer, dict):
        raise AgentError("Agent error: unexpected answer")
    return answer


def _decoded(text: object) -> str:
    return _bytes(text).decode("utf-8", "replace")


def _bytes(text: object) -> bytes:
    if not isinstance(text, str):
        raise AgentError("Agent error: unexpected answer")
    try:
        return base64.b64decode(text)
    except ValueError as exc:  # also: characters that are not ASCII
        raise AgentError("Agent error: output is not base64") from exc
