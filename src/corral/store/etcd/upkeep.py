"""Looking after etcd: compaction, space given back, the alarm of a full database; and how its members are."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import msgspec

from corral.core.clock import Clock
from corral.core.errors import Error, NoQuorum
from corral.store.base import Revision
from corral.store.etcd import layout
from corral.store.etcd import rpc_pb2 as rpc
from corral.store.etcd.cluster import ALARM, COMPACT, DEFRAGMENT, STATUS, Cluster, Compacted, Lost, details
from corral.store.etcd.engine import EtcdStore
from corral.store.etcd.layout import Span

INTERVAL = 300.0
"""How often `Upkeep.turn` is to be called, in seconds."""

KEPT = 600.0
"""How long etcd keeps what was overwritten, in seconds: who was cut off for longer lists anew."""

WORTHWHILE = 64 * 1024 * 1024
"""Unused bytes of a member's file that are worth a defragmentation, during which that member answers nobody."""

_ASK = 2.0
_DEFRAGMENT = 60.0
_COMPACT = 30.0


class MemberStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a member says it is; `trouble` alone when it says nothing. Sizes in bytes, `applied` is raft's index."""

    name: str
    endpoint: str
    leader: bool = False
    learner: bool = False
    version: str = ""
    size: int = 0
    used: int = 0
    applied: int = 0
    trouble: str = ""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How the cluster is. `quorum`: it takes writes; `revision` is the store's, None when it can't be read."""

    members: tuple[MemberStatus, ...]
    alarms: tuple[str, ...]
    quorum: bool
    revision: Revision | None


def status(store: EtcdStore) -> Status:
    """Ask all members, each for two seconds at most."""
    cluster = store.cluster
    quorum = True
    try:
        names = {url: member.name for member in cluster.members() for url in member.clientURLs[:1]}
        alarms = _alarms(cluster)
    except NoQuorum:
        names, alarms, quorum = {url: cluster.name(url) for url in cluster.endpoints}, (), False
    try:
        revision: Revision | None = store.view("\U0010ffff")[0]
    except Error:
        revision = None
    members = tuple(_member(cluster, endpoint, name) for endpoint, name in sorted(names.items(), key=lambda n: n[1]))
    return Status(members=members, alarms=tuple(alarm for alarm, _each in alarms), quorum=quorum, revision=revision)


def _member(cluster: Cluster, endpoint: str, name: str) -> MemberStatus:
    try:
        found = cluster.ask(endpoint, STATUS, rpc.StatusRequest(), _ASK, require_leader=False)
    except grpc.RpcError as exc:
        return MemberStatus(name=name, endpoint=endpoint, trouble=details(exc))
    return MemberStatus(
        name=name,
        endpoint=endpoint,
        leader=found.leader != 0 and found.leader == found.header.member_id,
        learner=found.isLearner,
        version=found.version,
        size=found.dbSize,
        used=found.dbSizeInUse,
        applied=found.raftAppliedIndex,
        trouble="; ".join(found.errors),
    )


def _alarms(cluster: Cluster) -> tuple[tuple[str, rpc.AlarmMember], ...]:
    found = cluster.call(ALARM, rpc.AlarmRequest(action=rpc.AlarmRequest.Action.GET)).alarms
    return tuple((f"{rpc.AlarmType.Name(each.alarm)} on {each.memberID:x}", each) for each in found)


def database(store: EtcdStore, timeout: float = 60.0) -> Iterator[bytes]:
    """A member's whole database in pieces, for `etcdctl snapshot restore`; the last 32 bytes are its SHA-256.

    This is for the loss of a quorum; what moves between engines and versions is `Store.snapshot`.
    """
    endpoint = store.cluster.endpoints[0]
    try:
        yield from store.cluster.blobs(endpoint, timeout)
    except grpc.RpcError as exc:
        raise NoQuorum(f"{store.cluster.name(endpoint)} gives no copy of its database: {details(exc)}") from exc


class Upkeep:
    """The duty of one node at a time: `turn` takes the lease for it. Nothing is lost when it is not done for hours."""

    def __init__(self, store: EtcdStore, clock: Clock, holder: str, *, kept: float = KEPT) -> None:
        self._store, self._clock, self._holder, self._kept = store, clock, holder, kept
        self._cluster = store.cluster
        self._samples: list[tuple[float, int]] = []
        self._strays: dict[bytes, float] = {}

    def turn(self) -> str:
        """Do what is due; a sentence that says what was done."""
        rescued = self._rescue()  # by all: a full database gives no lease
        if self._store.lease("store/upkeep", self._holder, 2 * INTERVAL) is None:
            return rescued or "another node looks after etcd"
        done = [rescued, self._compact(), self._clear(), self._defragment()]
        return ", ".join(each for each in done if each) or "nothing was due"

    def _rescue(self) -> str:
        """End the alarm of a full database, if forgetting gives space back."""
        alarms = [each for _name, each in _alarms(self._cluster) if each.alarm == rpc.AlarmType.NOSPACE]
        if not alarms:
            return ""
        self._forget(self._store.present())
        for endpoint in self._cluster.endpoints:
            self._shrink(endpoint)
        for each in alarms:
            end = rpc.AlarmRequest(
                action=rpc.AlarmRequest.Action.DEACTIVATE, memberID=each.memberID, alarm=rpc.AlarmType.NOSPACE
            )
            self._cluster.call(ALARM, end)
        return "the database was full: compacted, defragmented, and the alarm ended"

    def _compact(self) -> str:
        """Forget what was overwritten long ago."""
        now = self._clock.monotonic()
        old = [revision for time, revision in self._samples if now - time >= self._kept]
        self._samples = [each for each in self._samples if now - each[0] < self._kept]
        self._samples.append((now, self._store.present()))
        if not old or not self._forget(old[-1]):
            return ""
        return f"compacted up to {old[-1]}"

    def _forget(self, revision: int) -> bool:
        try:
            self._cluster.call(
                COMPACT, rpc.CompactionRequest(revision=revision, physical=True), within=_COMPACT, attempt=_COMPACT
            )
        except Compacted:
            return False
        return True

    def _clear(self) -> str:
        """Remove what interrupted restores, and stores that a restore replaced, have left."""
        now = self._clock.monotonic()
        strays = self._store.strays()
        self._strays = {prefix: self._strays.get(prefix, now) for prefix in strays}
        old = [prefix for prefix, since in self._strays.items() if now - since >= self._kept]
        for prefix in old:
            self._store.clear(Span(prefix, layout.end_of(prefix)))
            del self._strays[prefix]
        return f"removed {len(old)} spaces that nothing refers to" if old else ""

    def _defragment(self) -> str:
        """Give unused space back: one member a turn, those who follow first."""
        members = [
            _member(self._cluster, endpoint, self._cluster.name(endpoint)) for endpoint in self._cluster.endpoints
        ]
        for member in sorted(members, key=lambda each: each.leader):
            if not member.trouble and member.size - member.used >= max(WORTHWHILE, member.size // 2):
                self._shrink(member.endpoint)
                return f"defragmented {member.name}"
        return ""

    def _shrink(self, endpoint: str) -> None:
        try:
            self._cluster.ask(endpoint, DEFRAGMENT, rpc.DefragmentRequest(), _DEFRAGMENT, require_leader=False)
        except grpc.RpcError as exc:
            name = self._cluster.name(endpoint)
            raise Lost(f"{name} could not be defragmented: {details(exc)}", still_open=True) from exc
