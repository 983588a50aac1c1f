"""The recent batches of an engine, and the watches that read them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from corral.store.base import Batch, Reset, Revision

MAX_BATCHES = 10_000
MAX_BYTES = 16 * 1024 * 1024


class Log:
    """Keeps the last batches in memory, up to a number and a size; what is older is compacted. Thread-safe.

    Numbers of one era follow each other without a hole: every revision has exactly one batch.
    """

    def __init__(self, revision: Revision, *, max_batches: int = MAX_BATCHES, max_bytes: int = MAX_BYTES) -> None:
        self._changed = threading.Condition()
        self._revision = revision
        self._batches: list[Batch] = []
        self._bytes = 0
        self._max_batches = max_batches
        self._max_bytes = max_bytes
        self._closed = False

    @property
    def revision(self) -> Revision:
        """The last published revision."""
        return self._revision

    def publish(self, batches: Sequence[Batch]) -> None:
        """Show these batches, which follow the last one, to all watches."""
        if not batches:
            return
        with self._changed:
            self._batches += batches
            self._bytes += sum(_size(batch) for batch in batches)
            self._revision = batches[-1].revision
            if len(self._batches) > self._max_batches or self._bytes > self._max_bytes:
                self._drop(self._surplus())
            self._changed.notify_all()

    def compact(self, number: int) -> None:
        """Forget the batches up to revision `number`."""
        with self._changed:
            first = self._revision.number - len(self._batches) + 1
            self._drop(max(0, min(len(self._batches), number - first + 1)))
            self._changed.notify_all()

    def restart(self, revision: Revision) -> None:
        """Begin a new era: every watch gets `Reset`."""
        with self._changed:
            self._drop(len(self._batches))
            self._revision = revision
            self._changed.notify_all()

    def close(self) -> None:
        """End all watches."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def watch(self, since: Revision) -> LogWatch:
        """A watch that goes on after `since`."""
        return LogWatch(self, since)

    def wait_for(self, revision: Revision, timeout: float) -> bool:
        """Wait until that revision is published, at most `timeout` seconds; whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: self._closed or self._revision >= revision, timeout)

    def _surplus(self) -> int:
        """How many batches to drop so that three quarters of the limits are kept: not one by one at each publish."""
        count = max(0, len(self._batches) - self._max_batches * 3 // 4)
        left = self._bytes - sum(_size(batch) for batch in self._batches[:count])
        while left > self._max_bytes * 3 // 4 and count < len(self._batches):
            left -= _size(self._batches[count])
            count += 1
        return count

    def _drop(self, count: int) -> None:
        self._bytes -= sum(_size(batch) for batch in self._batches[:count])
        del self._batches[:count]

    def _after(self, cursor: Revision) -> Sequence[Batch] | Reset:
        """The batches after the cursor; the lock is held."""
        behind = self._revision.number - cursor.number
        if cursor.era != self._revision.era or not 0 <= behind <= len(self._batches):
            return Reset(revision=self._revision)
        return self._batches[len(self._batches) - behind :]

    def _wait(self, watch: LogWatch, cursor: Revision) -> Sequence[Batch] | Reset:
        """Like `_after`, waiting for the first; empty when the watch or the log was closed."""
        with self._changed:
            while not (watch.closed() or self._closed):
                if found := self._after(cursor):
                    return found
                self._changed.wait()
        return ()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


class LogWatch:
    """A running watch; for one reading thread, closed by any."""

    def __init__(self, log: Log, since: Revision) -> None:
        self._log = log
        self._cursor = since
        self._closed = threading.Event()

    def closed(self) -> bool:
        """Whether it has ended."""
        return self._closed.is_set()

    def __iter__(self) -> Iterator[Batch | Reset]:
        while not self.closed():
            found = self._log._wait(self, self._cursor)
            if isinstance(found, Reset):
                self._closed.set()
                yield found
                return
            if not found:
                return
            for batch in found:
                if self.closed():
                    return
                self._cursor = batch.revision
                yield batch

    def close(self) -> None:
        """End it; idempotent."""
        self._closed.set()
        self._log._wake()


def _size(batch: Batch) -> int:
    return 200 + sum(len(change.doc.text) + 200 if change.doc else 200 for change in batch.changes)
