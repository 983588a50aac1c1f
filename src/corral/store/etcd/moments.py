"""Reading: moments of the store, each at one revision of etcd however many calls it takes."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

import grpc

from corral.core.errors import Error, NoQuorum
from corral.store.base import Doc
from corral.store.etcd import layout
from corral.store.etcd import rpc_pb2 as rpc
from corral.store.etcd.cluster import ATTEMPT, READ_WITHIN, TXN, WITHIN, Cluster, Compacted, Lost
from corral.store.etcd.layout import FORMAT, Head, Meta, Root, Space, Span

T = TypeVar("T")

PAGE = 1000
"""Keys of one answer."""

_TRIES = 5
_SLOW = 10.0  # a page of long texts


class Found(NamedTuple):
    """A head as read, with etcd's revision that compares equal as long as it stands."""

    space: Space
    head: Head
    mod_revision: int


class Moment:
    """The store as it stood at one revision of etcd; `Compacted` when that is too long ago."""

    def __init__(self, reader: Reader, found: Found, revision: int) -> None:
        self._reader = reader
        self.space = found.space
        self.head = found.head
        self.mod_revision = found.mod_revision
        self.revision = revision

    def scan(self, span: Span, *, page: int = PAGE, keys_only: bool = False) -> Iterator[rpc.KeyValue]:
        """The keys of a span in order, page by page."""
        start = span.start
        while start < span.end:
            answer = self._read([layout.get(start, span.end, limit=page, keys_only=keys_only)])[0]
            yield from answer.kvs
            if not answer.more:
                return
            start = answer.kvs[-1].key + b"\0"

    def some(self, span: Span, limit: int, *, keys_only: bool = False) -> list[rpc.KeyValue]:
        """The first keys of a span."""
        if span.start >= span.end:
            return []
        return list(self._read([layout.get(span.start, span.end, limit=limit, keys_only=keys_only)])[0].kvs)

    def each(self, keys: Sequence[bytes]) -> list[rpc.KeyValue | None]:
        """These keys."""
        found: list[rpc.KeyValue | None] = []
        for start in range(0, len(keys), PAGE):
            answers = self._read([layout.get(key) for key in keys[start : start + PAGE]])
            found += [answer.kvs[0] if answer.kvs else None for answer in answers]
        return found

    def docs(self, prefix: str = "") -> list[Doc]:
        """The records below a prefix."""
        return [self.doc(kv) for kv in self.scan(self.space.docs(prefix))]

    def doc(self, kv: rpc.KeyValue) -> Doc:
        """A record as read."""
        return layout.doc(self.space.key(kv.key), kv.value, self.head.base)

    def get(self, keys: Sequence[str]) -> dict[str, Doc]:
        """Those of these records that there are."""
        found = [self.doc(kv) for kv in self.each([self.space.doc(key) for key in keys]) if kv]
        return {doc.key: doc for doc in found}

    def meta(self) -> tuple[Meta, int]:
        """Floor and ends, with etcd's revision that compares equal as long as they stand."""
        (kv,) = self.some(Span(self.space.meta, self.space.meta + b"\0"), 1)
        return layout.decode(kv.value, Meta), kv.mod_revision

    def _read(self, operations: Sequence[rpc.RequestOp]) -> list[rpc.RangeResponse]:
        for operation in operations:
            operation.request_range.revision = self.revision
        return self._reader.read(operations)[1]


class Reader:
    """Finds the present space and reads from it. `root` is where the store lies in etcd, with a slash at the end."""

    def __init__(self, cluster: Cluster, root: str) -> None:
        self._cluster = cluster
        self.root = root.encode()
        self._space: Space | None = None

    def space(self, name: str) -> Space:
        """The space of that name."""
        return Space(self.root + b"space/" + name.encode() + b"/")

    @property
    def spaces(self) -> Span:
        """The keys of all spaces."""
        return Span(self.root + b"space/", self.root + b"space0")

    def lease(self, name: str) -> bytes:
        """The key of a lease."""
        return self.root + b"lease/" + name.encode()

    @property
    def root_key(self) -> bytes:
        """The key that names the present space."""
        return self.root + b"root"

    def moment(self) -> Moment:
        """The present."""
        return self.at(lambda _space: [])[0]

    def at(
        self, build: Callable[[Space], Sequence[rpc.RequestOp]], *, alone: bool = True
    ) -> tuple[Moment, list[rpc.RangeResponse]]:
        """The present with the answers of some reads in the present space."""
        for _try in range(_TRIES):
            space = self._space or self._find()
            header, answers = self.read([layout.get(space.head), *build(space)], alone=alone)
            if found := self.found(space, answers[0]):
                return Moment(self, found, header.revision), answers[1:]
        raise Error("the store in etcd is being replaced again and again")

    def found(self, space: Space, answer: rpc.RangeResponse) -> Found | None:
        """The head in an answer; None if that space is not the present one any more."""
        if answer.kvs:
            head = layout.decode(answer.kvs[0].value, Head)
            if not head.ended:
                return Found(space, head, answer.kvs[0].mod_revision)
        self._space = None
        return None

    def retried(self, read: Callable[[Moment], T]) -> T:
        """Run something on the present, anew if it took so long that etcd forgot the moment."""
        for _try in range(_TRIES):
            try:
                return read(self.moment())
            except Compacted:
                continue
        raise Error("the store can't be read: etcd forgets each moment before it is read to its end")

    def read(
        self, operations: Sequence[rpc.RequestOp], *, alone: bool = True
    ) -> tuple[rpc.Header, list[rpc.RangeResponse]]:
        """The answers, of one moment. Without quorum one member is asked `alone`, unless it is behind what was read."""
        request = rpc.TxnRequest(success=operations)
        within = READ_WITHIN if alone else WITHIN
        try:
            answer = self._cluster.call(TXN, request, within=within, attempt=_attempt(request), reading=alone)
        except Lost as exc:
            if not alone:
                raise
            answer = self._read_alone(request, exc)
        return answer.header, [each.response_range for each in answer.responses]

    def _read_alone(self, request: rpc.TxnRequest, lost: Lost) -> rpc.TxnResponse:
        least = self._cluster.applied
        for operation in request.success:
            operation.request_range.serializable = True
        for endpoint in self._cluster.endpoints:
            try:
                answer = self._cluster.ask(endpoint, TXN, request, _attempt(request), require_leader=False)
            except grpc.RpcError:
                continue
            if answer.header.revision >= least:
                self._cluster.prefer(endpoint)
                return answer
        raise NoQuorum(f"{lost}; and no member can answer alone") from lost

    def _find(self) -> Space:
        """The present space, made when there is none yet."""
        _header, (answer,) = self.read([layout.get(self.root_key)])
        if not answer.kvs:
            self._make()
            _header, (answer,) = self.read([layout.get(self.root_key)])
        root = layout.decode(answer.kvs[0].value, Root)
        if root.format != FORMAT:
            raise Error(f"the store in etcd has format {root.format}, this version knows {FORMAT}")
        self._space = self.space(root.space)
        return self._space

    def _make(self) -> None:
        name = secrets.token_hex(8)
        space = self.space(name)
        self._cluster.call(
            TXN,
            rpc.TxnRequest(
                compare=[layout.unchanged(self.root_key, 0)],
                success=[
                    layout.put(self.root_key, layout.encode(Root(FORMAT, name))),
                    layout.put(space.head, layout.encode(Head(1, 0))),
                    layout.put(space.meta, layout.encode(Meta())),
                ],
            ),
        )


def _attempt(request: rpc.TxnRequest) -> float:
    """How long one member may take: pages are long answers."""
    return _SLOW if any(operation.request_range.limit >= PAGE for operation in request.success) else ATTEMPT
