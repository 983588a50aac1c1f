"""The one thread that writes a sqlite store: jobs that wait together share one durable sqlite transaction."""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Generic, TypeVar

from corral.core.errors import Error, NoQuorum, TimedOut, Unavailable

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_GROUP = 512
MAX_GROUP_BYTES = 16 * 1024 * 1024
# Not all I/O errors: those of the shared-memory file, say on a full disk, come before anything is written.
_UNREADABLE = frozenset(
    {
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_DIR_FSYNC,
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_TRUNCATE,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
    }
)


class Job(Generic[T]):
    """A piece of writing. `run` raises an `Error` before it has written anything, or writes all of it.

    `alone` jobs get a sqlite transaction of their own.
    """

    def __init__(self, run: Callable[[sqlite3.Connection], T], *, size: int = 0, alone: bool = False) -> None:
        self.size = size
        self.alone = alone
        self._run = run
        self._result: T | None = None
        self._error: Exception | None = None
        self.future: Future[T] = Future()

    def turn(self, connection: sqlite3.Connection) -> None:
        """Run inside the open sqlite transaction; errors meant for the caller are kept, others end the group."""
        try:
            self._result = self._run(connection)
        except Error as exc:
            self._error = exc

    def finish(self) -> None:
        """Answer: the group is on disk."""
        if self._error is not None:
            self.future.set_exception(self._error)
        else:
            self.future.set_result(self._result)  # type: ignore[arg-type]  # `turn` has set it


class Writer:
    """Runs jobs in order of their arrival, one group at a time.

    `begin` is called in each sqlite transaction first, `finish` last, `published` when it is on disk and before anybody
    is answered, `undone` when it was rolled back.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        begin: Callable[[], None],
        finish: Callable[[sqlite3.Connection], None],
        published: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._begin, self._finish, self._published = begin, finish, published
        self._queue: queue.SimpleQueue[Job[object] | None] = queue.SimpleQueue()
        self._next: Job[object] | None = None
        self._broken: str = ""
        self._gate = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._loop, name="store-writer", daemon=True)
        self._thread.start()

    def call(self, job: Job[T], timeout: float) -> T:
        """Queue a job and wait for its answer, at most `timeout` seconds."""
        with self._gate:
            if self._closed:
                raise Unavailable("the store is closed")
            self._queue.put(job)  # type: ignore[arg-type]  # the writer only moves the result from `run` to the future
        try:
            return job.future.result(timeout)
        except (FutureTimeoutError, CancelledError) as exc:
            if job.future.cancel():
                raise TimedOut(f"the store did not begin to write within {timeout:g} s; nothing was changed") from exc
            raise TimedOut(f"the store did not finish writing within {timeout:g} s; it may do so later") from exc

    def close(self) -> None:
        """Finish what is queued and end the thread; idempotent."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _loop(self) -> None:
        while group := self._gather():
            live = [job for job in group if job.future.set_running_or_notify_cancel()]
            if live:
                self._write(live)

    def _gather(self) -> list[Job[object]]:
        """The waiting jobs that share a transaction, at least one; empty when the writer was closed."""
        first = self._next or self._queue.get()
        self._next = None
        if first is None:
            return []
        group, size = [first], first.size
        while not first.alone and len(group) < MAX_GROUP and size < MAX_GROUP_BYTES:
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                break
            if job is None:
                self._queue.put(None)
                break
            if job.alone:
                self._next = job
                break
            group.append(job)
            size += job.size
        return group

    def _write(self, group: list[Job[object]]) -> None:
        try:
            self._transact(group)
        except Exception as exc:
            error = self._failed(exc)
            for job in group:
                job.future.set_exception(error)
            return
        self._published()
        for job in group:
            job.finish()

    def _transact(self, group: list[Job[object]]) -> None:
        if self._broken:
            raise NoQuorum(self._broken)
        self._begin()
        self._connection.execute("BEGIN IMMEDIATE")
        for job in group:
            job.turn(self._connection)
        self._finish(self._connection)
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error as exc:
            if _code(exc) in _UNREADABLE:
                # After a failed fsync nobody knows what the disk holds, and a second try would only seem to work.
                self._broken = f"the store's disk failed ({exc}): nothing can be changed until a restart"
                raise TimedOut(f"the store's disk failed ({exc}): the change may or may not have been kept") from exc
            raise

    def _failed(self, exc: Exception) -> Error:
        if self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error:
                log.exception("the store can't roll back")
        if isinstance(exc, Error):
            return exc
        if isinstance(exc, sqlite3.Error):
            log.error("the store can't be written: %s", exc)
            return NoQuorum(f"the store can't be written: {exc}")
        log.error("a job of the store failed", exc_info=exc)
        return Error(f"the store failed: {exc}")


def _code(exc: sqlite3.Error) -> int:
    return int(getattr(exc, "sqlite_errorcode", 0))
