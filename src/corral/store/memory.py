"""The engine without a disk: for tests and the simulator. It keeps its promises until its process ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice

from corral.core.clock import Clock
from corral.core.errors import NotFound, Unavailable
from corral.store.base import Doc, Past, Revision, Stood, Touch, Transaction
from corral.store.docs import Docs
from corral.store.history import Entry, rewind, unfold
from corral.store.image import Applied, Image, missing, pack, restored, unpack
from corral.store.leases import HeldLease, Leases
from corral.store.log import Log, LogWatch
from corral.store.settle import REMEMBERED, Step, batch, entries, settle, validate


class MemoryStore:
    """See `base.Store`. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._docs = Docs()
        self._entries: list[Entry] = []
        self._applied: dict[str, Applied] = {}
        self._floor = 0
        self._ends: dict[int, int] = {}
        self._log = Log(Revision(1, 0))
        self._closed = False
        self._leases = Leases(clock)

    @contextmanager
    def _open(self) -> Iterator[None]:
        with self._lock:
            if self._closed:
                raise Unavailable("the store is closed")
            yield

    @property
    def revision(self) -> Revision:
        """The revision that reads show at least."""
        return self._log.revision

    def get(self, key: str) -> Doc | None:
        """See `base.Tree`."""
        with self._open():
            return self._docs.by_key.get(key)

    def view(self, prefix: str = "") -> tuple[Revision, list[Doc]]:
        """See `base.Store`."""
        with self._open():
            return self.revision, self._docs.list(prefix)

    def commit(self, txn: Transaction) -> Revision:
        """See `base.Store`."""
        validate(txn)
        with self._open():
            if applied := self._applied.get(txn.id):
                return applied.revision
            revision = Revision(self.revision.era, self.revision.number + 1)
            steps = settle(txn, self._docs.by_key.get, revision.number)
            if not steps:
                return self.revision
            self._apply(txn, steps, revision)
            return revision

    def _apply(self, txn: Transaction, steps: Sequence[Step], revision: Revision) -> None:
        now = self._clock.now()
        for step in steps:
            self._docs.put(step.key, step.after)
        self._entries += entries(txn, steps, revision, now)
        if txn.id:
            self._applied[txn.id] = Applied(txn.id, revision, now)
        self._log.publish([batch(txn, steps, revision)])

    def watch(self, since: Revision) -> LogWatch:
        """See `base.Store`."""
        return self._log.watch(since)

    def compact(self, number: int) -> None:
        """Forget the batches up to revision `number`: watches that are behind get `Reset`."""
        self._log.compact(number)

    def lease(self, name: str, holder: str, ttl: float) -> HeldLease | None:
        """See `base.Store`."""
        return self._leases.take(name, holder, ttl)

    def held(self, name: str, holder: str) -> HeldLease | None:
        """See `base.Store`."""
        return self._leases.held(name, holder)

    def history(
        self, prefix: str = "", *, limit: int = 100, before: Revision | None = None, exact: bool = False
    ) -> Sequence[Past]:
        """See `base.Store`."""
        wanted = _below(prefix, exact=exact)
        with self._open():
            newest_first = (entry for entry in reversed(self._entries) if wanted(entry.key))
            pasts = unfold(newest_first, self._docs.by_key)
            return list(islice((past for past in pasts if before is None or past.revision < before), limit))

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
        """See `base.Store`."""
        wanted = _below(prefix, exact=exact)
        with self._open():
            found = (
                entry.touch()
                for entry in reversed(self._entries)
                if wanted(entry.key)
                and (not who or entry.cause.who == who)
                and (after is None or entry.revision > after)
                and (before is None or entry.revision < before)
            )
            return list(islice(found, limit))

    def moment(self, time: float) -> Revision | None:
        """See `base.Store`."""
        with self._open():
            newest = max(((e.time, e.revision) for e in self._entries if e.time <= time), default=None)
            return newest[1] if newest else None

    def as_of(self, revision: Revision, prefix: str = "", *, exact: bool = False) -> Mapping[str, Stood]:
        """See `base.Store`."""
        wanted = _below(prefix, exact=exact)
        with self._open():
            if missing(revision, self.revision, self._floor, self._ends):
                raise NotFound(f"the store's history does not tell revision {revision}")
            newest_first = (entry for entry in reversed(self._entries) if wanted(entry.key))
            docs = [doc for doc in self._docs.list(prefix) if wanted(doc.key)]
            return rewind(docs, newest_first, revision.number)

    def prune(self, *, older_than: float, max_bytes: int) -> int:
        """See `base.Store`; texts count with their length."""
        with self._open():
            now = self._clock.now()
            self._applied = {id_: a for id_, a in self._applied.items() if a.time > now - REMEMBERED}
            floor = max((e.revision.number for e in self._entries if e.time < older_than), default=0)
            size = 0
            for entry in reversed(self._entries):
                size += len(entry.before or "")
                if size > max_bytes:
                    floor = max(floor, entry.revision.number)
                    break
            kept = [entry for entry in self._entries if entry.revision.number > floor]
            gone = len(self._entries) - len(kept)
            self._entries = kept
            self._floor = max(self._floor, floor)
            return gone

    def snapshot(self) -> bytes:
        """See `base.Store`."""
        with self._open():
            image = Image(
                revision=self.revision,
                floor=self._floor,
                ends=self._ends,
                docs=self._docs.list(""),
                entries=self._entries,
                applied=list(self._applied.values()),
            )
            return pack(image)

    def restore(self, image: bytes) -> Revision:
        """See `base.Store`."""
        found = unpack(image)
        with self._open():
            revision, docs, self._ends = restored(found, self.revision, self._ends)
            self._docs = Docs(docs)
            self._entries = list(found.entries)
            self._applied = {applied.id: applied for applied in found.applied}
            self._floor = found.floor
            self._log.restart(revision)
            return revision

    def close(self) -> None:
        """See `base.Store`."""
        self._closed = True
        self._log.close()

    def list(self, prefix: str = "") -> list[Doc]:
        """See `base.Tree`."""
        return self.view(prefix)[1]


def _below(prefix: str, *, exact: bool) -> Callable[[str], bool]:
    return prefix.__eq__ if exact else lambda key: key.startswith(prefix)
