"""The other side of QMP and of the guest agent, for unit tests: scripted servers on one end of a socket pair."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

OPEN: list[socket.socket] = []
"""Sockets to be closed when a test is over: the fixture `hang_up` does."""

Answers = Mapping[str, Callable[[dict[str, Any]], Any]]


def _nothing(_: dict[str, Any]) -> Any:
    return {}


class Refuse(Exception):
    """Answer an error of that class."""

    def __init__(self, description: str, kind: str = "GenericError") -> None:
        super().__init__(description)
        self.kind = kind


class FakeQmp:
    """QEMU's side of one connection. `answers` maps commands to functions of their arguments; an unknown command is
    answered by `{}`. `commands` holds what was asked, `fds` the descriptors that came along."""

    def __init__(self, answers: Answers | None = None, *, greet: bool = True) -> None:
        self.client, self._server = socket.socketpair()
        OPEN.extend((self.client, self._server))
        self.answers = dict(answers or {})
        self.commands: list[tuple[str, dict[str, Any]]] = []
        self.fds: list[int] = []
        if greet:
            self.send({"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 0}}, "capabilities": ["oob"]}})
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def send(self, message: Mapping[str, Any]) -> None:
        """Say something by ourselves, such as an event."""
        self._server.sendall(json.dumps(message).encode() + b"\r\n")

    def event(self, name: str, **data: Any) -> None:
        """Send an event."""
        self.send({"event": name, "data": data, "timestamp": {"seconds": 5, "microseconds": 250000}})

    def _serve(self) -> None:
        buffer = b""
        while True:
            try:
                data, fds, _, _ = socket.recv_fds(self._server, 65536, 8)
            except OSError:
                return
            if not data:
                return
            self.fds += fds
            *lines, buffer = (buffer + data).split(b"\n")
            for line in lines:
                self._answer(json.loads(line))

    def _answer(self, message: dict[str, Any]) -> None:
        name, arguments = message["execute"], message.get("arguments", {})
        self.commands.append((name, arguments))
        try:
            value = self.answers.get(name, _nothing)(arguments)
        except Refuse as refusal:
            self.send({"error": {"class": refusal.kind, "desc": str(refusal)}, "id": message["id"]})
            return
        if value is not Ellipsis:
            self.send({"return": value, "id": message["id"]})

    def close(self) -> None:
        """Hang up."""
        self._server.shutdown(socket.SHUT_RDWR)


class FakeAgent:
    """A guest agent's side of one connection; answers `guest-sync-delimited` by itself."""

    def __init__(self, answers: Answers | None = None, *, leftover: bytes = b"") -> None:
        self.client, self._server = socket.socketpair()
        OPEN.extend((self.client, self._server))
        self.answers = dict(answers or {})
        self.commands: list[tuple[str, dict[str, Any]]] = []
        self._server.sendall(leftover)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        buffer = b""
        while data := self._received():
            *lines, buffer = (buffer + data).split(b"\n")
            for line in lines:
                message = json.loads(line.lstrip(b"\xff"))
                name, arguments = message["execute"], message.get("arguments", {})
                self.commands.append((name, arguments))
                self._answer(name, arguments)

    def _received(self) -> bytes:
        try:
            return self._server.recv(65536)
        except OSError:  # the test is over
            return b""

    def _answer(self, name: str, arguments: dict[str, Any]) -> None:
        if name == "guest-sync-delimited":
            self._server.sendall(b"\xff" + json.dumps({"return": arguments["id"]}).encode() + b"\n")
            return
        try:
            value = self.answers.get(name, _nothing)(arguments)
        except Refuse as refusal:
            self._server.sendall(json.dumps({"error": {"class": refusal.kind, "desc": str(refusal)}}).encode() + b"\n")
            return
        if value is not Ellipsis:
            self._server.sendall(json.dumps({"return": value}).encode() + b"\n")
