"""Journals: one file per task that has not been put away, telling at any moment what must be undone.

A journal is lines of JSON. What must survive (header, undo steps, ends) is on disk before the deed it announces. A line
that a crash tore is no line: its deed had not begun. The lock (flock) on the file is held from the moment a worker is
asked for until it has died, through every hand it passes, so a free lock means: nobody acts.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from corral.core.errors import Error, NotFound
from corral.store.base import Doc, Write
from corral.system import files, locks
from corral.tasks.base import Draws, Requester
from corral.tasks.outcome import Outcome, decode, encoder

log = logging.getLogger(__name__)

SUFFIX = ".journal"


class Claim(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A record written by the claim, and what it held before (None: it did not exist). Its undo number is below 0."""

    number: int
    write: Write
    before: Doc | None = None


class Header(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="r", tag="header"):
    """First line: everything needed to run the task. `transacted` says that a claim transaction goes with it, so the
    task exists only once that transaction's `kept/<upid>` does. `boot` is the boot it was made in."""

    upid: str
    task: str
    args: msgspec.Raw
    by: Requester
    boot: str
    draws: dict[str, str] = {}
    bound: bool = False
    locks: tuple[str, ...] = ()
    slots: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()
    transacted: bool = False
    awaited: bool = False


class Begin(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="r", tag="begin"):
    """A worker has started: the act, or with `undo` the undoing of what a dead one left."""

    pid: int
    undo: bool = False


class Step(msgspec.Struct, frozen=True, kw_only=True, tag_field="r", tag="undo"):
    """An undo step, journalled before its deed."""

    number: int
    name: str
    args: msgspec.Raw


class Void(msgspec.Struct, frozen=True, kw_only=True, tag_field="r", tag="void"):
    """These steps must not be run any more."""

    numbers: tuple[int, ...]


class Failing(msgspec.Struct, frozen=True, kw_only=True, tag_field="r", tag="failing"):
    """The act has failed with this outcome; what follows is undoing."""

    outcome: Outcome


class Undone(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="r", tag="undone"):
    """A step was run. With `error` it failed and remains."""

    number: int
    error: str = ""


class Progress(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="r", tag="progress"):
    """How far the act is; not synced."""

    fraction: float
    text: str = ""


class Cancel(msgspec.Struct, frozen=True, kw_only=True, tag_field="r", tag="cancel"):
    """Somebody asked the task to stop."""

    by: str


class End(msgspec.Struct, frozen=True, kw_only=True, tag_field="r", tag="end"):
    """Acting or undoing is over; only putting away remains."""

    outcome: Outcome


Record = Header | Begin | Step | Void | Failing | Undone | Progress | Cancel | End


class Kept(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The text of the record `kept/<upid>`, written by the transactions of the task itself: how many there were, and
    the undo steps that they made void."""

    commits: int = 0
    numbers: tuple[int, ...] = ()


def kept_key(upid: str) -> str:
    """Where a task's `Kept` lies in the store."""
    return f"kept/{upid}"


def parse(data: bytes) -> list[Record]:
    """The whole lines of a journal; torn and foreign ones are left out."""
    records: list[Record] = []
    for line in data.split(b"\n"):
        if line:
            with contextlib.suppress(msgspec.MsgspecError, ValueError):
                records.append(decode(line, Record))
    return records


@dataclass(slots=True)
class State:
    """What a journal's lines add up to."""

    header: Header
    begin: Begin | None = None
    undo_attempts: int = 0
    steps: dict[int, Step] = field(default_factory=dict)
    next_number: int = 1
    failing: Outcome | None = None
    cancelled_by: str | None = None
    end: Outcome | None = None
    progress: Progress | None = None

    def apply(self, record: Record) -> None:
        """Add one line."""
        match record:
            case Begin(undo=undo):
                self.begin = record
                self.undo_attempts += undo
            case Step(number=number):
                self.steps[number] = record
                self.next_number = max(self.next_number, number + 1)
            case Void(numbers=numbers):
                for number in numbers:
                    self.steps.pop(number, None)
            case Undone(number=number, error=""):
                self.steps.pop(number, None)
            case Header() | Undone():
                pass  # only the first header counts; a step whose undoing failed is still to be done
            case Failing(outcome=outcome):
                self.failing = outcome
            case Progress():
                self.progress = record
            case Cancel(by=by):
                self.cancelled_by = by
            case End(outcome=outcome):
                self.end = outcome

    def remaining(self, kept: Kept) -> list[Step]:
        """The undo steps still to be run, in the order to run them: last first."""
        return [step for number, step in sorted(self.steps.items(), reverse=True) if number not in kept.numbers]

    def unclaim(self, kept: Kept) -> list[Claim]:
        """The claims still to be taken back, last first."""
        return [claim for claim in reversed(self.header.claims) if claim.number not in kept.numbers]

    @property
    def draws(self) -> Draws:
        """The draws of the task's plan."""
        return Draws(dict(self.header.draws), bound=self.header.bound)


def replay(records: Iterable[Record]) -> State | None:
    """What the lines add up to, or None where even the header is missing: the task was never answered."""
    lines = iter(records)
    first = next(lines, None)
    if not isinstance(first, Header):
        return None
    state = State(first)
    for record in lines:
        state.apply(record)
    return state


class Journal:
    """A journal that is open for appending, its lock held. Only one process holds it at a time."""

    def __init__(self, descriptor: int) -> None:
        """Take over a locked descriptor, open for reading and writing."""
        self.descriptor = descriptor
        flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
        fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_APPEND)
        size = os.fstat(descriptor).st_size
        self._torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"

    @classmethod
    def create(cls, path: Path, header: Header) -> None:
        """Make a journal, durably. Nothing is left behind if that fails."""
        try:
            files.ensure_dir(path.parent, mode=0o700)
            files.atomic_write(path, encoder.encode(header) + b"\n", mode=0o600, exclusive=True)
        except OSError as exc:
            raise Error(f"can't write the task's journal - {exc.strerror}") from exc

    @classmethod
    def take(cls, path: Path) -> Journal | None:
        """Open and lock it; None while a worker holds it. NotFound if there is none."""
        if not path.exists():
            raise NotFound(f"no such journal '{path}'")
        held = locks.try_lock(path)
        return None if held is None else cls(held.descriptor)

    def append(self, *records: Record, durable: bool = True) -> None:
        """Add lines in one write; on disk when this returns, if `durable`. Error if the disk is full or broken."""
        data = b"".join(encoder.encode(record) + b"\n" for record in records)
        data = b"\n" + data if self._torn else data
        try:
            self._torn = os.write(self.descriptor, data) < len(data)
            if self._torn:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if durable:
                os.fsync(self.descriptor)
        except OSError as exc:
            raise Error(f"can't write the task's journal - {exc.strerror}") from exc

    def note(self, *records: Record) -> None:
        """Add lines that may be lost: without them something idempotent is done once more. Also on a full disk, where
        an undo is what makes room."""
        try:
            self.append(*records, durable=False)
        except Error as exc:
            log.warning("%s", exc)

    def records(self) -> list[Record]:
        """All lines, from the beginning."""
        return parse(b"".join(self._chunks()))

    def _chunks(self) -> Iterator[bytes]:
        offset = 0
        while chunk := os.pread(self.descriptor, 1 << 20, offset):
            offset += len(chunk)
            yield chunk

    def close(self) -> None:
        """Let go of file and lock; idempotent."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


class Tail:
    """Reads what a worker appends to its journal while it runs."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def news(self) -> list[Record]:
        """The whole lines added since the last call."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return []
        end = data.rfind(b"\n") + 1
        self._offset += end
        return parse(data[:end])


def path_of(directory: Path, upid: str) -> Path:
    """Where a task's journal lies."""
    return directory / (upid + SUFFIX)


def read(path: Path) -> State | None:
    """A journal as it stands; None where the file or its header is missing."""
    try:
        return replay(parse(path.read_bytes()))
    except FileNotFoundError:
        return None


def append(path: Path, record: Record) -> None:
    """Add a line, durably, from outside the worker that holds the journal."""
    with path.open("rb+") as file:
        size = file.seek(0, os.SEEK_END)
        torn = size > 0 and os.pread(file.fileno(), 1, size - 1) != b"\n"
    line = encoder.encode(record).decode()
    files.append_line(path, "\n" + line if torn else line, mode=0o600)
