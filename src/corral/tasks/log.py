"""Task logs and their index, in the files and with the lines that Proxmox VE has, so that its tools read them.

`<directory>/<last hex digit of the start time>/<UPID>` holds a task's lines; `<directory>/index` a line
`UPID ENDTIME STATUS` for each task that has ended. The index is mirrored in memory, for lists.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec

from corral.core.clock import Clock
from corral.core.errors import NotFound, ParamError
from corral.system import files
from corral.tasks.base import Ended
from corral.tasks.upid import Upid

_CLOSING = re.compile(r"TASK (?:(OK)|ERROR: (.+)|(WARNINGS: \d+))")
_INDEX = re.compile(r"(UPID:\S+) ([0-9A-Fa-f]{1,16}) (.*)")
UNKNOWN = "unexpected status"
"""The status of a task whose log has no closing line."""

READ_LIMIT = 256 * 1024 * 1024


class Line(msgspec.Struct, frozen=True):
    """One line of a log, counted from 1."""

    n: int
    t: str


def log_path(directory: Path, upid: str) -> Path:
    """Where a task's log lies."""
    return directory / f"{Upid.parse(upid).starttime & 15:X}" / upid


def status_of(text: str) -> str:
    """The status that a log's last line tells."""
    lines = text.rstrip("\n").rsplit("\n", 1)
    match = _CLOSING.fullmatch(lines[-1])
    if match is None:
        return UNKNOWN
    return match[1] or match[2] or match[3]


def kind_of(status: str) -> str:
    """The filter word of a status: `ok`, `warning`, `unknown` or `error`."""
    if status == "OK":
        return "ok"
    if status.startswith("WARNINGS: "):
        return "warning"
    return "unknown" if status == UNKNOWN else "error"


class LogWriter:
    """Appends to one task's log. Several processes may; each line is one write."""

    def __init__(self, directory: Path, upid: str) -> None:
        self._path = log_path(directory, upid)

    def write(self, text: str) -> None:
        """Add the text's lines; control characters but tab are left out. A full disk loses lines, not the task."""
        lines = [_clean(line) for line in text.splitlines()] or [""]
        with contextlib.suppress(OSError), files.appending(self._path) as descriptor:
            os.write(descriptor, "".join(line + "\n" for line in lines).encode("utf-8", "replace"))

    def close(self, line: str) -> None:
        """Add the closing line, unless there is one. The index says the same, durably."""
        if status_of(files.read_tail(self._path, limit=64 * 1024)) == UNKNOWN:
            files.append_line(self._path, _clean(line), durable=False)

    @classmethod
    def create(cls, directory: Path, upid: str) -> LogWriter:
        """Make the (empty) log."""
        writer = cls(directory, upid)
        files.ensure_dir(writer._path.parent)
        with files.appending(writer._path):
            return writer


def _clean(line: str) -> str:
    return "".join(char for char in line if char.isprintable() or char == "\t")


def read_log(directory: Path, upid: str, start: int = 0, limit: int = 50) -> tuple[list[Line], int]:
    """Lines from `start` (0 is the first), at most `limit` (0: all), and how many there are.

    NotFound where there is no log. A log without lines has one, which says so: clients expect it.
    """
    path = log_path(directory, upid)
    lines: list[Line] = []
    count = 0
    try:
        with path.open("rb") as file:
            for count, raw in enumerate(file, 1):
                if count > start and (limit == 0 or len(lines) < limit):
                    lines.append(Line(count, raw.rstrip(b"\n").decode("utf-8", "replace")))
    except FileNotFoundError as exc:
        raise NotFound("no such task") from exc
    if count == 0:
        return [Line(1, "no content")], 1
    return lines, count


def follow(
    directory: Path, upid: str, *, ended: Callable[[], bool], clock: Clock, after: int = 0, interval: float = 0.5
) -> Iterator[list[Line]]:
    """The lines after line `after`, then those that come, until the task has `ended` and all is told."""
    path = log_path(directory, upid)
    offset, number, rest = 0, 0, b""
    while True:
        last = ended()  # asked before reading: what was written before the end is then read for certain
        for chunk in _read_from(path, offset):
            offset += len(chunk)
            *whole, rest = (rest + chunk).split(b"\n")
            lines = [Line(number + at, raw.decode("utf-8", "replace")) for at, raw in enumerate(whole, 1)]
            number += len(whole)
            if fresh := [line for line in lines if line.n > after]:
                yield fresh
        if last:
            return
        clock.sleep(interval)


def _read_from(path: Path, offset: int) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            while chunk := file.read(65536):
                yield chunk
    except FileNotFoundError:
        return


class Filter(NamedTuple):
    """Which tasks a list shows. Times are Unix seconds of the start; `user` is a part of the user's name in any case;
    `kinds` are filter words; `visible` decides on the task's user."""

    type: str | None = None
    id: str | None = None
    user: str | None = None
    since: int | None = None
    until: int | None = None
    errors: bool = False
    kinds: frozenset[str] = frozenset()
    visible: Callable[[str], bool] = lambda _user: True

    def admits(self, upid: Upid, status: str | None) -> bool:
        """Whether a task is shown; `status` is None while it has not ended."""
        return (
            (self.type is None or upid.type == self.type)
            and (self.id is None or upid.id == self.id)
            and (self.user is None or self.user.lower() in upid.user.lower())
            and (self.since is None or upid.starttime >= self.since)
            and (self.until is None or upid.starttime <= self.until)
            and self._admits_status(status)
            and self.visible(upid.user)
        )

    def _admits_status(self, status: str | None) -> bool:
        if status is None:
            return not self.errors and not self.kinds
        kind = kind_of(status)
        return (not self.errors or kind in {"error", "unknown"}) and (not self.kinds or kind in self.kinds)


class Entry(NamedTuple):
    """A line of the index: `endtime` in whole Unix seconds."""

    upid: Upid
    endtime: int
    status: str

    def __str__(self) -> str:
        return f"{self.upid} {self.endtime:08X} {self.status}"

    @classmethod
    def parse(cls, line: str) -> Entry | None:
        """An entry, or None for a line that is none."""
        match = _INDEX.fullmatch(line)
        if match is None:
            return None
        try:
            return cls(Upid.parse(match[1]), int(match[2], 16), match[3])
        except ParamError:
            return None


@dataclass(frozen=True, slots=True)
class Retention:
    """How long ended tasks are kept: neither older than `age` seconds nor more than `count`."""

    age: float = 365 * 86400.0
    count: int = 20_000


class Index:
    """The ended tasks of a node, in memory and in the file. May be called from every thread."""

    def __init__(self, directory: Path, retention: Retention | None = None) -> None:
        self.directory = directory
        self.retention = retention or Retention()
        self._path = directory / "index"
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque()
        self._by_upid: dict[str, Entry] = {}
        files.ensure_dir(directory)
        for entry in _read_index(self._path):
            self._remember(entry)

    def _remember(self, entry: Entry) -> None:
        if str(entry.upid) not in self._by_upid:
            self._entries.append(entry)
            self._by_upid[str(entry.upid)] = entry

    def add(self, ended: Ended) -> None:
        """Enter an ended task, durably. A second time for the same task changes nothing."""
        entry = Entry(Upid.parse(ended.upid), ended.endtime, ended.status)
        with self._lock:
            if ended.upid in self._by_upid:
                return
            files.append_line(self._path, str(entry))
            self._remember(entry)

    def find(self, upid: str) -> Entry | None:
        """The entry of an ended task."""
        return self._by_upid.get(upid)

    def search(self, wanted: Filter) -> list[Entry]:
        """Every admitted entry, the last ended first."""
        with self._lock:
            entries = list(self._entries)
        return [entry for entry in reversed(entries) if wanted.admits(entry.upid, entry.status)]

    def prune(self, now: float) -> int:
        """Forget what is beyond the retention, logs included; answers how many tasks went."""
        with self._lock:
            dropped = self._drop(now)
            if dropped:
                files.atomic_write(self._path, "".join(f"{entry}\n" for entry in self._entries), mode=0o640)
        for entry in dropped:
            files.remove_file(log_path(self.directory, str(entry.upid)))
        return len(dropped)

    def _drop(self, now: float) -> list[Entry]:
        dropped = []
        while self._entries and (
            len(self._entries) > self.retention.count or self._entries[0].endtime < now - self.retention.age
        ):
            entry = self._entries.popleft()
            del self._by_upid[str(entry.upid)]
            dropped.append(entry)
        return dropped


def _read_index(path: Path) -> Iterable[Entry]:
    try:
        text = files.read_text(path, limit=READ_LIMIT)
    except NotFound:
        return []
    if text and not text.endswith("\n"):
        # A crash tore the last line. Its task is not yet put away, so it will be entered again.
        text = text[: text.rfind("\n") + 1]
        files.atomic_write(path, text, mode=0o640)
    return filter(None, map(Entry.parse, text.split("\n")))


def unindexed(directory: Path, upid: str) -> Entry | None:
    """What a log alone tells of a task, for one that another installation has left; None without a log."""
    path = log_path(directory, upid)
    try:
        changed = int(path.stat().st_mtime)
    except FileNotFoundError:
        return None
    return Entry(Upid.parse(upid), changed, status_of(files.read_tail(path, limit=64 * 1024)))
