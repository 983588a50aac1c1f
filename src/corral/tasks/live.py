"""The tasks that have not ended, as the runner keeps them in memory."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from corral.core.errors import NotFound
from corral.system import locks, pidfd
from corral.tasks import journal
from corral.tasks.base import Phase, Running, TaskEvent
from corral.tasks.journal import Header, Progress, Tail
from corral.tasks.outcome import Outcome
from corral.tasks.queue import Request
from corral.tasks.upid import Upid

log = logging.getLogger(__name__)

Listener = Callable[[TaskEvent], None]
"""Hears of changes of tasks, in order; called with the runner's lock held, so it must be quick and not call back."""


class Worker(Protocol):
    """A process that acts or undoes."""

    def fileno(self) -> int | None:
        """A descriptor that becomes readable when the process has ended; None where `ended` has to be asked."""
        ...

    def ended(self) -> bool:
        """Whether it has ended."""
        ...

    def terminate(self) -> None:
        """Ask it to stop: SIGTERM."""
        ...

    def kill(self) -> None:
        """End it: SIGKILL to its process group."""
        ...

    def close(self) -> None:
        """Forget it; idempotent."""
        ...


class Spawner(Protocol):
    """Starts workers."""

    def spawn(self, descriptor: int, upid: str, *, undo: bool) -> Worker:
        """Start a process that takes over the journal open and locked as `descriptor` (which stays the caller's to
        close) and acts, or with `undo` undoes. Raises an `Error` if no process can be started now."""
        ...


class PidWorker:
    """A worker known by a pidfd, its process group having the number of its pid."""

    def __init__(self, pid: int, descriptor: int) -> None:
        """Take over the pidfd of `pid`."""
        self._pid = pid
        self._descriptor = descriptor

    def fileno(self) -> int | None:
        """See `Worker`."""
        return self._descriptor

    def ended(self) -> bool:
        """See `Worker`."""
        poller = select.poll()
        poller.register(self._descriptor, select.POLLIN)
        return bool(poller.poll(0))

    def terminate(self) -> None:
        """See `Worker`."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """See `Worker`."""
        if not self.ended():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, signal.SIGKILL)
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, number)

    def close(self) -> None:
        """See `Worker`."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class AdoptedWorker:
    """A worker that an earlier corrald started: it lives as long as it holds the lock on its journal."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def fileno(self) -> int | None:
        """See `Worker`."""
        return None

    def ended(self) -> bool:
        """See `Worker`."""
        return not locks.is_held(self._path)

    def terminate(self) -> None:
        """See `Worker`."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """See `Worker`."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        state = journal.read(self._path)
        if state is None or state.begin is None:
            return
        with contextlib.suppress(NotFound), pidfd.Held(state.begin.pid) as held:
            # The lock is asked after the process is held: so the number can't have been given to another meanwhile.
            if not self.ended():
                held.signal(number)

    def close(self) -> None:
        """See `Worker`."""


@dataclass(slots=True, eq=False)
class Task:
    """A task that has not ended. `outcome` is there once `done` is set."""

    header: Header
    path: Path
    phase: Phase = Phase.WAITING
    waiting: str = ""
    progress: Progress | None = None
    worker: Worker | None = None
    stop_at: float | None = None  # monotonic: when somebody first asked the running task to stop
    stops: int = 0
    attempts: int = 0  # undo workers that died
    withdrawn: bool = False
    outcome: Outcome | None = None
    done: threading.Event = field(default_factory=threading.Event)
    tail: Tail = field(init=False)

    def __post_init__(self) -> None:
        self.tail = Tail(self.path)

    @property
    def upid(self) -> str:
        """Its name."""
        return self.header.upid

    @property
    def request(self) -> Request:
        """What it needs to begin."""
        return Request(self.upid, self.header.locks, self.header.slots)

    @property
    def order(self) -> tuple[int, int, int]:
        """Sorts by beginning."""
        return Upid.parse(self.upid).order

    @property
    def shown(self) -> Running:
        """As lists and the feed show it."""
        return Running(
            upid=self.upid,
            user=self.header.by.user,
            phase=self.phase,
            waiting=self.waiting if self.phase is Phase.WAITING else "",
            progress=None if self.progress is None else self.progress.fraction,
            text="" if self.progress is None else self.progress.text,
            awaited=self.header.awaited,
        )


class Listeners:
    """Who hears of changes. The caller holds a lock around every call."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def add(self, listener: Listener) -> None:
        """Tell it from now on."""
        self._listeners.append(listener)

    def remove(self, listener: Listener) -> None:
        """Tell it no more; idempotent."""
        with contextlib.suppress(ValueError):
            self._listeners.remove(listener)

    def tell(self, event: TaskEvent) -> None:
        """Tell all; one that fails is no reason not to tell the others."""
        for listener in list(self._listeners):
            try:
                listener(event)
            except Exception:
                log.exception("a listener to task events failed")
