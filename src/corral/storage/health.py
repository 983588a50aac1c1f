"""Whether storages answer: a call that hangs costs its caller the time-out and everybody else nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from corral.core.clock import Clock
from corral.core.errors import Error, TimedOut

T = TypeVar("T")


@dataclass(slots=True)
class _Hung:
    since: float
    thread: threading.Thread


class Health:
    """Runs calls to storages in threads of their own and remembers which storage hangs.

    A storage hangs from a call's time-out until that call has returned after all. While it does, every call to it is
    refused at once: so at most as many threads are stuck as calls were under way when it began.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._hung: dict[str, _Hung] = {}
        self._lock = threading.Lock()

    def hangs(self, storage: str) -> float | None:
        """For how many seconds the storage has been hanging; None if it is not known to."""
        with self._lock:
            hung = self._hung.get(storage)
            if hung is None:
                return None
            if hung.thread.is_alive():
                return self._clock.monotonic() - hung.since
            del self._hung[storage]
            return None

    def call(self, storage: str, work: Callable[[], T], timeout: float) -> T:
        """What `work` answers or raises; `TimedOut` after `timeout` seconds, or at once while the storage hangs.

        An OSError becomes an `Error` that names the storage.
        """
        if (seconds := self.hangs(storage)) is not None:
            raise TimedOut(f"storage '{storage}' is not online: no answer for {seconds:.0f} s")
        results: list[T] = []
        errors: list[BaseException] = []

        def body() -> None:
            try:
                results.append(work())
            except BaseException as exc:
                errors.append(exc)

        thread = threading.Thread(target=body, name=f"storage-{storage}", daemon=True)
        started = self._clock.monotonic()
        thread.start()
        thread.join(timeout)
        if thread.is_alive():
            with self._lock:
                self._hung.setdefault(storage, _Hung(started, thread))
            raise TimedOut(f"storage '{storage}' is not online: no answer within {timeout:g} s")
        if errors and isinstance(errors[0], OSError):  # a mount whose server has gone, mostly
            raise Error(f"storage '{storage}' is not online: {errors[0].strerror}") from errors[0]
        if errors:
            raise errors[0]
        return results[0]
