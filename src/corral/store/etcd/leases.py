"""Leases of the store, each a key bound to a lease of etcd, which deletes it in time whatever happens to its holder."""

from __future__ import annotations

import contextlib
import math
import threading
from dataclasses import dataclass

from corral.core.clock import Clock
from corral.core.errors import NoQuorum, TimedOut
from corral.store.etcd import layout
from corral.store.etcd import rpc_pb2 as rpc
from corral.store.etcd.cluster import GRANT, KEEP, LEFT, REVOKE, TXN, Cluster, LeaseGone
from corral.store.etcd.layout import Held
from corral.store.etcd.moments import Reader

_TRIES = 5


@dataclass(slots=True)
class _Grant:
    """What this process knows of a lease. `id` is etcd's.

    `ours`: it was taken or renewed here, so that it has ended when its time is over here: etcd's time begins later.
    `waiting`: a renewal got no answer; then etcd alone knows.
    """

    holder: str
    id: int
    ttl: float
    deadline: float
    ours: bool = True
    waiting: bool = False


class EtcdLeases:
    """Thread-safe. All verbs ask the cluster, but a lease that is known to last is answered from here."""

    def __init__(self, cluster: Cluster, reader: Reader, clock: Clock) -> None:
        self._cluster, self._reader, self._clock = cluster, reader, clock
        self._lock = threading.Lock()
        self._grants: dict[str, _Grant] = {}

    def take(self, name: str, holder: str, ttl: float) -> EtcdLease | None:
        """See `base.Store.lease`."""
        known = self._known(name)
        if known and known.holder != holder and known.ours and self._lasts(known):
            return None
        for _try in range(_TRIES):
            kv = self._read(name)
            if kv and layout.decode(kv.value, Held).holder != holder:
                if not self._over(name, kv.lease):
                    return None
                self._revoke(kv.lease)
                continue
            if lease := self._put(name, holder, ttl, kv):
                return lease
        return None

    def _put(self, name: str, holder: str, ttl: float, old: rpc.KeyValue | None) -> EtcdLease | None:
        deadline = self._clock.monotonic() + ttl
        granted = self._cluster.call(GRANT, rpc.LeaseGrantRequest(TTL=max(1, math.ceil(ttl)))).ID
        key = self._reader.lease(name)
        answer = self._cluster.call(
            TXN,
            rpc.TxnRequest(
                compare=[layout.unchanged(key, old.mod_revision if old else 0)],
                success=[layout.put(key, layout.encode(Held(holder, ttl)), granted)],
                failure=[layout.get(key)],
            ),
        )
        # Refused by its own forerunner: the request was repeated.
        if not answer.succeeded and not any(kv.lease == granted for kv in answer.responses[0].response_range.kvs):
            self._revoke(granted)
            return None
        if old:
            self._revoke(old.lease)
        with self._lock:
            self._grants[name] = _Grant(holder, granted, ttl, deadline)
        return EtcdLease(self, name, holder)

    def held(self, name: str, holder: str) -> EtcdLease | None:
        """See `base.Store`."""
        known = self._known(name)
        if known and known.ours and not known.waiting:
            return EtcdLease(self, name, holder) if known.holder == holder and self._lasts(known) else None
        return EtcdLease(self, name, holder) if self._find(name, holder) else None

    def _find(self, name: str, holder: str) -> _Grant | None:
        """A lease that the holder took elsewhere, or before this process began."""
        kv = self._read(name)
        found = layout.decode(kv.value, Held) if kv else None
        if kv is None or found is None or found.holder != holder:
            return None
        now = self._clock.monotonic()
        left = self._cluster.call(LEFT, rpc.LeaseTimeToLiveRequest(ID=kv.lease)).TTL
        if left <= 0:
            return None
        grant = _Grant(holder, kv.lease, found.ttl, now + left, ours=False)
        with self._lock:
            self._grants[name] = grant
        return grant

    def renew(self, name: str, holder: str) -> bool:
        """See `base.Lease`."""
        grant = self._known(name)
        if grant is None or grant.holder != holder:
            return False
        if grant.ours and not grant.waiting and not self._lasts(grant):
            return False
        deadline = self._clock.monotonic() + grant.ttl
        try:
            left = self._cluster.call(KEEP, rpc.LeaseKeepAliveRequest(ID=grant.id)).TTL
        except (NoQuorum, TimedOut):
            grant.waiting = True
            raise
        if left <= 0:
            self._forget(name, grant)
            return False
        grant.deadline, grant.ours, grant.waiting = deadline, True, False
        return True

    def release(self, name: str, holder: str) -> None:
        """See `base.Lease`."""
        grant = self._known(name)
        if grant is None or grant.holder != holder:
            grant = self._find(name, holder)
        if grant is not None:
            self._revoke(grant.id)
            self._forget(name, grant)

    def _read(self, name: str) -> rpc.KeyValue | None:
        _header, (answer,) = self._reader.read([layout.get(self._reader.lease(name))], alone=False)
        return answer.kvs[0] if answer.kvs else None

    def _revoke(self, lease: int) -> None:
        with contextlib.suppress(LeaseGone):
            self._cluster.call(REVOKE, rpc.LeaseRevokeRequest(ID=lease))

    def _known(self, name: str) -> _Grant | None:
        with self._lock:
            return self._grants.get(name)

    def _over(self, name: str, lease: int) -> bool:
        """Whether that lease of etcd was ours and has ended by our time, though etcd still waits."""
        grant = self._known(name)
        return grant is not None and grant.id == lease and grant.ours and not grant.waiting and not self._lasts(grant)

    def _lasts(self, grant: _Grant) -> bool:
        return grant.deadline > self._clock.monotonic()

    def _forget(self, name: str, grant: _Grant) -> None:
        with self._lock:
            if self._grants.get(name) is grant:
                del self._grants[name]


class EtcdLease:
    """See `base.Lease`."""

    def __init__(self, leases: EtcdLeases, name: str, holder: str) -> None:
        self._leases = leases
        self.name = name
        self.holder = holder

    def renew(self) -> bool:
        """Extend it by its `ttl`; False when it was lost. `NoQuorum` leaves open which."""
        return self._leases.renew(self.name, self.holder)

    def release(self) -> None:
        """Give it back; idempotent."""
        self._leases.release(self.name, self.holder)
