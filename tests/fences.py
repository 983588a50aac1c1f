"""Fences around unit tests, made of Python's audit events, so that no library slips past them."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any


class Fenced(AssertionError):
    """A unit test did what only an integration test may do."""


class _Rules:
    """The doors that are closed now; None: outside of a fenced test."""

    def __init__(self, opened: Collection[str], writable: Sequence[Path]) -> None:
        self.opened = frozenset(opened)
        self.writable = tuple(os.path.realpath(path) + os.sep for path in writable)

    def processes(self, event: str, args: tuple[Any, ...]) -> None:
        raise Fenced(f"{event} {args[:2]}: a unit test starts no process; take a Run and use the fixture `run`")

    def network(self, event: str, args: tuple[Any, ...]) -> None:
        connection, address = args[0], args[1]
        if connection.family not in (socket.AF_INET, socket.AF_INET6):
            return
        host = str(address[0])
        if not (host.startswith("127.") or host in ("::1", "localhost")):
            raise Fenced(f"{event} {address}: a unit test reaches loopback at most")

    def files(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            flags = args[2]
            if not isinstance(flags, int) or not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
                return
        # A link is made at its second name; the first may point anywhere.
        path = args[1] if event in ("os.symlink", "os.link") else args[0]
        if not isinstance(path, str | bytes | os.PathLike):
            return
        name = os.fsdecode(path)
        # A relative name may be relative to an open directory, which the event doesn't tell.
        if not name.startswith("/") or name.startswith(("/dev/", "/proc/self/")) or "__pycache__" in name:
            return
        parent = os.path.realpath(os.path.dirname(name)) + os.sep
        if not parent.startswith(self.writable):
            raise Fenced(f"{event} {name}: a unit test writes only below tmp_path")


_DOORS: dict[str, str] = {
    **dict.fromkeys(
        ("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.exec", "os.system"), "processes"
    ),
    **dict.fromkeys(("socket.connect", "socket.bind", "socket.sendto"), "network"),
    **dict.fromkeys(
        (
            "open", "os.mkdir", "os.remove", "os.rmdir", "os.rename", "os.link", "os.symlink", "os.chmod", "os.chown",
            "os.truncate", "os.utime",
        ),
        "files",
    ),
}  # fmt: skip

_rules: _Rules | None = None
_installed = False


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if _rules is None:
        return
    door = _DOORS.get(event)
    if door is not None and door not in _rules.opened:
        check: Callable[[str, tuple[Any, ...]], None] = getattr(_rules, door)
        check(event, args)


@contextlib.contextmanager
def closed(*, opened: Collection[str], writable: Sequence[Path]) -> Iterator[None]:
    """Close every door but those in `opened` (processes, network, files) while the block runs."""
    global _rules, _installed
    if not _installed:
        sys.addaudithook(_audit)
        _installed = True
    # Sockets have short names, so tests may make directories of their own beside pytest's.
    scratch = Path(tempfile.gettempdir()) / "corral-test"
    before, _rules = _rules, _Rules(opened, [*writable, scratch])
    try:
        yield
    finally:
        _rules = before
