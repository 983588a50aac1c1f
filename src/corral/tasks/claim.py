"""The claim: one transaction that takes a task's records and remembers its Idempotency-Key, before it is answered."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import msgspec

from corral.core.clock import Clock
from corral.core.errors import Conflict, NoQuorum, ParamError, TimedOut, Unavailable
from corral.store.base import Cause, Doc, RecordClass, Store, Transaction, Write
from corral.tasks.base import Intent, Requester
from corral.tasks.journal import Claim, Header, Kept, kept_key
from corral.tasks.outcome import Outcome, decode, encoder

KEPT_FOR = 24 * 3600.0
"""Seconds for which an Idempotency-Key is remembered."""

MAX_RESULT = 64 * 1024
PREFIX = "idempotency/"


class Remembered(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The text of a record `idempotency/…`: which task a key stands for, and the result of an awaited one."""

    body: str
    upid: str
    time: float
    result: msgspec.Raw = msgspec.Raw(b"null")


class Earlier(NamedTuple):
    """What is known of a key: its record's version (0: none) and the task, where the key is still good."""

    version: int
    task: Remembered | None


class Keys:
    """The Idempotency-Keys of callers. A key's record goes when its task fails, so what is found runs or succeeded."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def look_up(self, by: Requester) -> Earlier:
        """What the caller's key stands for; ParamError if it was used with another body."""
        doc = self._store.get(key_of(by)) if by.key else None
        if doc is None:
            return Earlier(0, None)
        found = decode(doc.text.encode(), Remembered)
        if self._clock.now() - found.time >= KEPT_FOR:
            return Earlier(doc.version, None)
        if found.body != by.body:
            raise ParamError({"Idempotency-Key": "this key was used with other parameters"})
        return Earlier(doc.version, found)

    def remember(self, by: Requester, upid: str, version: int) -> tuple[Write, ...]:
        """The write that makes the key stand for that task."""
        if not by.key:
            return ()
        text = encoder.encode(Remembered(body=by.body, upid=upid, time=self._clock.now())).decode()
        return (Write(key=key_of(by), text=text, expect=version, cls=RecordClass.ROOT, history=False),)

    def ended(self, by: Requester, upid: str, outcome: Outcome) -> tuple[Write, ...]:
        """The write that goes with a task's end: a failed one is forgotten, a result is remembered."""
        doc = self._store.get(key_of(by)) if by.key else None
        if doc is None:
            return ()
        found = decode(doc.text.encode(), Remembered)
        if found.upid != upid:
            return ()
        if not outcome.ok:
            return (Write(key=doc.key, text=None, expect=doc.version, history=False),)
        if len(outcome.result) > MAX_RESULT or bytes(outcome.result) == b"null":
            return ()
        text = encoder.encode(msgspec.structs.replace(found, result=outcome.result)).decode()
        return (Write(key=doc.key, text=text, expect=doc.version, history=False),)

    def expired(self) -> tuple[Write, ...]:
        """The writes that forget keys which are too old."""
        now = self._clock.now()
        return tuple(
            Write(key=doc.key, text=None, expect=doc.version, history=False)
            for doc in self._store.list(PREFIX)
            if now - decode(doc.text.encode(), Remembered).time >= KEPT_FOR
        )


def key_of(by: Requester) -> str:
    """The record of a caller's key: the same user, endpoint and key have the same, for each task of the call."""
    words = (by.user, by.endpoint, by.key or "", str(by.part))
    return PREFIX + hashlib.sha256("\0".join(words).encode()).hexdigest()


def claims_of(store: Store, intent: Intent) -> tuple[Claim, ...]:
    """The claims of an intent, each with what its record holds now."""
    return tuple(
        Claim(number=-number, write=write, before=None if write.expect == 0 else store.get(write.key))
        for number, write in enumerate(intent.claim, 1)
    )


def transact(store: Store, header: Header, remember: tuple[Write, ...]) -> bool:
    """Claim what the header says; False where somebody was faster. Other errors leave it to `happened`, later."""
    mark = Write(
        key=kept_key(header.upid),
        text=encoder.encode(Kept()).decode(),
        expect=0,
        cls=RecordClass.ROOT,
        history=False,
    )
    writes = (*(_compared(claim) for claim in header.claims), *remember, mark)
    try:
        store.commit(Transaction(cause=Cause(who=header.by.user, why=header.upid), writes=writes))
    except Conflict:
        return False
    except (NoQuorum, TimedOut, Unavailable):
        if not happened(store, header):
            raise
    return True


def _compared(claim: Claim) -> Write:
    """The claim's write, compared at least with what is remembered of the record: undoing restores just that."""
    if claim.write.expect is not None:
        return claim.write
    return msgspec.structs.replace(claim.write, expect=_version(claim.before))


def _version(doc: Doc | None) -> int:
    return 0 if doc is None else doc.version


def happened(store: Store, header: Header) -> bool:
    """Whether the header's claim transaction was done: the task exists only if so."""
    return not header.transacted or store.get(kept_key(header.upid)) is not None
