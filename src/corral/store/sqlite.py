"""The embedded engine: one sqlite file, written by one thread of one process."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from corral.core.clock import Clock
from corral.core.errors import NotFound
from corral.store import sqlite_file as file
from corral.store.base import Batch, Doc, Past, Revision, Stood, Touch, Transaction
from corral.store.history import rewind, shown
from corral.store.image import Applied, Image, missing, pack, restored, unpack
from corral.store.leases import HeldLease, Leases
from corral.store.log import Log, LogWatch
from corral.store.settle import REMEMBERED, batch, entries, settle, validate
from corral.store.writer import Job, Writer
from corral.system.locks import lock

T = TypeVar("T")

TIMEOUT = 10.0
"""Longest wait of a write, in seconds."""

_OPENING = 10.0
_END = 2**62


class SqliteStore:
    """See `base.Store`. Thread-safe; one process at a time has it open, and must not fork while it has.

    A commit returns when its records are on disk (WAL, synchronous=FULL): transactions that wait together are
    committed by one fsync, each as a revision of its own. Reads see what is on disk. Without `durable` a commit returns
    earlier: for throw-away stores, and to measure what durability costs.
    `Locked` when another process has it open for 10 s.
    """

    def __init__(self, path: Path, clock: Clock, *, durable: bool = True) -> None:
        self._clock = clock
        file.create(path)
        self._lock = lock(path.with_name(f"{path.name}.lock"), timeout=_OPENING, clock=clock)
        try:
            self._connection = file.open_writer(path, durable=durable)
            self._start()
        except BaseException:
            self._lock.release()
            raise
        self._readers = file.Readers(path)

    def _start(self) -> None:
        # `_revision` and `_batches` are the writer thread's: the state inside the sqlite transaction it has open.
        self._revision = file.present(self._connection)
        self._batches: list[Batch] = []
        self._log = Log(self._revision)
        self._leases = Leases(self._clock)
        for name, holder, ttl in self._connection.execute("SELECT name, holder, ttl FROM lease"):
            self._leases.begin(name, holder, ttl)
        self._writer = Writer(self._connection, begin=self._begin, finish=self._finish, published=self._published)

    @property
    def revision(self) -> Revision:
        """The revision that reads show at least."""
        return self._log.revision

    def get(self, key: str) -> Doc | None:
        """See `base.Tree`."""
        with self._readers.take() as connection:
            return _lookup(connection, key)

    def view(self, prefix: str = "") -> tuple[Revision, list[Doc]]:
        """See `base.Store`."""
        with self._readers.moment() as connection:
            return file.present(connection), _list(connection, prefix)

    def commit(self, txn: Transaction) -> Revision:
        """See `base.Store`."""
        validate(txn)
        size = sum(len(write.text or "") for write in txn.writes)
        return self._write(lambda connection: self._apply(connection, txn), size=size)

    def _write(self, run: Callable[[sqlite3.Connection], T], *, size: int = 0, alone: bool = False) -> T:
        # What stands alone works on the whole store and may take longer.
        return self._writer.call(Job(run, size=size, alone=alone), TIMEOUT * 6 if alone else TIMEOUT)

    def _begin(self) -> None:
        self._revision = self._log.revision
        self._batches = []

    def _finish(self, connection: sqlite3.Connection) -> None:
        if self._batches:
            file.set_meta(connection, number=self._revision.number)

    def _published(self) -> None:
        if self._revision.era != self._log.revision.era:
            self._log.restart(self._revision)
        else:
            self._log.publish(self._batches)

    def _apply(self, connection: sqlite3.Connection, txn: Transaction) -> Revision:
        if txn.id and (row := connection.execute("SELECT era, number FROM applied WHERE id = ?", (txn.id,)).fetchone()):
            return Revision(*row)
        revision = Revision(self._revision.era, self._revision.number + 1)
        steps = settle(txn, lambda key: _lookup(connection, key), revision.number)
        if not steps:
            return self._revision
        now = self._clock.now()
        file.put(connection, [step.after for step in steps if step.after])
        connection.executemany("DELETE FROM record WHERE key = ?", [(step.key,) for step in steps if not step.after])
        file.add(connection, entries(txn, steps, revision, now))
        if txn.id:
            connection.execute("INSERT INTO applied VALUES (?, ?, ?, ?)", (txn.id, *revision, now))
        self._revision = revision
        self._batches.append(batch(txn, steps, revision))
        return revision

    def watch(self, since: Revision) -> LogWatch:
        """See `base.Store`."""
        return self._log.watch(since)

    def compact(self, number: int) -> None:
        """Forget the batches up to revision `number`: watches that are behind get `Reset`."""
        self._log.compact(number)

    def lease(self, name: str, holder: str, ttl: float) -> SqliteLease | None:
        """See `base.Store`."""

        if self._leases.refused(name, holder):
            return None

        def take(connection: sqlite3.Connection) -> HeldLease | None:
            if lease := self._leases.take(name, holder, ttl):
                connection.execute("INSERT OR REPLACE INTO lease VALUES (?, ?, ?)", (name, holder, ttl))
            return lease

        try:
            lease = self._write(take)
        except BaseException:
            self._leases.release(name, holder)
            raise
        return SqliteLease(self, lease) if lease else None

    def held(self, name: str, holder: str) -> SqliteLease | None:
        """See `base.Store`."""
        lease = self._leases.held(name, holder)
        return SqliteLease(self, lease) if lease else None

    def _release(self, lease: HeldLease) -> None:
        def end(connection: sqlite3.Connection) -> None:
            lease.release()
            connection.execute("DELETE FROM lease WHERE name = ? AND holder = ?", (lease.name, lease.holder))

        self._write(end)

    def history(
        self, prefix: str = "", *, limit: int = 100, before: Revision | None = None, exact: bool = False
    ) -> Sequence[Past]:
        """See `base.Store`."""
        where, values = _below(prefix, exact=exact)
        number = before.number if before else _END
        with self._readers.moment() as connection:
            rows = connection.execute(
                f"{file.ENTRY} WHERE {where} AND number < ? ORDER BY number DESC, key DESC LIMIT ?",
                (*values, number, limit),
            )
            following: dict[str, str | None] = {}
            pasts = []
            for found in map(file.entry, rows.fetchall()):
                if found.key not in following:
                    following[found.key] = _following(connection, found.key, found.revision.number)
                pasts.append(found.past(following[found.key]))
                following[found.key] = found.before
            return pasts

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
        where, values = _below(prefix, exact=exact)
        if who:
            # Of two indexes sqlite would take the user's, also where the record has few changes: the plus keeps it off.
            where, values = f"{where} AND {'+' if exact else ''}who = ?", (*values, who)
        low, high = after.number if after else -1, before.number if before else _END
        with self._readers.moment() as connection:
            rows = connection.execute(
                f"{file.TOUCH} WHERE {where} AND number > ? AND number < ? ORDER BY number DESC, key DESC LIMIT ?",
                (*values, low, high, limit),
            )
            return list(map(file.touch, rows))

    def moment(self, time: float) -> Revision | None:
        """See `base.Store`."""
        with self._readers.take() as connection:
            row = connection.execute(
                "SELECT era, number FROM past WHERE time <= ? ORDER BY time DESC, number DESC LIMIT 1", (time,)
            ).fetchone()
        return Revision(*row) if row else None

    def as_of(self, revision: Revision, prefix: str = "", *, exact: bool = False) -> Mapping[str, Stood]:
        """See `base.Store`."""
        where, values = _below(prefix, exact=exact)
        with self._readers.moment() as connection:
            floor = file.meta(connection)["floor"]
            if missing(revision, file.present(connection), floor, _ends(connection)):
                raise NotFound(f"the store's history does not tell revision {revision}")
            # The first change of each record since then has the text of then. The plus: not by all keys of ever.
            changes = f"past WHERE {where} AND number > ?"
            first = f"SELECT key AS k, min(number) AS n FROM {changes} GROUP BY +key"  # noqa: S608  # `_below` made it
            rows = connection.execute(
                f"{file.ENTRY} JOIN ({first}) ON key = k AND number = n", (*values, revision.number)
            )
            docs = [doc for doc in [_lookup(connection, prefix)] if doc] if exact else _list(connection, prefix)
            return rewind(docs, map(file.entry, rows), revision.number)

    def prune(self, *, older_than: float, max_bytes: int) -> int:
        """See `base.Store`; texts count with their compressed length."""

        def drop(connection: sqlite3.Connection) -> int:
            limit = self._clock.now() - REMEMBERED
            connection.execute("DELETE FROM applied WHERE time <= ?", (limit,))
            connection.executemany("DELETE FROM lease WHERE name = ?", [(name,) for name in self._leases.sweep()])
            floor = max(_last_before(connection, older_than), _last_above(connection, max_bytes))
            gone = connection.execute("DELETE FROM past WHERE number <= ?", (floor,)).rowcount
            file.set_meta(connection, floor=max(floor, file.meta(connection)["floor"]))
            return gone

        return self._write(drop, alone=True)

    def snapshot(self) -> bytes:
        """See `base.Store`."""
        with self._readers.moment() as connection:
            image = Image(
                revision=file.present(connection),
                floor=file.meta(connection)["floor"],
                ends=_ends(connection),
                docs=_list(connection, ""),
                entries=list(map(file.entry, connection.execute(f"{file.ENTRY} ORDER BY number, key"))),
                applied=[
                    Applied(id_, Revision(era, number), time)
                    for id_, era, number, time in connection.execute("SELECT id, era, number, time FROM applied")
                ],
            )
        return pack(image)

    def restore(self, image: bytes) -> Revision:
        """See `base.Store`."""
        found = unpack(image)

        def replace(connection: sqlite3.Connection) -> Revision:
            revision, docs, ends = restored(found, self._revision, _ends(connection))
            for table in ("record", "past", "applied", "ended"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608  # the names stand above
            file.put(connection, docs)
            file.add(connection, found.entries)
            connection.executemany(
                "INSERT INTO applied VALUES (?, ?, ?, ?)", [(a.id, *a.revision, a.time) for a in found.applied]
            )
            connection.executemany("INSERT INTO ended VALUES (?, ?)", ends.items())
            file.set_meta(connection, era=revision.era, number=revision.number, floor=found.floor)
            self._revision = revision
            return revision

        return self._write(replace, alone=True)

    def check(self) -> list[str]:
        """What is wrong with the file's structure, line by line; reads all of it."""
        with self._readers.take() as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
        return [] if found == ["ok"] else found

    def close(self) -> None:
        """See `base.Store`."""
        self._log.close()
        self._writer.close()
        self._readers.close()
        self._connection.close()
        self._lock.release()

    def list(self, prefix: str = "") -> list[Doc]:
        """See `base.Tree`."""
        with self._readers.take() as connection:
            return _list(connection, prefix)


class SqliteLease:
    """See `base.Lease`."""

    def __init__(self, store: SqliteStore, lease: HeldLease) -> None:
        self._store = store
        self._lease = lease

    def renew(self) -> bool:
        """Extend it by its `ttl`; False when it was lost. Writes nothing."""
        return self._lease.renew()

    def release(self) -> None:
        """Give it back; idempotent."""
        self._store._release(self._lease)


def _lookup(connection: sqlite3.Connection, key: str) -> Doc | None:
    row = connection.execute(f"{file.DOC} WHERE key = ?", (key,)).fetchone()
    return file.doc(row) if row else None


def _list(connection: sqlite3.Connection, prefix: str) -> list[Doc]:
    rows = connection.execute(f"{file.DOC} WHERE key BETWEEN ? AND ? ORDER BY key", file.span(prefix))
    return list(map(file.doc, rows))


def _below(prefix: str, *, exact: bool) -> tuple[str, tuple[object, ...]]:
    """A condition on the key and its values, in the form that lets sqlite choose the right index."""
    if exact:
        return "key = ?", (prefix,)
    return ("key BETWEEN ? AND ?", file.span(prefix)) if prefix else ("true", ())


def _following(connection: sqlite3.Connection, key: str, number: int) -> str | None:
    """The text that a record had after revision `number`, as its history shows it."""
    row = connection.execute(
        "SELECT before FROM past WHERE key = ? AND number > ? ORDER BY number LIMIT 1", (key, number)
    ).fetchone()
    return file.text(row[0]) if row else shown(_lookup(connection, key))


def _ends(connection: sqlite3.Connection) -> dict[int, int]:
    return dict(connection.execute("SELECT era, number FROM ended"))


def _last_before(connection: sqlite3.Connection, time: float) -> int:
    row = connection.execute("SELECT max(number) FROM past WHERE time < ?", (time,)).fetchone()
    return int(row[0] or 0)


def _last_above(connection: sqlite3.Connection, max_bytes: int) -> int:
    """The newest revision at which the texts kept from then on exceed that size."""
    total = 0
    for number, size in connection.execute("SELECT number, sum(size) FROM past GROUP BY number ORDER BY number DESC"):
        total += size
        if total > max_bytes:
            return int(number)
    return 0
