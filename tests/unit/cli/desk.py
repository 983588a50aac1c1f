"""A desk at which the tools are tried: they run in this process against an API that answers what a test says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

import pytest

from corral.cli import main
from corral.cli.client import Client
from corral.core.layout import Layout
from corral.system.fakes import FakeClock


class Sent(NamedTuple):
    """A request as it went out: the parameters of query or body, and the headers that say something."""

    method: str
    path: str
    params: Mapping[str, Any]
    headers: Mapping[str, str]


class Failure(NamedTuple):
    """An answer that is an error."""

    status: int
    message: str
    errors: Mapping[str, str] = {}


class Printed(NamedTuple):
    """What a tool left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str


Answer = Any  # JSON, a Failure, or a function that makes one of these of the request


class Desk:
    """`answers` maps `METHOD /path` to an answer, or to a list of answers for one call after the other."""

    def __init__(self, capsys: pytest.CaptureFixture[str], root: Path) -> None:
        self.answers: dict[str, Answer] = {}
        self.sent: list[Sent] = []
        self.clock = FakeClock()
        self.root = root
        self._capsys = capsys

    def __call__(self, tool: str, *words: str) -> Printed:
        """Run a tool."""
        self.sent.clear()
        self._capsys.readouterr()
        code = main.guard(tool, list(words), lambda layout: self.client(layout))
        printed = self._capsys.readouterr()
        return Printed(code, printed.out, printed.err)

    def client(self, layout: Layout) -> Client:
        self.root = layout.root
        return Client(layout, self.clock, self._exchange)

    def _exchange(self, request: bytes) -> bytes:
        head, _, body = request.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        method, target, version = first.split(" ")
        assert version == "HTTP/1.0"
        path, _, query = target.partition("?")
        path = unquote(path.removeprefix("/api2/json"))
        params = json.loads(body) if body else dict(parse_qsl(query))
        headers = dict(line.split(": ", 1) for line in lines)
        standard = ("Host", "Content-Type", "Content-Length")
        sent = Sent(method, path, params, {key: value for key, value in headers.items() if key not in standard})
        self.sent.append(sent)
        return self._answer(sent)

    def _answer(self, sent: Sent) -> bytes:
        answer = self.answers[f"{sent.method} {sent.path}"]
        if isinstance(answer, list) and answer and isinstance(answer[0], Turn):
            answer = (answer.pop(0) if len(answer) > 1 else answer[0]).answer
        if callable(answer):
            answer = answer(sent)
        if isinstance(answer, bytes):
            return answer
        if isinstance(answer, Failure):
            return http(answer.status, answer.message, {"message": f"{answer.message}\n", "errors": answer.errors})
        return http(200, "OK", {"data": answer})


class Turn(NamedTuple):
    """One answer in a list of answers that are given one after the other; the last one stays."""

    answer: Answer


def http(status: int, reason: str, payload: Any) -> bytes:
    """An answer of the API."""
    body = json.dumps(payload).encode()
    return f"HTTP/1.0 {status} {reason}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
