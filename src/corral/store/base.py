"""The store's contract: small texts under revisions, changed by atomic transactions, watched without gaps.

An engine promises:

Durability   a `commit` that returned survives the death of the process, the machine or its power; one that raised
             left nothing behind. (`TimedOut` alone may leave the outcome open: the same transaction with the same
             `id` tells, and is never applied twice.)
Atomicity    a transaction's writes, its comparisons and its change record happen together or not at all.
Order        revisions grow by commit; a read never shows less than an earlier answer of the same store object.
Bounded      every verb returns or raises within its time-out (default 10 s): `NoQuorum` or `TimedOut`, never a hang.
Closed       after `close` reads and commits raise `Unavailable`.
Feed         `watch` yields every revision after its cursor once and in order, or says `Reset` and is over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

import msgspec

MAX_TEXT = 1024 * 1024
"""Longest text of a record, in bytes of UTF-8."""


class RecordClass(StrEnum):
    """Who may see a record, its history and its events: anyone's daemon, the API daemon, only root's daemons."""

    PUBLIC = "public"
    API = "api"
    ROOT = "root"

    def sees(self, other: RecordClass) -> bool:
        """Whether a reader of this class may see a record of class `other`."""
        return _RANK[self] >= _RANK[other]


_RANK = {RecordClass.PUBLIC: 0, RecordClass.API: 1, RecordClass.ROOT: 2}


class Revision(NamedTuple):
    """A moment of the store. Another engine or a restore starts an era, whose first number is above all of before.

    So revisions of one store are ordered by (era, number); a revision of an ended era may name a moment that a restore
    took back.
    """

    era: int
    number: int

    def __str__(self) -> str:
        return f"{self.era}.{self.number}"

    @classmethod
    def parse(cls, text: str) -> Revision:
        """The inverse of `str`; ValueError for anything else."""
        era, _, number = text.partition(".")
        return cls(int(era), int(number))


class Doc(msgspec.Struct, frozen=True, kw_only=True):
    """A record as read. `version` is the number of the revision that wrote it; compare versions, not texts.

    `history` is False for a record that was created without one (see `Write`).
    """

    key: str
    text: str
    version: int
    cls: RecordClass
    header: dict[str, str] = {}
    history: bool = True


class Write(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One record's new text; `text=None` deletes it.

    `expect` is compared with the record's version: None compares nothing, 0 demands that it does not exist.
    `cls` and `header` None keep what the record has (a new record is then of class `api` with an empty header).
    `history=False` leaves it out of the change record: for leases, queue entries, status and other volatile texts. It
    counts at creation and for records created so; what once had a history keeps it, so that no link is missing in it.
    """

    key: str
    text: str | None
    expect: int | None = None
    cls: RecordClass | None = None
    header: dict[str, str] | None = None
    history: bool = True


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A comparison without a write: the record's version must be `expect` (0: it must not exist)."""

    key: str
    expect: int


class Cause(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who changes something and why: kept in the history. `who` is a user or token id, `why` names request or task."""

    who: str
    why: str = ""


class Transaction(msgspec.Struct, frozen=True, kw_only=True):
    """All or nothing. At most 4,096 writes and checks together; a key is written at most once.

    `id` (up to 64 characters, random) makes repeating safe: a transaction whose id was applied within the last day
    answers that revision and changes nothing.
    """

    cause: Cause
    writes: tuple[Write, ...] = ()
    checks: tuple[Check, ...] = ()
    id: str = ""


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A record as a revision left it; `doc` is None where it was deleted (`cls` is then the class it had).

    `was` is the class before the change, None for a new record.
    """

    key: str
    cls: RecordClass
    doc: Doc | None
    was: RecordClass | None = None

    def seen_by(self, reader: RecordClass) -> Change | None:
        """The change as a reader of that class may see it: a record that rises above the reader is deleted to it."""
        if reader.sees(self.cls):
            return self
        if self.was is not None and reader.sees(self.was):
            return Change(key=self.key, cls=self.was, doc=None, was=self.was)
        return None


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """All changes of one revision. A reader of a lower class gets the batch with the hidden changes left out."""

    revision: Revision
    changes: tuple[Change, ...]
    cause: Cause

    def seen_by(self, reader: RecordClass) -> Batch:
        """The batch for a reader of that class; it advances the revision also when it has become empty."""
        changes = tuple(seen for change in self.changes if (seen := change.seen_by(reader)) is not None)
        return self if changes == self.changes else Batch(revision=self.revision, changes=changes, cause=self.cause)


class Reset(msgspec.Struct, frozen=True, kw_only=True):
    """The cursor is of another era or behind compaction: list again, then watch from the revision of the list."""

    revision: Revision


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a record's history: its text *before* and *after* that revision (None: absent).

    In texts of class `public` and `api` secrets are redacted (see `history.redact`); entries of class `root` are whole.
    `cls` is the higher of the classes before and after.
    """

    key: str
    revision: Revision
    time: float
    cause: Cause
    before: str | None
    after: str | None
    cls: RecordClass


class Touch(msgspec.Struct, frozen=True, kw_only=True):
    """That a revision changed a record: an entry of its history without the texts."""

    key: str
    revision: Revision
    time: float
    cause: Cause
    cls: RecordClass


class Stood(NamedTuple):
    """A record as it stood at some moment; `cls` is at least the class that it had then."""

    text: str
    cls: RecordClass


class Tree(Protocol):
    """Reading: what the store, a mirror and a worker's remote store have in common."""

    @property
    def revision(self) -> Revision:
        """The revision that reads show at least."""
        ...

    def get(self, key: str) -> Doc | None:
        """The record, or None."""
        ...

    def list(self, prefix: str = "") -> list[Doc]:
        """All records whose key starts with `prefix`, in order of their keys."""
        ...


class Watch(Protocol):
    """A running watch. Closing it from another thread ends the iteration."""

    def __iter__(self) -> Iterator[Batch | Reset]: ...

    def close(self) -> None:
        """End it; idempotent."""
        ...


class Lease(Protocol):
    """A name held for a while by one holder; it ends when not renewed within its `ttl`."""

    def renew(self) -> bool:
        """Extend it by its `ttl`; False when it was lost."""
        ...

    def release(self) -> None:
        """Give it back; idempotent."""
        ...


class Store(Tree, Protocol):
    """The whole store; `sqlite`, `memory` and later `etcd` are its engines."""

    def commit(self, txn: Transaction) -> Revision:
        """Make the transaction good and answer its revision.

        Raises `Conflict` (naming the key) when a comparison fails, `ParamError` for an invalid key or a text over
        `MAX_TEXT`, `NoQuorum` or `TimedOut` when it can't be written now. A transaction without a real change
        (equal texts, classes and headers) answers the present revision and writes nothing. `TimedOut` may leave open
        whether it was applied; repeat it with the same `id` to know.
        """
        ...

    def view(self, prefix: str = "") -> tuple[Revision, list[Doc]]:
        """Like `list`, with the revision at which exactly these records stand: where a watch goes on."""
        ...

    def watch(self, since: Revision) -> Watch:
        """Every batch after `since`, waiting for more; or `Reset` first and last."""
        ...

    def lease(self, name: str, holder: str, ttl: float) -> Lease | None:
        """Take the lease `name` for `ttl` seconds, or None while another holds it. Has no history, fires no watch.

        Its holder may take it again, which extends it. When the store itself was away, a lease that had not ended
        begins anew, so that its holder can renew it in time.
        """
        ...

    def held(self, name: str, holder: str) -> Lease | None:
        """The lease `name` if `holder` holds it now."""
        ...

    def history(
        self, prefix: str = "", *, limit: int = 100, before: Revision | None = None, exact: bool = False
    ) -> Sequence[Past]:
        """Past changes of the records below `prefix` (`exact`: of that one record), newest first.

        With `before`, only those older than that revision.
        """
        ...

    def touches(
        self,
        prefix: str = "",
        *,
        exact: bool = False,
        who: str = "",
        after: Revision | None = None,
        before: Revision | None = None,
        limit: int = 100,
    ) -> Sequence[Touch]:
        """Which records below `prefix` (`exact`: that one record) were changed, newest first.

        With `who`, by that user or token; only by revisions after `after` and before `before`, both exclusive. Of one
        record, of one user or of all it costs what it answers, however long the history is.
        """
        ...

    def moment(self, time: float) -> Revision | None:
        """The newest revision in the history that was made at or before `time` (epoch); None if none is kept."""
        ...

    def as_of(self, revision: Revision, prefix: str = "", *, exact: bool = False) -> Mapping[str, Stood]:
        """The records below `prefix` (`exact`: that one) as they stood at `revision`, older texts without secrets.

        `NotFound` if that is before the kept history, after the present or in a part of an era that a restore took
        back. Records without history that were written later are left out.
        """
        ...

    def prune(self, *, older_than: float, max_bytes: int) -> int:
        """Drop history before the time `older_than` (epoch), then the oldest above `max_bytes` of kept texts.

        Whole revisions go, oldest first; answers how many entries went.
        """
        ...

    def snapshot(self) -> bytes:
        """A consistent copy of all records and their history, without leases, that `restore` of any engine takes."""
        ...

    def restore(self, image: bytes) -> Revision:
        """Replace records and history by a snapshot's and start a new era; leases stay. All or nothing.

        Each record then has the version of the answered revision, so that nothing read before compares equal.
        `ParamError` for an image that is damaged or of an unknown format.
        """
        ...

    def close(self) -> None:
        """Release files and threads; idempotent."""
        ...
