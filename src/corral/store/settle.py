"""What a transaction does: validation and decision, shared by the engines. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from corral.core.errors import Conflict, ParamError
from corral.store.base import MAX_TEXT, Batch, Change, Doc, RecordClass, Revision, Transaction, Write
from corral.store.history import Entry, shown
from corral.store.keys import check_key

MAX_STEPS = 4096
MAX_ID = 64
MAX_HEADER = 4096
"""Longest header of a record: names and values together, in characters."""

REMEMBERED = 86400.0
"""How long an engine remembers the ids of applied transactions, in seconds."""


class Step(NamedTuple):
    """One record's change: the record before and after; equal ones are left out."""

    key: str
    before: Doc | None
    after: Doc | None

    @property
    def historic(self) -> bool:
        """Whether the change belongs into the history."""
        return bool((self.before and self.before.history) or (self.after and self.after.history))

    @property
    def change(self) -> Change:
        """The step as watchers see it."""
        doc = self.after or self.before
        assert doc is not None  # a step changes something
        return Change(key=self.key, cls=doc.cls, doc=self.after, was=self.before.cls if self.before else None)


def validate(txn: Transaction) -> None:
    """Raise `ParamError` for what no state of the store could take."""
    if len(txn.writes) + len(txn.checks) > MAX_STEPS:
        raise ParamError({"writes": f"more than {MAX_STEPS} writes and checks"}, "transaction is too large")
    if len(txn.id) > MAX_ID:
        raise ParamError({"id": f"longer than {MAX_ID} characters"}, "transaction id is too long")
    for check in txn.checks:
        check_key(check.key)
    seen: set[str] = set()
    for write in txn.writes:
        _validate_write(write)
        if write.key in seen:
            raise ParamError({"key": "written twice"}, f"transaction writes '{write.key}' twice")
        seen.add(write.key)


def _validate_write(write: Write) -> None:
    check_key(write.key)
    if write.header and sum(len(name) + len(value) for name, value in write.header.items()) > MAX_HEADER:
        raise ParamError({"header": f"longer than {MAX_HEADER} characters"}, f"header of '{write.key}' is too long")
    if write.text is None:
        return
    try:
        size = len(write.text.encode())
    except UnicodeEncodeError as exc:
        raise ParamError({"text": "not valid text"}, f"text of '{write.key}' is not valid UTF-8") from exc
    if size > MAX_TEXT:
        raise ParamError({"text": f"longer than {MAX_TEXT} bytes"}, f"text of '{write.key}' is too long: {size} bytes")
    if "\0" in write.text:
        raise ParamError({"text": "contains a NUL character"}, f"text of '{write.key}' contains a NUL character")


def settle(txn: Transaction, lookup: Callable[[str], Doc | None], number: int) -> list[Step]:
    """The steps of a validated transaction that would become revision `number`; none if it changes nothing.

    Raises `Conflict` when a comparison fails.
    """
    for check in txn.checks:
        _compare(check.key, check.expect, lookup(check.key))
    steps = []
    for write in txn.writes:
        before = lookup(write.key)
        if write.expect is not None:
            _compare(write.key, write.expect, before)
        after = _written(write, before, number)
        if not _same(before, after):
            steps.append(Step(write.key, before, after))
    return steps


def _compare(key: str, expect: int, doc: Doc | None) -> None:
    version = doc.version if doc else 0
    if version == expect:
        return
    if expect == 0:
        raise Conflict(f"'{key}' exists already")
    if version == 0:
        raise Conflict(f"'{key}' does not exist any more")
    raise Conflict(f"'{key}' has changed: it is at version {version}, expected {expect}")


def _written(write: Write, before: Doc | None, number: int) -> Doc | None:
    if write.text is None:
        return None
    cls = write.cls or (before.cls if before else RecordClass.API)
    header = write.header if write.header is not None else (before.header if before else {})
    history = write.history or bool(before and before.history)
    return Doc(key=write.key, text=write.text, version=number, cls=cls, header=dict(header), history=history)


def _same(before: Doc | None, after: Doc | None) -> bool:
    if before is None or after is None:
        return before is after
    return (before.text, before.cls, before.header, before.history) == (
        after.text,
        after.cls,
        after.header,
        after.history,
    )


def batch(txn: Transaction, steps: Iterable[Step], revision: Revision) -> Batch:
    """The steps as watchers see them."""
    return Batch(revision=revision, changes=tuple(step.change for step in steps), cause=txn.cause)


def entries(txn: Transaction, steps: Iterable[Step], revision: Revision, now: float) -> list[Entry]:
    """The change records of the steps that have a history."""
    return [
        Entry(
            key=step.key,
            revision=revision,
            time=now,
            cause=txn.cause,
            cls=_higher(step.before, step.after),
            before=shown(step.before),
        )
        for step in sorted(steps, key=lambda step: step.key)
        if step.historic
    ]


def _higher(*docs: Doc | None) -> RecordClass:
    highest = RecordClass.PUBLIC
    for doc in docs:
        if doc is not None and not highest.sees(doc.cls):
            highest = doc.cls
    return highest
