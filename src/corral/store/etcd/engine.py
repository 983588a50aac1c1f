"""The engine of clusters: the store in etcd, on every node a client."""

from __future__ import annotations

import builtins
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from time import monotonic
from typing import TypeVar

import msgspec

from corral.core.clock import Clock
from corral.core.errors import Conflict, TimedOut, Unavailable
from corral.store.base import Doc, Past, Revision, Stood, Touch, Transaction
from corral.store.etcd import layout
from corral.store.etcd import rpc_pb2 as rpc
from corral.store.etcd.cluster import DELETE, TXN, Cluster, Lost
from corral.store.etcd.commits import Commits
from corral.store.etcd.feed import Feed
from corral.store.etcd.layout import FORMAT, Event, Head, Meta, Root, Space, Span
from corral.store.etcd.leases import EtcdLease, EtcdLeases
from corral.store.etcd.moments import Moment, Reader
from corral.store.etcd.pasts import Pasts
from corral.store.history import Entry
from corral.store.image import Applied, Image, pack, restored, unpack
from corral.store.log import LogWatch
from corral.store.settle import REMEMBERED, validate

T = TypeVar("T")

LONG = 60.0
"""Longest wait of what works on the whole store, in seconds."""

RESTORE = 600.0
"""The same for a restore: 100,000 records with as much history take 30 s."""

_CHUNK = 1000
_CHUNK_BYTES = 2 * 1024 * 1024
_BEHIND = 2.0
_TRIES = 20


class EtcdStore:
    """See `base.Store`. Thread-safe; any number of processes on any nodes have it open. Not for processes that fork.

    `root` is where it lies in etcd, with a slash at the end. The store closes `cluster`.

    Commits and reads are linearizable: a read shows what any node has committed before. Without quorum commits fail
    with `NoQuorum` within 5 s (at once while that is known), and reads are answered by a single member as of the time
    when quorum was lost, unless that member is behind what this object has shown. Watches get what is
    new through one connection with one member, and go on at the next when that one is away or without a leader.
    """

    def __init__(self, cluster: Cluster, clock: Clock, *, root: str = "corral/") -> None:
        self._clock = clock
        self.cluster = cluster
        try:
            self._reader = Reader(self.cluster, root)
            start = self._reader.moment()
            self._lock = threading.Lock()
            self._revision = start.head.revision
            self._feed = Feed(self.cluster, self._reader, start, self._show)
        except BaseException:
            self.cluster.close()
            raise
        self._commits = Commits(self.cluster, self._reader, clock, self._show)
        self._leases = EtcdLeases(self.cluster, self._reader, clock)
        self._closed = False

    def _show(self, revision: Revision) -> None:
        with self._lock:
            self._revision = max(self._revision, revision)

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable("the store is closed")

    def _read(self, read: Callable[[Moment], T]) -> T:
        self._check_open()

        def shown(moment: Moment) -> T:
            found = read(moment)
            self._show(moment.head.revision)
            return found

        return self._reader.retried(shown)

    @property
    def revision(self) -> Revision:
        """The revision that reads show at least: the newest that this object knows of."""
        return self._revision

    def get(self, key: str) -> Doc | None:
        """See `base.Tree`."""
        self._check_open()
        moment, (answer,) = self._reader.at(lambda space: [layout.get(space.doc(key))])
        self._show(moment.head.revision)
        return moment.doc(answer.kvs[0]) if answer.kvs else None

    def view(self, prefix: str = "") -> tuple[Revision, builtins.list[Doc]]:
        """See `base.Store`."""
        return self._read(lambda moment: (moment.head.revision, moment.docs(prefix)))

    def commit(self, txn: Transaction) -> Revision:
        """See `base.Store`. A transaction of more than about 8 MB is a `ParamError`."""
        validate(txn)
        self._check_open()
        return self._commits.commit(txn)

    def watch(self, since: Revision) -> LogWatch:
        """See `base.Store`."""
        if since > self._feed.log.revision:
            self._read(lambda moment: moment)  # other nodes may have shown the caller more than we have heard of
        self._catch_up()
        return self._feed.log.watch(since)

    def _catch_up(self) -> bool:
        """Wait until watches show what reads show, but not long: they may be cut off."""
        return self._feed.log.wait_for(self._revision, _BEHIND)

    def compact(self, number: int) -> None:
        """Forget the batches up to revision `number`: watches that are behind get `Reset`."""
        self._catch_up()
        self._feed.log.compact(number)

    def lease(self, name: str, holder: str, ttl: float) -> EtcdLease | None:
        """See `base.Store`. Etcd waits for whole seconds, at least about two, before another may take it."""
        self._check_open()
        return self._leases.take(name, holder, ttl)

    def held(self, name: str, holder: str) -> EtcdLease | None:
        """See `base.Store`."""
        self._check_open()
        return self._leases.held(name, holder)

    def history(
        self, prefix: str = "", *, limit: int = 100, before: Revision | None = None, exact: bool = False
    ) -> Sequence[Past]:
        """See `base.Store`."""
        return self._read(lambda moment: Pasts(moment).history(prefix, limit=limit, before=before, exact=exact))

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
        return self._read(
            lambda moment: Pasts(moment).touches(prefix, exact=exact, who=who, after=after, before=before, limit=limit)
        )

    def moment(self, time: float) -> Revision | None:
        """See `base.Store`."""
        return self._read(lambda moment: Pasts(moment).at(time))

    def as_of(self, revision: Revision, prefix: str = "", *, exact: bool = False) -> Mapping[str, Stood]:
        """See `base.Store`."""
        return self._read(lambda moment: Pasts(moment).as_of(revision, prefix, exact=exact))

    def prune(self, *, older_than: float, max_bytes: int) -> int:
        """See `base.Store`; texts count with their compressed length. What is dropped is deleted little by little."""
        self._check_open()
        self._forget_ids()
        until = monotonic() + LONG
        gone = 0
        for _try in range(_TRIES):
            moment = self._reader.moment()
            pasts = Pasts(moment)
            floor, gone = _floor(pasts.events(), older_than, max_bytes)
            if floor <= pasts.meta.floor or self._raise_floor(moment, pasts, floor):
                self._sweep(moment.space, max(floor, pasts.meta.floor), until)
                return gone
        raise Conflict("the store's history was pruned elsewhere at the same time")

    def _raise_floor(self, moment: Moment, pasts: Pasts, floor: int) -> bool:
        """From then on what lies below the floor is not there for readers."""
        space = moment.space
        meta = msgspec.structs.replace(pasts.meta, floor=floor)
        answer = self.cluster.call(
            TXN,
            rpc.TxnRequest(
                compare=[layout.present(space.head), layout.unchanged(space.meta, pasts.meta_revision)],
                success=[layout.put(space.meta, layout.encode(meta))],
                failure=[layout.get(space.meta)],
            ),
        )
        found = [] if answer.succeeded else answer.responses[0].response_range.kvs
        return answer.succeeded or any(layout.decode(kv.value, Meta) == meta for kv in found)

    def _sweep(self, space: Space, floor: int, until: float) -> None:
        """Delete what lies below the floor; who is interrupted leaves the rest to the next."""
        while monotonic() < until:
            moment = self._reader.moment()
            kvs = moment.some(space.events(floor + 1), _CHUNK // 4)
            if not kvs:
                return
            keys: list[bytes] = []
            for kv in kvs:
                keys += layout.forgotten(space, layout.up(kv.key), layout.decode(kv.value, Event))
                if len(keys) > _CHUNK:
                    break
            self.cluster.call(TXN, rpc.TxnRequest(success=[layout.delete(key) for key in keys]))
        raise TimedOut(f"the history was pruned, but not all of it deleted within {LONG:g} s")

    def _forget_ids(self) -> None:
        limit = self._clock.now() - REMEMBERED
        moment = self._reader.moment()
        old = (kv.key for kv in moment.scan(moment.space.ids()) if layout.decode(kv.value, Applied).time <= limit)
        while keys := list(islice(old, _CHUNK)):
            self.cluster.call(TXN, rpc.TxnRequest(success=[layout.delete(key) for key in keys]))

    def snapshot(self) -> bytes:
        """See `base.Store`."""
        return pack(self._read(lambda moment: Pasts(moment).image()))

    def restore(self, image: bytes) -> Revision:
        """See `base.Store`. Others see either all of the old or all of the new."""
        self._check_open()
        found = unpack(image)
        until = monotonic() + RESTORE
        name = secrets.token_hex(8)
        space = self._reader.space(name)
        try:
            for operations in _chunks(_contents(space, found)):
                if monotonic() > until:
                    raise TimedOut(f"the snapshot was not written within {RESTORE:g} s; nothing was changed")
                self.cluster.call(TXN, rpc.TxnRequest(success=operations), attempt=LONG / 10, within=LONG / 6)
            old, revision = self._switch(space, name, found)
        except Lost as exc:
            # The space stays behind, unseen; `upkeep` removes it.
            raise TimedOut(f"{exc}: nothing of the snapshot is seen, unless this was its very end") from exc
        self._remove(old)
        self._show(revision)
        self._catch_up()
        return revision

    def _switch(self, space: Space, name: str, found: Image) -> tuple[Space, Revision]:
        """Make a filled space the present one; answers the one that was."""
        for _try in range(_TRIES):
            moment = self._reader.moment()
            old = moment.space
            revision, _docs, ends = restored(found, moment.head.revision, moment.meta()[0].ends)
            answer = self.cluster.call(
                TXN,
                rpc.TxnRequest(
                    compare=[layout.unchanged(old.head, moment.mod_revision), layout.unchanged(space.head, 0)],
                    success=[
                        layout.put(self._reader.root_key, layout.encode(Root(FORMAT, name))),
                        layout.put(space.head, layout.encode(Head(*revision, base=revision.number))),
                        layout.put(space.meta, layout.encode(Meta(found.floor, ends))),
                        layout.put(old.head, layout.encode(msgspec.structs.replace(moment.head, ended=True))),
                    ],
                    failure=[layout.get(space.head)],
                ),
            )
            if answer.succeeded:
                return old, revision
            if made := answer.responses[0].response_range.kvs:  # the request was repeated
                return old, layout.decode(made[0].value, Head).revision
        raise TimedOut("the store was written all the time; nothing of the snapshot is seen")

    def _remove(self, space: Space) -> None:
        """Delete a space that has ended but its head: that tells those who come late."""
        self.clear(Span(space.watched.end, space.all.end))
        self.clear(Span(space.told, space.watched.end))

    def clear(self, span: Span) -> None:
        """Delete keys, whatever they are. For upkeep."""
        request = rpc.DeleteRangeRequest(key=span.start, range_end=span.end)
        self.cluster.call(DELETE, request, attempt=LONG / 6, within=LONG / 6)

    def strays(self) -> builtins.list[bytes]:
        """The prefixes of spaces that are not the present one. For upkeep: they may be about to become it."""
        moment = self._reader.moment()
        rest = self._reader.spaces
        found: builtins.list[bytes] = []
        while kvs := moment.some(rest, 1, keys_only=True):
            name, _slash, _rest = kvs[0].key[len(self._reader.spaces.start) :].partition(b"/")
            found.append(self._reader.spaces.start + name + b"/")
            rest = rest.since(layout.end_of(found[-1]))
        return [prefix for prefix in found if prefix != moment.space.prefix]

    def present(self) -> int:
        """Etcd's own revision now. For upkeep."""
        return self._reader.moment().revision

    def close(self) -> None:
        """See `base.Store`. Leases stay."""
        self._closed = True
        self.cluster.close()
        self._feed.close()

    def list(self, prefix: str = "") -> builtins.list[Doc]:
        """See `base.Tree`."""
        return self.view(prefix)[1]


def _floor(events: Iterable[tuple[int, Event]], older_than: float, max_bytes: int) -> tuple[int, int]:
    """Up to which revision the history goes, and how many entries that are; `events` come newest first."""
    kept = list(events)
    floor = max((number for number, event in kept if event.time < older_than), default=0)
    size = 0
    for number, event in kept:
        size += event.size
        if size > max_bytes:
            floor = max(floor, number)
            break
    return floor, sum(len(event.records) for number, event in kept if number <= floor)


def _contents(space: Space, image: Image) -> Iterable[tuple[bytes, bytes]]:
    """Keys and values of a snapshot: the records with the version that the space will begin with."""
    for doc in image.docs:
        yield space.doc(doc.key), layout.record(doc, version=0)
    group: list[Entry] = []
    for entry in image.entries:
        if group and entry.revision != group[0].revision:
            yield from layout.history(space, group)
            group = []
        group.append(entry)
    yield from layout.history(space, group)
    for applied in image.applied:
        yield space.id(applied.id), layout.encode(applied)


def _chunks(contents: Iterable[tuple[bytes, bytes]]) -> Iterable[list[rpc.RequestOp]]:
    chunk: list[rpc.RequestOp] = []
    size = 0
    for key, value in contents:
        chunk.append(layout.put(key, value))
        size += len(key) + len(value)
        if len(chunk) >= _CHUNK or size >= _CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
