"""The tasks that run now, for event streams and lists: in memory, fed by the runner or by the feed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from corral.tasks.base import Running, TaskEvent

Listener = Callable[[TaskEvent], None]


class TaskBoard:
    """Thread-safe. Listeners are called in order with the board locked: they only take note and return."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._running: dict[str, Running] = {}
        self._listeners: tuple[Listener, ...] = ()

    def apply(self, event: TaskEvent) -> None:
        """Take over a change of a task."""
        with self._lock:
            if event.running is not None:
                self._running[event.upid] = event.running
            else:
                self._running.pop(event.upid, None)
            for listener in self._listeners:
                listener(event)

    def load(self, running: Iterable[Running]) -> None:
        """Become what a snapshot says; a task that it does not name has ended while nobody looked."""
        with self._lock:
            known = {task.upid: task for task in running}
            for upid in self._running.keys() - known.keys():
                self.apply(TaskEvent(upid=upid, hidden=True))
            for task in known.values():
                if self._running.get(task.upid) != task:
                    self.apply(TaskEvent(upid=task.upid, running=task))

    def subscribe(self, listener: Listener) -> tuple[list[Running], Callable[[], None]]:
        """The tasks running now, and from exactly there on every change to `listener`; the function ends it."""
        with self._lock:
            self._listeners += (listener,)
            return list(self._running.values()), lambda: self._leave(listener)

    def _leave(self, listener: Listener) -> None:
        with self._lock:
            self._listeners = tuple(each for each in self._listeners if each is not listener)
