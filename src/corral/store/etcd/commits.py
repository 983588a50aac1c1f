"""Writing: transactions that wait together become one transaction of etcd, each as a revision of its own.

A commit takes two round trips: it reads the head and the records concerned, decides, and writes if the head still
stands. When another node was faster, the refusal brings what must be read for the next try.
"""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic

import msgspec

from corral.core.clock import Clock
from corral.core.errors import Error, NoQuorum, ParamError, TimedOut, Unavailable
from corral.store.base import Doc, Revision, Transaction
from corral.store.etcd import layout
from corral.store.etcd import rpc_pb2 as rpc
from corral.store.etcd.cluster import MAX_REQUEST, TXN, WITHIN, Cluster, Lost
from corral.store.etcd.layout import RECENT, Head, Space, Told
from corral.store.etcd.moments import Found, Reader
from corral.store.image import Applied
from corral.store.settle import MAX_STEPS, Step, entries, settle

TIMEOUT = 10.0
"""Longest wait of a commit, in seconds."""

MAX_GROUP = 64
MAX_GROUP_BYTES = 1024 * 1024


@dataclass(eq=False)
class Job:
    """A transaction that waits."""

    txn: Transaction
    done: bool = False
    revision: Revision | None = None
    error: Exception | None = None
    keys: frozenset[str] = frozenset()
    size: int = 0
    ops: int = 0

    def __post_init__(self) -> None:
        # Two of one id must not be in one group, nor two that write one key: etcd writes a key once in a transaction.
        self.keys = frozenset(write.key for write in self.txn.writes) | (
            {f"id {self.txn.id}"} if self.txn.id else set()
        )
        self.size = sum(len(write.text or "") for write in self.txn.writes)
        self.ops = len(self.txn.writes) + len(self.txn.checks)

    def answer(self) -> Revision:
        """What the caller gets."""
        if self.error is not None:
            raise self.error
        assert self.revision is not None
        return self.revision


@dataclass
class _Read:
    """What a group is decided from."""

    found: Found
    docs: dict[str, Doc | None]
    applied: dict[str, Revision]


@dataclass
class _Draft:
    """What a group would write, and what its jobs are answered then."""

    head: Head
    mark: bytes
    operations: list[rpc.RequestOp] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    answers: list[tuple[Job, Revision]] = field(default_factory=list)
    refused: list[tuple[Job, Error]] = field(default_factory=list)

    def add(self, space: Space, txn: Transaction, steps: Sequence[Step], revision: Revision, now: float) -> None:
        """Take in a transaction's steps as that revision."""
        for step in steps:
            key = space.doc(step.key)
            self.operations.append(layout.put(key, layout.record(step.after)) if step.after else layout.delete(key))
        puts = layout.history(space, entries(txn, steps, revision, now))
        if txn.id:
            puts.append((space.id(txn.id), layout.encode(Applied(txn.id, revision, now))))
        self.operations += [layout.put(key, value) for key, value in puts]
        records = {step.key: step.before.cls if step.before else None for step in steps}
        self.told.append(Told(revision.number, txn.cause.who, txn.cause.why, records))

    def finish(self) -> None:
        """Hand out the answers."""
        for job, revision in self.answers:
            job.revision, job.done = revision, True
        for job, error in self.refused:
            job.error, job.done = error, True


class Commits:
    """Thread-safe. Of the callers that wait, one writes for all; `shown` is told of it before they are answered."""

    def __init__(self, cluster: Cluster, reader: Reader, clock: Clock, shown: Callable[[Revision], None]) -> None:
        self._cluster, self._reader, self._clock, self._shown = cluster, reader, clock, shown
        self._changed = threading.Condition()
        self._queue: deque[Job] = deque()
        self._busy = False

    def commit(self, txn: Transaction) -> Revision:
        """See `base.Store`; `txn` is valid."""
        job = Job(txn)
        until = monotonic() + TIMEOUT
        if not self._lead(job, until):
            return job.answer()
        try:
            while not job.done:
                self._turn()
        finally:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
        return job.answer()

    def _lead(self, job: Job, until: float) -> bool:
        """Wait until the job is done, or nobody writes: then the caller does, for all."""
        with self._changed:
            self._queue.append(job)
            while self._busy and not job.done:
                if not self._changed.wait(max(0.0, until - monotonic())):
                    self._withdraw(job)
            if job.done:
                return False
            self._busy = True
            return True

    def _withdraw(self, job: Job) -> None:
        if job in self._queue:
            self._queue.remove(job)
            raise TimedOut(f"the store did not begin to write within {TIMEOUT:g} s; nothing was changed")
        raise TimedOut(f"the store did not finish writing within {TIMEOUT:g} s; it may do so later")

    def _turn(self) -> None:
        with self._changed:
            group = self._gather()
        error: Exception | None = None
        try:
            self._write(group)
        except Exception as exc:
            error = exc
        with self._changed:
            if error is not None:
                # Who has waited meanwhile would only wait as long again.
                waiting = list(self._queue) if isinstance(error, NoQuorum | Unavailable) else []
                for job in [*group, *waiting]:
                    job.error, job.done = job.error or error, True
                for job in waiting:
                    self._queue.remove(job)
            self._changed.notify_all()

    def _gather(self) -> list[Job]:
        """The next jobs that fit together, at least one."""
        group: list[Job] = []
        left: list[Job] = []
        keys: set[str] = set()
        size = ops = 0
        while self._queue and len(group) < MAX_GROUP:
            job = self._queue.popleft()
            fits = size + job.size <= MAX_GROUP_BYTES and ops + job.ops <= MAX_STEPS and not keys & job.keys
            if group and not fits:
                left.append(job)
                continue
            group.append(job)
            keys |= job.keys
            size, ops = size + job.size, ops + job.ops
        self._queue.extendleft(reversed(left))
        return group

    def _write(self, group: Sequence[Job]) -> None:
        """Write all of a group; what is raised is for all of it."""
        until = monotonic() + WITHIN
        try:
            draft = self._settled(group, until)
        except ParamError:
            if len(group) == 1:
                raise
            for job in group:
                self._write([job])
            return
        self._shown(draft.head.revision)
        draft.finish()

    def _settled(self, group: Sequence[Job], until: float) -> _Draft:
        """What was written."""
        read = self._read(group)
        while True:
            draft = self._draft(group, read)
            if not draft.told:
                return draft
            refusal = self._send(group, read, draft, until)
            if refusal is None:
                return draft
            found = self._reader.found(read.found.space, refusal[0])
            if found is None:  # a restore came between
                read = self._read(group)
                continue
            recent = found.head.recent
            if any(mark == draft.mark for mark, _number in recent):
                return draft  # the request was repeated, and what refused it was its own forerunner
            if len(recent) == RECENT and recent[0][1] > read.found.head.number:
                raise TimedOut("the store was too busy to tell whether the change was made")
            if monotonic() > until:
                raise TimedOut(f"others were faster for {WITHIN:g} s; nothing was changed")
            read = self._parse(group, found, refusal[1:])

    def _send(self, group: Sequence[Job], read: _Read, draft: _Draft, until: float) -> list[rpc.RangeResponse] | None:
        """None if it was written, else what stands there instead."""
        space = read.found.space
        request = rpc.TxnRequest(
            compare=[layout.unchanged(space.head, read.found.mod_revision)],
            success=[
                layout.put(space.head, layout.encode(draft.head)),
                layout.put(space.told, layout.encode(draft.told)),
                *draft.operations,
            ],
            failure=[layout.get(space.head), *_reads(group, space)],
        )
        if request.ByteSize() > MAX_REQUEST:
            raise ParamError({"writes": "too large"}, "the transaction is too large for the cluster")
        try:
            answer = self._cluster.call(TXN, request, within=max(0.1, until - monotonic()))
        except Lost as exc:
            if exc.open:
                raise TimedOut(f"{exc}: the change may or may not have been kept") from exc
            raise
        return None if answer.succeeded else [each.response_range for each in answer.responses]

    def _read(self, group: Sequence[Job]) -> _Read:
        moment, answers = self._reader.at(lambda space: _reads(group, space), alone=False)
        return self._parse(group, Found(moment.space, moment.head, moment.mod_revision), answers)

    def _parse(self, group: Sequence[Job], found: Found, answers: Sequence[rpc.RangeResponse]) -> _Read:
        keys, ids = _concerned(group)
        docs = {
            key: layout.doc(key, answer.kvs[0].value, found.head.base) if answer.kvs else None
            for key, answer in zip(keys, answers, strict=False)
        }
        applied = {
            id_: layout.decode(answer.kvs[0].value, Applied).revision
            for id_, answer in zip(ids, answers[len(keys) :], strict=True)
            if answer.kvs
        }
        return _Read(found, docs, applied)

    def _draft(self, group: Sequence[Job], read: _Read) -> _Draft:
        space, old = read.found.space, read.found.head
        now = self._clock.now()
        docs = dict(read.docs)
        draft = _Draft(old, secrets.token_bytes(8))
        number = old.number
        for job in group:
            if (revision := read.applied.get(job.txn.id)) is not None:
                draft.answers.append((job, revision))
                continue
            try:
                steps = settle(job.txn, docs.get, number + 1)
            except Error as exc:
                draft.refused.append((job, exc))
                continue
            if steps:
                number += 1
                docs |= {step.key: step.after for step in steps}
                draft.add(space, job.txn, steps, Revision(old.era, number), now)
            draft.answers.append((job, Revision(old.era, number)))
        recent = (*old.recent, (draft.mark, number))[-RECENT:]
        draft.head = msgspec.structs.replace(old, number=number, recent=recent)
        return draft


def _concerned(group: Sequence[Job]) -> tuple[list[str], list[str]]:
    """The records and ids that a group is decided from."""
    keys = {write.key for job in group for write in job.txn.writes}
    keys |= {check.key for job in group for check in job.txn.checks}
    return sorted(keys), sorted({job.txn.id for job in group if job.txn.id})


def _reads(group: Sequence[Job], space: Space) -> list[rpc.RequestOp]:
    keys, ids = _concerned(group)
    return [layout.get(space.doc(key)) for key in keys] + [layout.get(space.id(id_)) for id_ in ids]
