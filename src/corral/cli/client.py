"""The tools' way to corrald: HTTP over `api.sock`, where a peer with uid 0 is root@pam."""

from __future__ import annotations

import http.client
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from corral.core.clock import Clock
from corral.core.errors import Error
from corral.core.layout import Layout

POLL = 0.2
PROGRESS_AFTER = 2.0


class ApiError(Error):
    """The call failed. `errors` names the parameters that are wrong."""

    def __init__(self, status: int, message: str, errors: Mapping[str, str]) -> None:
        super().__init__(message.rstrip())
        self.code = status
        self.errors = errors


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("corrald")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


class Client:
    """Calls of one node. `Error` says what to do when it does not run."""

    def __init__(self, layout: Layout, clock: Clock) -> None:
        self.layout = layout
        self._clock = clock

    def pause(self, seconds: float) -> None:
        """Wait a moment."""
        self._clock.sleep(seconds)

    def call(self, method: str, path: str, params: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Any:
        """The data of a call; `ApiError` when it fails."""
        body, url = None, f"/api2/json{path}"
        sent = dict(headers or {})
        if method in ("POST", "PUT"):
            body = msgspec.json.encode(params)
            sent["Content-Type"] = "application/json"
        elif params:
            url += "?" + urlencode(params, doseq=True)
        answer, payload = self._exchange(method, url, body, sent)
        try:
            decoded = msgspec.json.decode(payload)
        except msgspec.DecodeError:
            decoded = {"data": None, "message": answer.reason}
        if answer.status >= 400:
            raise ApiError(answer.status, decoded.get("message") or answer.reason, decoded.get("errors") or {})
        return decoded["data"]

    def _exchange(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        connection = _Connection(self.layout.api_socket)
        try:
            connection.request(method, url, body=body, headers=dict(headers))
            answer = connection.getresponse()
            return answer, answer.read()
        except FileNotFoundError as exc:
            raise Error(
                f"no node runs on '{self.layout.root}': start it with `./dev up --root {self.layout.root}`, "
                "or name the right one with --root or CORRAL_ROOT"
            ) from exc
        except PermissionError as exc:
            raise Error("only root may use this tool: it acts as root@pam") from exc
        except (OSError, http.client.HTTPException) as exc:
            raise Error(f"corrald on '{self.layout.root}' does not answer: {exc}") from exc
        finally:
            connection.close()

    def node(self) -> str:
        """The node's name."""
        status = self.call("GET", "/cluster/status", {})
        return next(str(row["name"]) for row in status if row.get("type") == "node" and row.get("local"))

    def follow(self, node: str, upid: str, *, quiet: bool = False) -> str:
        """Show a task's log until it ends, with a progress line on a terminal; answers its exit status."""
        path = f"/nodes/{node}/tasks/{quote(upid, safe='')}"
        shown, line = 0, _Line(self._clock, quiet=quiet)
        while True:
            status = self.call("GET", f"{path}/status", {})
            for row in self.call("GET", f"{path}/log", {"start": shown, "limit": 500}):
                shown = row["n"]
                line.print(row["t"])
            if status["status"] == "stopped":
                line.clear()
                return str(status["exitstatus"])
            line.progress(status)
            self._clock.sleep(POLL)


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
            print(text)

    def progress(self, status: Mapping[str, Any]) -> None:
        spent = self._clock.monotonic() - self._start
        if self._quiet or not sys.stderr.isatty() or spent < PROGRESS_AFTER:
            return
        said = status.get("waiting") or status.get("text") or "running"
        fraction = status.get("progress")
        part = f"{fraction:4.0%} " if isinstance(fraction, int | float) else ""
        sys.stderr.write(f"\r\x1b[K{part}{said}, {spent:.0f} s")
        sys.stderr.flush()
        self._shown = True

    def clear(self) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False
