"""A node of its own for tests and benches: started by the same command that a user types, in a directory of its own.

with Node(tmp_path) as node:
    node.login()
    node.call("POST", "/nodes/n1/qemu", vmid=100, memory=256)
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from corral.core.layout import Layout

PASSWORD = "corral-test-password"
READY = re.compile(r"^ready https://(\S+):(\d+) sha256:([0-9a-fA-F:]+)", re.MULTILINE)


class ApiError(Exception):
    """An answer that is no success: `.status`, `.reason` and `.errors` by parameter."""

    def __init__(self, call: str, status: int, reason: str, body: str) -> None:
        super().__init__(f"{call}: {status} {reason} {body[:500]}")
        self.status = status
        self.reason = reason
        self.errors: dict[str, str] = {}
        with contextlib.suppress(ValueError, AttributeError):
            self.errors = json.loads(body).get("errors") or {}


class NotReady(Exception):
    """The node did not come up; the text is what it printed."""


def free_port() -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Node:
    """A running `corral node`. Its guests are killed with it at the end of the block."""

    def __init__(self, root: Path, *, name: str = "n1", arguments: Sequence[str] = (), namespace: str = "") -> None:
        """`namespace`: the network namespace it lives in, made by the caller; its port is reached from there only."""
        self.namespace = namespace
        self.root = root
        self.name = name
        self.port = free_port()
        self.log = root.parent / f"{root.name}.log"
        self.arguments = list(arguments)
        self.prefix: list[str] = []
        """Words before the command, such as a program that gives it another view of the machine."""
        self.process: subprocess.Popen[bytes] | None = None
        self.fingerprint = ""
        self.headers: dict[str, str] = {}
        self._tls = ssl.create_default_context()
        self._tls.check_hostname = False
        self._tls.verify_mode = ssl.CERT_NONE

    @property
    def base(self) -> str:
        """Where the API is."""
        return f"https://127.0.0.1:{self.port}/api2/json"

    @property
    def program(self) -> Path:
        """The virtual environment's `corral`; its neighbours are `qm`, `pvesh`, …"""
        return Path(sys.executable).parent / "corral"

    @property
    def environment(self) -> dict[str, str]:
        """For tools that are to find this node."""
        return {**os.environ, "CORRAL_ROOT": str(self.root), "CORRAL_ADMIN_PASSWORD": PASSWORD, "PYTHONUNBUFFERED": "1"}

    def start(self, timeout: float = 60) -> None:
        """Start it and wait for its ready line; `NotReady` if that doesn't come."""
        self.root.mkdir(mode=0o700, exist_ok=True)
        command: list[str | Path] = [
            *(["ip", "netns", "exec", self.namespace] if self.namespace else []),
            *self.prefix,
            self.program,
            "node",
            "--root",
            self.root,
            "--port",
            str(self.port),
            "--node",
            self.name,
        ]
        with self.log.open("ab") as log:
            mark = log.tell()
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment
            )
        end = time.monotonic() + timeout
        while True:
            text = self.log.read_bytes()[mark:].decode(errors="replace")
            if found := READY.search(text):
                self.fingerprint = found[3]
                return
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise NotReady(text[-4000:])
            time.sleep(0.02)

    def stop(self, timeout: float = 20) -> int:
        """SIGTERM, as Ctrl-C does; guests go on. Answers the exit code."""
        assert self.process
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                return self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait(timeout)

    def guests(self) -> list[int]:
        """Process ids of the QEMUs whose files are this node's."""
        found = []
        ours = f"{Layout(self.root.resolve()).run}/".encode()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    words = (entry / "cmdline").read_bytes()
                    if b"qemu-system" in words.split(b"\0")[0] and ours in words:
                        found.append(int(entry.name))
        return found

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        for pid in self.guests():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    # ------------------------------------------------------------------------------------------------------- its API

    def login(self, user: str = "admin@pve", password: str = PASSWORD) -> dict[str, Any]:
        """Log in; later calls are made with the ticket."""
        self.headers = {}
        ticket: dict[str, Any] = self.call("POST", "/access/ticket", username=user, password=password)
        quoted = urllib.parse.quote(ticket["ticket"], safe="")
        self.headers = {"Cookie": f"PVEAuthCookie={quoted}", "CSRFPreventionToken": ticket["CSRFPreventionToken"]}
        return ticket

    def use_token(self, token: str, secret: str) -> None:
        """Later calls are made with an API token."""
        self.headers = {"Authorization": f"PVEAPIToken={token}={secret}"}

    def request(
        self, method: str, path: str, /, headers: dict[str, str] | None = None, **params: Any
    ) -> tuple[int, str, str]:
        """Status, reason and body of a call. `None` values are left out; booleans become 1 and 0."""
        flat = [(key, _wire(value)) for key, value in params.items() if value is not None]
        form = urllib.parse.urlencode(flat)
        url = f"{self.base}{path}" + (f"?{form}" if form and method in ("GET", "DELETE") else "")
        data = form.encode() if method in ("POST", "PUT") else None
        request = urllib.request.Request(url, data, {**self.headers, **(headers or {})}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120, context=self._tls) as reply:
                return reply.status, reply.reason, reply.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.reason, error.read().decode()

    def call(self, method: str, path: str, /, headers: dict[str, str] | None = None, **params: Any) -> Any:
        """The `data` of a call's answer; `ApiError` if it is refused. `{node}` in the path is this node."""
        path = path.replace("{node}", self.name)
        status, reason, body = self.request(method, path, headers, **params)
        if status != 200:
            raise ApiError(f"{method} {path}", status, reason, body)
        return json.loads(body)["data"]

    def wait(self, upid: str, timeout: float = 120) -> str:
        """The exit status of a task, once it has ended."""
        end = time.monotonic() + timeout
        while True:
            status = self.call("GET", f"/nodes/{self.name}/tasks/{urllib.parse.quote(upid, safe='')}/status")
            if status["status"] == "stopped":
                return str(status["exitstatus"])
            if time.monotonic() > end:
                raise TimeoutError(f"{upid} still runs: {self.task_log(upid)[-5:]}")
            time.sleep(0.05)

    def task_log(self, upid: str) -> list[str]:
        """The lines of a task's log."""
        lines = self.call("GET", f"/nodes/{self.name}/tasks/{urllib.parse.quote(upid, safe='')}/log", limit=0)
        return [line["t"] for line in lines]

    def do(self, method: str, path: str, /, **params: Any) -> None:
        """A call that spawns a task, and the wait for its success; warnings are one (here is no KVM)."""
        upid = self.call(method, path, **params)
        outcome = self.wait(upid)
        if outcome != "OK" and not outcome.startswith("WARNINGS"):
            raise RuntimeError(f"{method} {path}: {outcome}\n" + "\n".join(self.task_log(upid)))

    def tool(self, name: str, *words: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run `qm`, `pvesh`, … against this node."""
        return subprocess.run(
            [self.program.parent / name, *words], env=self.environment, capture_output=True, text=True, timeout=timeout,
            check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip


def _wire(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)
