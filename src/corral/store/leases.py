"""Who holds which name until when: the bookkeeping of leases inside one process."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from corral.core.clock import Clock


@dataclass(slots=True)
class _Grant:
    holder: str
    ttl: float
    deadline: float


class Leases:
    """Grants of one store, timed by the monotonic clock. Thread-safe.

    An engine that outlives its process hands in what was granted before; those leases begin anew. Renewing therefore
    writes nothing: after a restart every holder has its whole time to come back.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._grants: dict[str, _Grant] = {}

    def begin(self, name: str, holder: str, ttl: float) -> None:
        """Enter a grant of an earlier process."""
        self._grants[name] = _Grant(holder, ttl, self._clock.monotonic() + ttl)

    def take(self, name: str, holder: str, ttl: float) -> HeldLease | None:
        """Grant or extend; None while another holder's grant lasts."""
        now = self._clock.monotonic()
        with self._lock:
            grant = self._grants.get(name)
            if grant and grant.holder != holder and grant.deadline > now:
                return None
            self._grants[name] = _Grant(holder, ttl, now + ttl)
        return HeldLease(self, name, holder)

    def refused(self, name: str, holder: str) -> bool:
        """Whether another holder's grant lasts, so that there is nothing to be asked of the disk."""
        with self._lock:
            grant = self._grants.get(name)
            return grant is not None and grant.holder != holder and grant.deadline > self._clock.monotonic()

    def held(self, name: str, holder: str) -> HeldLease | None:
        """The lease if this holder has it now."""
        with self._lock:
            return HeldLease(self, name, holder) if self._valid(name, holder) else None

    def renew(self, name: str, holder: str) -> bool:
        """Extend a grant that has not ended."""
        with self._lock:
            grant = self._valid(name, holder)
            if grant:
                grant.deadline = self._clock.monotonic() + grant.ttl
            return grant is not None

    def release(self, name: str, holder: str) -> bool:
        """End the holder's grant; False if it was another's or none."""
        with self._lock:
            grant = self._grants.get(name)
            if grant is None or grant.holder != holder:
                return False
            del self._grants[name]
            return True

    def sweep(self) -> list[str]:
        """Forget the grants that have ended and answer their names."""
        now = self._clock.monotonic()
        with self._lock:
            ended = [name for name, grant in self._grants.items() if grant.deadline <= now]
            for name in ended:
                del self._grants[name]
            return ended

    def _valid(self, name: str, holder: str) -> _Grant | None:
        grant = self._grants.get(name)
        if grant and grant.holder == holder and grant.deadline > self._clock.monotonic():
            return grant
        return None


class HeldLease:
    """See `base.Lease`."""

    def __init__(self, leases: Leases, name: str, holder: str) -> None:
        self._leases = leases
        self.name = name
        self.holder = holder

    def renew(self) -> bool:
        """Extend it by its `ttl`; False when it was lost."""
        return self._leases.renew(self.name, self.holder)

    def release(self) -> None:
        """Give it back; idempotent."""
        self._leases.release(self.name, self.holder)
