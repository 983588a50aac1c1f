"""The feed: one watch of etcd in a thread of its own fills the log that all watches of the store read."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from time import monotonic
from typing import cast

import grpc

from corral.core.errors import Error
from corral.store.base import Batch, Doc, Revision
from corral.store.etcd import layout
from corral.store.etcd import rpc_pb2 as rpc
from corral.store.etcd.cluster import WATCH, Answers, Cluster, Compacted
from corral.store.etcd.layout import Head
from corral.store.etcd.moments import Moment, Reader
from corral.store.log import Log

log = logging.getLogger(__name__)

_PAUSE = 0.2
_BEAT = 1.5
_BEHIND = 10
_SILENCE = 4.0  # gRPC's own keep-alive does not notice a member that hangs


class _Anew(Exception):
    """What follows can't be told from what was told: read the store anew."""


class Feed:
    """Follows the store from a moment on. `shown` is told each revision."""

    def __init__(self, cluster: Cluster, reader: Reader, start: Moment, shown: Callable[[Revision], None]) -> None:
        self._cluster, self._reader, self._shown = cluster, reader, shown
        self.log = Log(start.head.revision)
        self._moment = start
        self._next = start.revision + 1
        self._gate = threading.Lock()
        self._running: Answers | None = None
        self._heard = 0.0
        self._behind = 0
        self._closed = False
        self._thread = threading.Thread(target=self._loop, name="store-feed", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it and all watches; idempotent."""
        with self._gate:
            self._closed = True
            if self._running:
                self._running.cancel()
        self.log.close()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _loop(self) -> None:
        failed: dict[str, float] = {}
        while not self._closed:
            endpoint = min(self._cluster.endpoints, key=lambda each: failed.get(each, 0.0))
            try:
                self._follow(endpoint)
            except (_Anew, Compacted):
                if self._again():
                    continue
            except (grpc.RpcError, Error) as exc:
                if not self._closed:
                    log.debug("the watch at %s ended: %s", endpoint, exc)
            except Exception:
                log.exception("the watch failed")
                self._again()
            failed[endpoint] = monotonic()
            if self._cluster.wait(_PAUSE):
                return

    def _follow(self, endpoint: str) -> None:
        """Take in what that member tells, until it ends."""
        ended = threading.Event()
        answers = self._cluster.stream(endpoint, WATCH, self._requests(ended))
        running = cast("Answers", answers)
        self._heard = monotonic()
        with self._gate:
            self._running = running
            if self._closed:
                running.cancel()
        try:
            for answer in answers:
                self._heard = monotonic()
                if answer.canceled:
                    if answer.compact_revision:
                        raise Compacted
                    raise Error(f"the watch was cancelled: {answer.cancel_reason}")
                if answer.created:
                    self._check_ahead(answer.header.revision)
                    self._learn()
                self._take(answer.events)
        finally:
            ended.set()
            running.cancel()

    def _check_ahead(self, revision: int) -> None:
        """A member that is behind will catch up; a cluster that is behind has been put back by its administrator."""
        if revision >= self._next - 1:
            self._behind = 0
            return
        self._behind += 1
        if self._behind < _BEHIND:
            raise Error("that member is behind")
        self._behind = 0
        log.error("etcd has been put back to an earlier state: what was written since then is lost")
        raise _Anew

    def _requests(self, ended: threading.Event) -> Iterator[rpc.WatchRequest]:
        """The watch, then signs of life, to be answered: silence may also mean that nothing is new."""
        span = self._moment.space.watched
        create = rpc.WatchCreateRequest(key=span.start, range_end=span.end, start_revision=self._next)
        yield rpc.WatchRequest(create_request=create)
        while not ended.wait(_BEAT):
            if monotonic() - self._heard > _SILENCE:
                with self._gate:
                    if self._running and not ended.is_set():
                        self._running.cancel()
                return
            yield rpc.WatchRequest(progress_request=rpc.WatchProgressRequest())

    def _learn(self) -> None:
        """Who is a member may have changed since the last watch."""
        try:
            self._cluster.members()
        except Error as exc:
            log.debug("the members can't be listed: %s", exc)

    def _take(self, events: Iterable[rpc.Event]) -> None:
        """Publish commits; etcd never divides one over two answers."""
        batches: list[Batch] = []
        for mod_revision, group in groupby(events, key=lambda event: event.kv.mod_revision):
            if mod_revision < self._next:
                continue
            batches += self._batches(list(group))
            self._next = mod_revision + 1
        if batches:
            present = self.log.revision
            if batches[0].revision != Revision(present.era, present.number + 1):
                raise _Anew
            self.log.publish(batches)
            self._shown(batches[-1].revision)

    def _batches(self, events: Sequence[rpc.Event]) -> list[Batch]:
        space = self._moment.space
        values = {event.kv.key: event.kv.value for event in events if event.type == rpc.Event.Type.PUT}
        head_value = values.pop(space.head, None)
        if head_value is None:
            raise _Anew  # the space is cleared
        head = layout.decode(head_value, Head)
        if head.ended:
            raise _Anew
        told = layout.told(values.pop(space.told))
        docs: dict[str, Doc | None] = {}
        for key, value in values.items():
            name = space.key(key)
            docs[name] = layout.doc(name, value, head.base)
        return [layout.batch(each, head.era, docs) for each in told]

    def _again(self) -> bool:
        """Go on at the present: every watch is reset. False if that can't be read now."""
        try:
            self._moment = self._reader.at(lambda _space: [], alone=False)[0]
        except Error as exc:
            log.debug("the store can't be read: %s", exc)
            return False
        self._next = self._moment.revision + 1
        revision = self._moment.head.revision
        if revision != self.log.revision:
            self.log.restart(revision)
            self._shown(revision)
        return True
