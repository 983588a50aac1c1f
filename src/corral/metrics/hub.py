"""What has just changed, for event streams: records, tasks, status, each reader seeing what it may see.

Events: `change` (which records, by whom; no texts; its id is the revision, from which a stream can be resumed), `task`,
`status` (all of them on connect, then differences) and `reset` (list again: the cursor is too old, or what the
reader may see has changed).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

import msgspec

from corral.metrics.board import StatusBoard, StatusChange
from corral.store.base import Batch, Reset, Revision
from corral.tasks.base import Running, TaskEvent
from corral.tasks.board import TaskBoard

KEPT = 10_000
RIGHTS = frozenset({"user.cfg", "token.cfg"})


class Event(NamedTuple):
    """One event; `id` is empty where nothing can be resumed from it. `data` is JSON."""

    event: str
    id: str
    data: bytes


class Sight(Protocol):
    """What one reader may see, by its present privileges."""

    def record(self, key: str) -> bool:
        """Whether it may know that this record changed."""
        ...

    def task(self, upid: str) -> bool:
        """Whether it may see this task."""
        ...

    def status(self, change: StatusChange) -> bool:
        """Whether it may see this status."""
        ...


class Hub:
    """Keeps the last changes and serves any number of readers. Thread-safe; readers' functions must not block."""

    def __init__(
        self,
        revision: Callable[[], Revision],
        listen: Callable[[Callable[[Batch | Reset], None]], Callable[[], None]],
        board: StatusBoard,
        tasks: TaskBoard,
    ) -> None:
        self._revision = revision
        self._board = board
        self._tasks = tasks
        self._lock = threading.RLock()
        self._recent: deque[Batch] = deque(maxlen=KEPT)
        self._floor = revision()
        self._readers: tuple[Callable[[Batch | Reset], None], ...] = ()
        listen(self._on_batch)

    def _on_batch(self, event: Batch | Reset) -> None:
        with self._lock:
            if isinstance(event, Reset):
                self._recent.clear()
                self._floor = event.revision
            else:
                if len(self._recent) == KEPT:
                    self._floor = self._recent[0].revision
                # Texts are not kept: who may see an event reads the record.
                self._recent.append(_without_texts(event))
            for reader in self._readers:
                reader(event)

    def subscribe(self, sight: Sight, since: Revision | None, push: Callable[[Event], None]) -> Callable[[], None]:
        """Send a reader everything from `since` (None: from now) on; answers the function that ends it."""

        def on_batch(event: Batch | Reset) -> None:
            for each in _changes(event, sight):
                push(each)

        def on_status(change: StatusChange) -> None:
            if sight.status(change):
                push(Event("status", "", msgspec.json.encode([change])))

        def on_task(event: TaskEvent) -> None:
            if sight.task(event.upid):
                push(Event("task", "", msgspec.json.encode(event)))

        with self._lock:
            for missed in self._missed(since):
                on_batch(missed)
            if since is None:
                push(Event("ready", str(self._revision()), b"{}"))
            self._readers += (on_batch,)
        changes, leave_board = self._board.subscribe(on_status)
        push(Event("status", "", msgspec.json.encode([change for change in changes if sight.status(change)])))
        running, leave_tasks = self._tasks.subscribe(on_task)
        push(Event("task", "", msgspec.json.encode(_visible(running, sight))))

        def cancel() -> None:
            leave_board()
            leave_tasks()
            with self._lock:
                self._readers = tuple(each for each in self._readers if each is not on_batch)

        return cancel

    def _missed(self, since: Revision | None) -> list[Batch | Reset]:
        if since is None:
            return []
        present = self._revision()
        if since.era != present.era or since < self._floor or since > present:
            return [Reset(revision=present)]
        return [batch for batch in self._recent if batch.revision > since]


def _without_texts(batch: Batch) -> Batch:
    changes = tuple(
        msgspec.structs.replace(
            change, doc=None if change.doc is None else msgspec.structs.replace(change.doc, text="")
        )
        for change in batch.changes
    )
    return msgspec.structs.replace(batch, changes=changes)


def _visible(running: list[Running], sight: Sight) -> list[TaskEvent]:
    return [TaskEvent(upid=task.upid, running=task) for task in running if sight.task(task.upid)]


def _changes(event: Batch | Reset, sight: Sight) -> list[Event]:
    if isinstance(event, Reset):
        return [Event("reset", str(event.revision), b"{}")]
    events = []
    if any(change.key in RIGHTS for change in event.changes):
        events.append(Event("reset", str(event.revision), b"{}"))
    rows = [
        {"key": change.key, "action": "delete" if change.doc is None else "write"}
        for change in event.changes
        if sight.record(change.key)
    ]
    if rows:
        body = {"revision": str(event.revision), "who": event.cause.who, "why": event.cause.why, "records": rows}
        events.append(Event("change", str(event.revision), msgspec.json.encode(body)))
    return events
