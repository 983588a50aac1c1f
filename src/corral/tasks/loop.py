"""A thread that does small things one after the other: when a descriptor is readable, at a time, or when asked to."""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import threading
from collections.abc import Callable

from corral.core.clock import Clock

log = logging.getLogger(__name__)

Deed = Callable[[], None]
AFTER_BUG = 5.0
"""Seconds after which a deed that raised is tried again: giving it up would leave a task where it stands for ever."""


class Loop:
    """`soon`, `ring` and `stop` may be called from every thread, the others from deeds only (and before `start`).

    `each_turn` is called after whatever woke the loop; `patience` answers the seconds after which it wants to be called
    again, None for not before something happens.
    """

    def __init__(self, name: str, clock: Clock, each_turn: Deed, patience: Callable[[], float | None]) -> None:
        self._clock = clock
        self._each_turn = each_turn
        self._patience = patience
        self._lock = threading.Lock()
        self._later: list[tuple[float, Deed]] = []
        self._selector: selectors.BaseSelector = selectors.PollSelector()
        self._ends: tuple[socket.socket, socket.socket] | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.stopping = False

    def start(self) -> None:
        """Begin. What was asked for before is done now."""
        self._ends = socket.socketpair()
        self._selector.register(self._ends[1], selectors.EVENT_READ)
        self._thread.start()
        self.ring()

    def stop(self) -> None:
        """End after the deed in hand; what is left undone stays so. Idempotent."""
        self.stopping = True
        self.ring()
        if self._thread.is_alive():
            self._thread.join()
        self._selector.close()
        for end in self._ends or ():
            end.close()

    def ring(self) -> None:
        """Have a turn."""
        if self._ends is not None:
            with contextlib.suppress(OSError):
                self._ends[0].send(b"!", socket.MSG_DONTWAIT)

    def soon(self, deed: Deed, delay: float = 0.0) -> None:
        """Do that after `delay` seconds."""
        with self._lock:
            self._later.append((self._clock.monotonic() + delay, deed))
        self.ring()

    def watch(self, descriptor: int, deed: Deed) -> None:
        """Do that whenever the descriptor is readable."""
        self._selector.register(descriptor, selectors.EVENT_READ, deed)

    def unwatch(self, descriptor: int) -> None:
        """No more; idempotent."""
        with contextlib.suppress(KeyError):
            self._selector.unregister(descriptor)

    def _run(self) -> None:
        while not self.stopping:
            for key, _ in self._selector.select(self._wait()):
                if isinstance(key.fileobj, socket.socket):
                    key.fileobj.recv(4096)
                elif not self.stopping and not self._done(key.data):
                    self.unwatch(key.fd)
                    self.soon(key.data, AFTER_BUG)
            for deed in self._due():
                if not self._done(deed):
                    self.soon(deed, AFTER_BUG)
            if not self.stopping:
                self._done(self._each_turn)

    def _done(self, deed: Deed) -> bool:
        try:
            deed()
        except Exception:
            log.exception("the loop '%s' failed at something; it tries again", self._thread.name)
            return False
        return True

    def _wait(self) -> float | None:
        waits = [] if (patience := self._patience()) is None else [patience]
        with self._lock:
            waits += [when - self._clock.monotonic() for when, _ in self._later]
        return max(0.0, min(waits)) if waits else None

    def _due(self) -> list[Deed]:
        if self.stopping:
            return []
        now = self._clock.monotonic()
        with self._lock:
            due = [deed for when, deed in self._later if when <= now]
            self._later = [(when, deed) for when, deed in self._later if when > now]
        return due
