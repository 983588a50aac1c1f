"""The tools' way to corrald: HTTP over `api.sock`, where a peer with uid 0 is root@pam."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from corral.core.clock import Clock
from corral.core.errors import Error, Unavailable
from corral.core.layout import Layout

HERE = "localhost"
"""In a path, this stands for the node that is asked."""

POLL_FIRST, POLL_MOST = 0.02, 0.3
PROGRESS_AFTER = 0.5
NO_LINES = {"n": 1, "t": "no content"}
"""What a page of a log without lines holds, for clients that want one."""
PATIENCE = 60.0
"""Seconds that corrald may be away (it is being restarted, say) while a task is followed."""


Exchange = Callable[[bytes], bytes]
"""Sends a whole request and answers the whole answer."""


class ApiError(Error):
    """The call failed. `errors` names the parameters that are wrong."""

    def __init__(self, status: int, message: str, errors: Mapping[str, str]) -> None:
        super().__init__(message.rstrip())
        self.code = status
        self.errors = errors


class Interrupted(Error):
    """Somebody pressed Ctrl-C while a task was followed; the text says how to go on."""


class Client:
    """Calls of one node. `Error` says what to do when it does not run."""

    def __init__(self, layout: Layout, clock: Clock, exchange: Exchange | None = None) -> None:
        self.layout = layout
        self._clock = clock
        self._exchange = exchange or self._over_socket

    def pause(self, seconds: float) -> None:
        """Wait a moment."""
        self._clock.sleep(seconds)

    def call(self, method: str, path: str, params: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Any:
        """The data of a call; `ApiError` when it fails."""
        body, url = b"", f"/api2/json{path}"
        sent = dict(headers or {})
        if method in ("POST", "PUT"):
            body = json.dumps(params).encode()
            sent |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        elif params:
            url += "?" + urlencode(params, doseq=True)
        head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        # HTTP/1.0: one request, an answer without chunks, and the end. http.client would double a tool's start-up time.
        answer = self._exchange(f"{method} {url} HTTP/1.0\r\nHost: corrald\r\n{head}\r\n".encode() + body)
        status, reason, payload = read_answer(answer)
        try:
            decoded = json.loads(payload)
        except ValueError:
            decoded = {"data": None, "message": reason}
        if status >= 400:
            raise ApiError(status, decoded.get("message") or reason, decoded.get("errors") or {})
        return decoded["data"]

    def _over_socket(self, request: bytes) -> bytes:
        root = self.layout.root
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect(str(self.layout.api_socket))
                connection.sendall(request)
                return b"".join(iter(lambda: connection.recv(256 * 1024), b""))
            except (FileNotFoundError, ConnectionRefusedError) as exc:
                raise Unavailable(
                    f"no node runs on '{root}': start it with `./dev up --root {root}`, "
                    "or name the right one with --root or CORRAL_ROOT"
                ) from exc
            except PermissionError as exc:
                raise Error("only root may use this tool: it acts as root@pam") from exc
            except OSError as exc:
                raise Unavailable(f"corrald on '{root}' does not answer: {exc}") from exc

    def node(self) -> str:
        """The node's name."""
        status = self.call("GET", "/cluster/status", {})
        return next(str(row["name"]) for row in status if row.get("type") == "node" and row.get("local"))

    def follow(self, node: str, upid: str, *, quiet: bool = False) -> str:
        """Show a task's log until it ends, with a progress line on a terminal; answers its exit status.

        Survives a restart of corrald. `Interrupted` on Ctrl-C: the task goes on.
        """
        path = f"/nodes/{node}/tasks/{quote(upid, safe='')}"
        line = _Line(self._clock, quiet=quiet)
        try:
            return self._follow(path, line)
        except KeyboardInterrupt as exc:
            line.clear()
            raise Interrupted(
                f"the task goes on: {upid}\n"
                f"`pvesh get /nodes/{node}/tasks/{upid}/status` shows it, "
                f"`pvesh delete /nodes/{node}/tasks/{upid}` stops it"
            ) from exc

    def _follow(self, path: str, line: _Line) -> str:
        shown, pause, lost = 0, POLL_FIRST, None
        while True:
            try:
                status = self.call("GET", f"{path}/status", {})
                for row in self.call("GET", f"{path}/log", {"start": shown, "limit": 500}):
                    if row != NO_LINES:
                        shown = row["n"]
                        line.print(row["t"])
                lost = None
            except Unavailable:
                now = self._clock.monotonic()
                lost = lost or now
                if now - lost > PATIENCE:
                    raise
                status = {"status": "running", "waiting": "corrald is away; the task goes on"}
            if status["status"] == "stopped":
                line.clear()
                return str(status["exitstatus"])
            line.progress(status)
            self._clock.sleep(pause)
            pause = min(pause * 1.5, POLL_MOST)


def read_answer(answer: bytes) -> tuple[int, str, bytes]:
    """Status, reason phrase and body; `Unavailable` if the answer is not complete."""
    head, end, payload = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("utf-8", "replace").split("\r\n")
    words = first.split(" ", 2)
    sizes = [line[15:].strip() for line in lines if line.lower().startswith("content-length:")]
    if not end or len(words) < 2 or not words[1].isdigit() or (sizes and len(payload) < int(sizes[0])):
        raise Unavailable("corrald ended in the middle of its answer")
    return int(words[1]), words[2] if len(words) > 2 else "", payload


class _Line:
    """Log lines, and below them one that is rewritten in place."""

    def __init__(self, clock: Clock, *, quiet: bool) -> None:
        self._clock = clock
        self._quiet = quiet
        self._start = clock.monotonic()
        self._shown = False

    def print(self, text: str) -> None:
        self.clear()
        if not self._quiet and not text.startswith("TASK "):
            print(text, flush=True)

    def progress(self, status: Mapping[str, Any]) -> None:
        spent = self._clock.monotonic() - self._start
        if self._quiet or not sys.stderr.isatty() or spent < PROGRESS_AFTER:
            return
        sys.stderr.write(f"\r\x1b[K{progress_text(status)}, {spent:.0f} s")
        sys.stderr.flush()
        self._shown = True

    def clear(self) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False


def progress_text(status: Mapping[str, Any]) -> str:
    """What a running task does or waits for, in a few words."""
    fraction = status.get("progress")
    part = f"{fraction:.0%} " if isinstance(fraction, int | float) else ""
    if waiting := status.get("waiting"):
        return f"waiting: {waiting}"
    return f"{part}{status.get('text') or 'running'}"
