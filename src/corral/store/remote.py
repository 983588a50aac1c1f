"""The store of a worker: asks `corrald` over `store.sock`, and waits for it when it is away."""

from __future__ import annotations

import contextlib
import secrets
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from corral.core.clock import Clock
from corral.core.errors import NotImplementedCall, TimedOut, Unavailable
from corral.store import calls
from corral.store.base import Doc, Past, Revision, Stood, Touch, Transaction, Watch
from corral.store.frames import HEAD, frame, length

T = TypeVar("T")

PATIENCE = 600.0
"""How long a call is repeated while `corrald` is away, in seconds."""

ANSWER = 90.0
"""How long one answer may take, in seconds: longer than any call of the store."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 1.0


class Channel(Protocol):
    """A connection to `corrald`. Both verbs raise OSError when it is broken."""

    def call(self, payload: bytes) -> bytes:
        """Send a request and answer its answer."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class SocketChannel:
    """A connection over a Unix socket."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.settimeout(ANSWER)
            self._socket.connect(str(path))
        except BaseException:
            self._socket.close()
            raise

    def call(self, payload: bytes) -> bytes:
        """See `Channel`."""
        self._socket.sendall(frame(payload))
        return self._receive(length(self._receive(HEAD)))

    def _receive(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            part = self._socket.recv(min(size - len(data), 1 << 20))
            if not part:
                raise ConnectionError("the connection to the store ended")
            data += part
        return bytes(data)

    def close(self) -> None:
        """See `Channel`."""
        self._socket.close()


class RemoteStore:
    """A `base.Store` of another process, all but its watch. Thread-safe, one call at a time.

    While `corrald` can't be reached, or goes away in the middle, a call is repeated for `patience` seconds, then
    `Unavailable`. A commit is never applied twice: it carries an id that the store remembers.
    """

    def __init__(self, dial: Callable[[], Channel], clock: Clock, *, patience: float = PATIENCE) -> None:
        self._dial = dial
        self._clock = clock
        self._patience = patience
        self._lock = threading.Lock()
        self._channel: Channel | None = None

    @classmethod
    def at(cls, path: Path, clock: Clock, *, patience: float = PATIENCE) -> RemoteStore:
        """The store behind the socket at `path`."""
        return cls(lambda: SocketChannel(path), clock, patience=patience)

    @property
    def revision(self) -> Revision:
        """See `base.Tree`."""
        return self._call(calls.At(), Revision)

    def get(self, key: str) -> Doc | None:
        """See `base.Tree`."""
        found = self._call(calls.Get(key), list[Doc])
        return found[0] if found else None

    def view(self, prefix: str = "") -> tuple[Revision, list[Doc]]:
        """See `base.Store`."""
        found = self._call(calls.List(prefix), calls.View)
        return found.revision, found.docs

    def commit(self, txn: Transaction) -> Revision:
        """See `base.Store`; also good when the answer was lost on the way."""
        if not txn.id:
            txn = msgspec.structs.replace(txn, id=secrets.token_hex(16))
        return self._call(calls.Commit(txn), Revision)

    def lease(self, name: str, holder: str, ttl: float) -> RemoteLease | None:
        """See `base.Store`."""
        return RemoteLease(self, name, holder) if self._call(calls.Take(name, holder, ttl), bool) else None

    def held(self, name: str, holder: str) -> RemoteLease | None:
        """See `base.Store`."""
        return RemoteLease(self, name, holder) if self._call(calls.Held(name, holder), bool) else None

    def history(
        self, prefix: str = "", *, limit: int = 100, before: Revision | None = None, exact: bool = False
    ) -> Sequence[Past]:
        """See `base.Store`."""
        return self._call(calls.History(prefix, limit, before, exact), tuple[Past, ...])

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
        return self._call(calls.Touches(prefix, exact, who, after, before, limit), tuple[Touch, ...])

    def moment(self, time: float) -> Revision | None:
        """See `base.Store`."""
        found = self._call(calls.Moment(time), list[Revision])
        return found[0] if found else None

    def as_of(self, revision: Revision, prefix: str = "", *, exact: bool = False) -> Mapping[str, Stood]:
        """See `base.Store`."""
        return self._call(calls.AsOf(revision, prefix, exact), dict[str, Stood])

    def watch(self, since: Revision) -> Watch:
        """Not offered: a worker asks. Raises `NotImplementedCall`."""
        raise NotImplementedCall("a remote store can't be watched")

    def prune(self, *, older_than: float, max_bytes: int) -> int:
        """See `base.Store`."""
        return self._call(calls.Prune(older_than, max_bytes), int)

    def snapshot(self) -> bytes:
        """See `base.Store`."""
        return self._call(calls.Snapshot(), bytes)

    def restore(self, image: bytes) -> Revision:
        """See `base.Store`; `Unavailable`, with the outcome open, when `corrald` goes away in the middle."""
        return self._call(calls.Restore(image), Revision, patience=0)

    def close(self) -> None:
        """End the connection; idempotent."""
        with self._lock:
            self._drop()

    def _call(self, request: calls.Request, kind: type[T], *, patience: float | None = None) -> T:
        """Repeat until an answer comes. That is safe: reads and leases may be repeated, commits have an id."""
        payload = calls.encode(request)
        end = self._clock.monotonic() + (self._patience if patience is None else patience)
        pause = _FIRST_PAUSE
        with self._lock:
            while True:
                try:
                    self._channel = self._channel or self._dial()
                    return calls.result(self._channel.call(payload), kind)
                except (OSError, Unavailable, TimedOut) as exc:  # not there, being closed, or its disk hangs
                    self._drop()
                    if self._clock.monotonic() >= end:
                        raise Unavailable(f"the store can't be reached - {exc}") from exc
                self._clock.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _drop(self) -> None:
        if self._channel:
            with contextlib.suppress(OSError):
                self._channel.close()
        self._channel = None

    def list(self, prefix: str = "") -> list[Doc]:
        """See `base.Tree`."""
        return self.view(prefix)[1]


class RemoteLease:
    """See `base.Lease`."""

    def __init__(self, store: RemoteStore, name: str, holder: str) -> None:
        self._store = store
        self.name = name
        self.holder = holder

    def renew(self) -> bool:
        """Extend it by its `ttl`; False when it was lost."""
        return self._store._call(calls.Renew(self.name, self.holder), bool)

    def release(self) -> None:
        """Give it back; idempotent."""
        self._store._call(calls.Release(self.name, self.holder), bool)
