"""The members of one etcd cluster: every call goes to one of them, and on to the next when it does not answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Generic, Protocol, TypeVar, cast
from urllib.parse import urlsplit

import grpc
from google.protobuf.message import Message

from corral.core.errors import Error, NoQuorum, ParamError, Unavailable
from corral.store.etcd import rpc_pb2 as rpc

MAX_REQUEST = 8 * 1024 * 1024
MAX_OPERATIONS = 16384
SERVER_OPTIONS = (f"--max-request-bytes={MAX_REQUEST}", f"--max-txn-ops={MAX_OPERATIONS}")
"""What every member must be started with. A transaction of the store is up to two of etcd's operations a write."""

WITHIN = 4.5
"""Longest wait for an answer of the cluster, in seconds: longer than electing a leader takes."""

ATTEMPT = 1.5
"""Longest wait for the answer of one member, unless the request is known to take long."""

READ_WITHIN = 2.5
"""The same for what a member may answer alone when the cluster does not."""

_LOST_FOR = 10.0
_LOST_ATTEMPT = 0.5
_PAUSE = 0.1
_REQUIRE_LEADER = (("hasleader", "true"),)
_OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", MAX_REQUEST + 512 * 1024),
    ("grpc.enable_retries", 0),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.keepalive_time_ms", 6000),  # etcd refuses more often than every 5 s
    ("grpc.keepalive_timeout_ms", 2000),
    ("grpc.http2.max_pings_without_data", 0),
)

Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)


@dataclass(frozen=True)
class Method(Generic[Q, A]):
    """A call of etcd's protocol. Of a `stream` only the first answer counts."""

    path: str
    request: type[Q]
    answer: type[A]
    stream: bool = False


TXN = Method("/etcdserverpb.KV/Txn", rpc.TxnRequest, rpc.TxnResponse)
RANGE = Method("/etcdserverpb.KV/Range", rpc.RangeRequest, rpc.RangeResponse)
DELETE = Method("/etcdserverpb.KV/DeleteRange", rpc.DeleteRangeRequest, rpc.DeleteRangeResponse)
COMPACT = Method("/etcdserverpb.KV/Compact", rpc.CompactionRequest, rpc.CompactionResponse)
WATCH = Method("/etcdserverpb.Watch/Watch", rpc.WatchRequest, rpc.WatchResponse, stream=True)
GRANT = Method("/etcdserverpb.Lease/LeaseGrant", rpc.LeaseGrantRequest, rpc.LeaseGrantResponse)
REVOKE = Method("/etcdserverpb.Lease/LeaseRevoke", rpc.LeaseRevokeRequest, rpc.LeaseRevokeResponse)
KEEP = Method("/etcdserverpb.Lease/LeaseKeepAlive", rpc.LeaseKeepAliveRequest, rpc.LeaseKeepAliveResponse, stream=True)
LEFT = Method("/etcdserverpb.Lease/LeaseTimeToLive", rpc.LeaseTimeToLiveRequest, rpc.LeaseTimeToLiveResponse)
MEMBERS = Method("/etcdserverpb.Cluster/MemberList", rpc.MemberListRequest, rpc.MemberListResponse)
STATUS = Method("/etcdserverpb.Maintenance/Status", rpc.StatusRequest, rpc.StatusResponse)
ALARM = Method("/etcdserverpb.Maintenance/Alarm", rpc.AlarmRequest, rpc.AlarmResponse)
DEFRAGMENT = Method("/etcdserverpb.Maintenance/Defragment", rpc.DefragmentRequest, rpc.DefragmentResponse)
SNAPSHOT = Method("/etcdserverpb.Maintenance/Snapshot", rpc.SnapshotRequest, rpc.SnapshotResponse)


@dataclass(frozen=True)
class Tls:
    """Files (PEM) of mutual TLS: the cluster's authority, and the certificate and key that say who we are."""

    ca: Path
    certificate: Path
    key: Path

    def credentials(self) -> grpc.ChannelCredentials:
        """What the files hold now."""
        return grpc.ssl_channel_credentials(
            root_certificates=self.ca.read_bytes(),
            private_key=self.key.read_bytes(),
            certificate_chain=self.certificate.read_bytes(),
        )


class Compacted(Exception):
    """What was asked for is older than etcd keeps: read anew."""


class LeaseGone(Exception):
    """There is no such lease of etcd any more."""


class Lost(NoQuorum):
    """No member gave an answer in time. `open`: some member may have carried the request out, or may still do so."""

    def __init__(self, message: str, *, still_open: bool) -> None:
        super().__init__(message)
        self.open = still_open


class Answers(Protocol):
    """A running stream of answers."""

    def cancel(self) -> bool:
        """End it."""
        ...


class Cluster:
    """Thread-safe. `endpoints` are URLs of members; the others are learned from them.

    Requests are repeated at the next member when one gives no answer, so each must bear being carried out twice.
    """

    def __init__(self, endpoints: Sequence[str], tls: Tls | None = None) -> None:
        if not endpoints:
            raise Error("a cluster needs at least one endpoint")
        self._given = tuple(endpoints)
        self._credentials = tls.credentials() if tls else None
        self._lock = threading.Lock()
        self._channels: dict[str, grpc.Channel] = {}
        self._endpoints = self._given
        self._names: Mapping[str, str] = {}
        self._first = 0
        self._lost_at = self._lost_to_reads_at = -_LOST_FOR
        self._closed = threading.Event()
        self.applied = 0
        """The newest revision of etcd that an answer has shown."""

    @property
    def endpoints(self) -> tuple[str, ...]:
        """All that are known, the one that answered last at first."""
        known, first = self._endpoints, self._first % len(self._endpoints)
        return known[first:] + known[:first]

    def _lost(self, *, reading: bool) -> bool:
        """Whether it gave no answer a moment ago. A leader's election may outlast a read: that is no word on writes."""
        lost_at = max(self._lost_at, self._lost_to_reads_at) if reading else self._lost_at
        return monotonic() - lost_at < _LOST_FOR

    def name(self, endpoint: str) -> str:
        """A member as messages name it."""
        place = urlsplit(endpoint).netloc or endpoint
        known = self._names.get(endpoint)
        return f"{known} ({place})" if known else place

    def call(
        self,
        method: Method[Q, A],
        request: Q,
        *,
        within: float = WITHIN,
        attempt: float = ATTEMPT,
        reading: bool = False,
    ) -> A:
        """The answer of the first member that gives one; `Lost` after `within` seconds.

        While the cluster is lost every member is asked just once, so that callers need not wait to hear it again.
        """
        once = self._lost(reading=reading)
        attempt = min(attempt, _LOST_ATTEMPT) if once else attempt
        deadline = monotonic() + within
        troubles: dict[str, str] = {}
        still_open = False
        while True:
            for endpoint in self.endpoints:
                left = deadline - monotonic()
                if left <= 0:
                    break
                try:
                    answer = self.ask(endpoint, method, request, min(left, attempt))
                except grpc.RpcError as exc:
                    troubles[self.name(endpoint)], maybe = _trouble(exc)
                    still_open |= maybe
                    continue
                self._answered(endpoint)
                return answer
            if once or monotonic() + _PAUSE >= deadline or self.wait(_PAUSE):
                break
        self._check_open()
        self._lost_to_reads_at = monotonic()
        if not reading:
            self._lost_at = self._lost_to_reads_at
        told = ", ".join(f"{name}: {trouble}" for name, trouble in troubles.items())
        raise Lost(f"the cluster has no quorum or can't be reached ({told})", still_open=still_open)

    def _answered(self, endpoint: str) -> None:
        self._lost_at = self._lost_to_reads_at = -_LOST_FOR
        self.prefer(endpoint)

    def prefer(self, endpoint: str) -> None:
        """Ask that member first from now on."""
        known = self._endpoints
        if endpoint in known and known[self._first % len(known)] != endpoint:
            self._first = known.index(endpoint)

    def ask(self, endpoint: str, method: Method[Q, A], request: Q, timeout: float, *, require_leader: bool = True) -> A:
        """The answer of that member; grpc's error if it gives none that another might not give too."""
        metadata = _REQUIRE_LEADER if require_leader else ()
        try:
            if method.stream:
                answer = self._first_of(endpoint, method, request, timeout, metadata)
            else:
                one = self._channel(endpoint).unary_unary(
                    method.path, method.request.SerializeToString, method.answer.FromString
                )
                answer = one(request, timeout=timeout, metadata=metadata)
        except grpc.RpcError as exc:
            _refuse(exc)
            raise
        except ValueError as exc:  # grpc's word for a closed channel
            self._check_open()
            raise Unavailable(f"{self.name(endpoint)} is no member any more") from exc
        header = getattr(answer, "header", None)
        if header is not None and header.revision > self.applied:
            self.applied = header.revision
        return answer

    def _first_of(
        self, endpoint: str, method: Method[Q, A], request: Q, timeout: float, metadata: tuple[tuple[str, str], ...]
    ) -> A:
        many = self._channel(endpoint).stream_stream(
            method.path, method.request.SerializeToString, method.answer.FromString
        )
        answers = many(iter([request]), timeout=timeout, metadata=metadata)
        try:
            for answer in answers:
                return answer
        finally:
            answers.cancel()
        raise Error(f"{self.name(endpoint)} ended a call without an answer")

    def stream(self, endpoint: str, method: Method[Q, A], requests: Iterator[Q]) -> Iterator[A]:
        """A call that goes on until it fails or is cancelled (see `Answers`): with a leader only."""
        many = self._channel(endpoint).stream_stream(
            method.path, method.request.SerializeToString, method.answer.FromString
        )
        return cast("Iterator[A]", many(requests, metadata=_REQUIRE_LEADER))

    def blobs(self, endpoint: str, timeout: float) -> Iterator[bytes]:
        """That member's database, piece by piece, as `etcdctl snapshot restore` takes it."""
        many = self._channel(endpoint).unary_stream(
            SNAPSHOT.path, SNAPSHOT.request.SerializeToString, SNAPSHOT.answer.FromString
        )
        for answer in many(rpc.SnapshotRequest(), timeout=timeout):
            yield answer.blob

    def members(self) -> list[rpc.Member]:
        """The members as the cluster names them; what is learned is used from then on."""
        found = list(self.call(MEMBERS, rpc.MemberListRequest()).members)
        names = {url: member.name for member in found for url in member.clientURLs}
        voters = [url for member in found if not member.isLearner for url in member.clientURLs]
        with self._lock:
            self._names = names
            now = self.endpoints[0]
            known = tuple(dict.fromkeys(voters)) or self._given
            if known != self._endpoints:
                gone = self._channels.keys() - set(known)
                self._endpoints = known
                self._first = known.index(now) if now in known else 0
                for endpoint in gone:
                    self._channels.pop(endpoint).close()
        return found

    def _channel(self, endpoint: str) -> grpc.Channel:
        with self._lock:
            self._check_open()
            if endpoint not in self._channels:
                target = urlsplit(endpoint).netloc or endpoint
                self._channels[endpoint] = (
                    grpc.secure_channel(target, self._credentials, options=_OPTIONS)
                    if self._credentials
                    else grpc.insecure_channel(target, options=_OPTIONS)
                )
            return self._channels[endpoint]

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise Unavailable("the store is closed")

    def wait(self, seconds: float) -> bool:
        """Wait; at once True when it is closed."""
        return self._closed.wait(seconds)

    def close(self) -> None:
        """End all calls; idempotent."""
        self._closed.set()
        with self._lock:
            for channel in self._channels.values():
                channel.close()
            self._channels.clear()


def _refuse(exc: grpc.RpcError) -> None:
    """Raise what any other member would say too."""
    code, said = _said(exc)
    if code is grpc.StatusCode.OUT_OF_RANGE and "compacted" in said:
        raise Compacted from exc
    if code is grpc.StatusCode.OUT_OF_RANGE and "future" in said:
        return  # that member is behind; others may not be
    if code is grpc.StatusCode.NOT_FOUND and "lease not found" in said:
        raise LeaseGone from exc
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and "space exceeded" in said:
        raise NoQuorum("the cluster's database is full: nothing can be written until it is compacted") from exc
    if code is grpc.StatusCode.INVALID_ARGUMENT and ("too large" in said or "too many" in said):
        raise ParamError({"writes": "too large"}, "the transaction is too large for the cluster") from exc
    if code in (
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.DATA_LOSS,
    ):
        raise Error(f"etcd refuses: {said}") from exc


def _trouble(exc: grpc.RpcError) -> tuple[str, bool]:
    """What went wrong, in few words, and whether the request may have been carried out all the same."""
    code, said = _said(exc)
    if "no leader" in said:
        return "no leader", False
    if code is grpc.StatusCode.UNAVAILABLE and ("failed to connect" in said or "refused" in said):
        return "can't be reached", False
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return "no answer in time", True
    return said.splitlines()[0][:120] if said else str(code), True


def details(exc: grpc.RpcError) -> str:
    """What a failed call says of itself, for messages."""
    return _trouble(exc)[0]


def _said(exc: grpc.RpcError) -> tuple[grpc.StatusCode, str]:
    call = cast("grpc.Call", exc)
    return call.code(), call.details() or ""
