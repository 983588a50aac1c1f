"""UPIDs: the names of tasks, as clients of Proxmox VE know them."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import msgspec

from corral.core.clock import Clock
from corral.core.errors import NotFound, ParamError
from corral.system import files, locks

_NODE = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_UPID = re.compile(
    rf"UPID:({_NODE}):([0-9A-Fa-f]{{8}}):([0-9A-Fa-f]{{8,9}}):([0-9A-Fa-f]{{8}}):([^:\s/]+):([^:\s/]*):([^:\s/]+):"
)
MAX_LENGTH = 240
"""A UPID names files and a record; both allow 255 bytes, and ours add an ending."""


class Upid(msgspec.Struct, frozen=True, kw_only=True):
    """A task's name: node, a number that is unique until the next boot, two times, type, id and user.

    `pid` tells nothing about a process. `pstart` counts 1/100 s since boot. `starttime` is in Unix seconds.
    `user` is a user id or a full token id.
    """

    node: str
    pid: int
    pstart: int
    starttime: int
    type: str
    id: str
    user: str

    @classmethod
    def parse(cls, text: str) -> Upid:
        """The inverse of `str`; ParamError on `upid` for anything else."""
        match = _UPID.fullmatch(text) if text.isprintable() else None
        if match is None or len(text.encode()) > MAX_LENGTH:
            raise ParamError({"upid": "unable to parse worker upid"})
        node, pid, pstart, starttime, type_, id_, user = match.groups()
        return cls(
            node=node,
            pid=int(pid, 16),
            pstart=int(pstart, 16),
            starttime=int(starttime, 16),
            type=type_,
            id=id_,
            user=user,
        )

    def __str__(self) -> str:
        return (
            f"UPID:{self.node}:{self.pid:08X}:{self.pstart:08X}:{self.starttime:08X}:{self.type}:{self.id}:{self.user}:"
        )

    @property
    def owner(self) -> str:
        """The user id, without the name of a token."""
        return self.user.partition("!")[0]

    @property
    def token(self) -> str | None:
        """The token's name, if a token made the task."""
        return self.user.partition("!")[2] or None

    @property
    def order(self) -> tuple[int, int, int]:
        """Sorts the tasks of one boot by their beginning."""
        return (self.starttime, self.pstart, self.pid)


class Counter:
    """Numbers for the `pid` field: each once until the next boot, also across restarts of the daemon.

    The file at `path` lies where a boot clears it; it holds the first number not yet reserved. Numbers are reserved
    in blocks, so that most tasks write nothing here; those of a block that a crash cut off are never used.
    """

    BLOCK = 1000

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._next = self._end = 1

    def next(self) -> int:
        """The next number, 1 to 2³²-1."""
        with self._lock:
            if self._next >= self._end:
                self._reserve()
            number = self._next
            self._next += 1
            return (number - 1) % 0xFFFFFFFF + 1

    def _reserve(self) -> None:
        with locks.lock(self._path.with_name(self._path.name + ".lock"), timeout=10):
            try:
                first = int(files.read_text(self._path, limit=64))
            except (NotFound, ValueError):
                first = 1
            files.atomic_write(self._path, str(first + self.BLOCK), mode=0o600)
        self._next, self._end = first, first + self.BLOCK


def issue(counter: Counter, clock: Clock, *, node: str, kind: str, of: str, user: str) -> Upid:
    """A new UPID of type `kind` for the object `of`. ParamError where type, id or user can't stand in one."""
    upid = Upid(
        node=node,
        pid=counter.next(),
        pstart=int(clock.monotonic() * 100) % 0xFFFFFFFFF,
        starttime=int(clock.now()),
        type=kind,
        id=of,
        user=user,
    )
    return Upid.parse(str(upid))
