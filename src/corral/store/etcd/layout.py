"""How the store lies in etcd: keys and values. Pure.

    ROOT/root                       which space is the present one
    ROOT/lease/<name>               who holds a lease; bound to a lease of etcd
    ROOT/space/<space>/
        c                           the head: era and number. Each commit compares and replaces it
        c1                          what the last commit did, for those who watch
        d/<key>                     a record
        h/<number↓>                 a revision of the history: when, who, why, which records
        k/<key>\\0<number↓>          a record's change: the text before
        u/<who>\\0<number↓>          an index by user
        t/<time↓>/<number↓>         an index by time
        i/<id>                      the id of an applied transaction
        m                           how far history was pruned, where ended eras end

Numbers marked ↓ are subtracted from the highest, so that etcd, which lists upwards, lists the newest first. A restore
fills a space of its own, which then becomes the present one in one transaction. Who watches c to d/ of the present
space sees the records of a commit together with `c1`, which says to which revision each of them belongs.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import msgspec
import zstandard

from corral.store.base import Batch, Cause, Change, Doc, RecordClass, Revision, Touch
from corral.store.etcd import rpc_pb2 as rpc
from corral.store.history import Entry

FORMAT = 1
RECENT = 32
"""How many commits the head remembers."""

_TOP = 2**63 - 1


class Root(msgspec.Struct, frozen=True, array_like=True):
    """The value of `root`."""

    format: int
    space: str


class Head(msgspec.Struct, frozen=True, array_like=True):
    """The value of `c`: the present revision.

    `base` is the number with which the space began: the version of its records that name none. `recent` has mark and
    last number of the last commits, so that who lost the answer finds whether it was applied. `ended`: another space
    has become the present one.
    """

    era: int
    number: int
    base: int = 0
    recent: tuple[tuple[bytes, int], ...] = ()
    ended: bool = False

    @property
    def revision(self) -> Revision:
        """Era and number."""
        return Revision(self.era, self.number)


class Meta(msgspec.Struct, frozen=True, array_like=True):
    """The value of `m`; see `image.Image`."""

    floor: int = 0
    ends: dict[int, int] = {}


class Told(msgspec.Struct, frozen=True, array_like=True):
    """A revision in `c1`: its records, each with the class that it had before (None: it was not there)."""

    number: int
    who: str
    why: str
    records: dict[str, RecordClass | None]


class _Record(msgspec.Struct, frozen=True, array_like=True):
    version: int
    cls: RecordClass
    header: dict[str, str]
    history: bool
    text: str


class _Past(msgspec.Struct, frozen=True, array_like=True):
    era: int
    time: float
    who: str
    why: str
    cls: RecordClass
    before: bytes | None


class Event(msgspec.Struct, frozen=True, array_like=True):
    """The value of `h/`: `size` counts the kept texts, compressed."""

    era: int
    time: float
    who: str
    why: str
    size: int
    records: dict[str, RecordClass]

    def touches(self, number: int) -> list[Touch]:
        """A touch for each record, in the order of histories."""
        cause = Cause(who=self.who, why=self.why)
        revision = Revision(self.era, number)
        return [
            Touch(key=key, revision=revision, time=self.time, cause=cause, cls=cls)
            for key, cls in sorted(self.records.items(), reverse=True)
        ]


class Held(msgspec.Struct, frozen=True, array_like=True):
    """The value of `lease/`."""

    holder: str
    ttl: float


T = TypeVar("T")
encode = msgspec.msgpack.encode


def decode(value: bytes, kind: type[T]) -> T:
    """The inverse of `encode`."""
    return msgspec.msgpack.decode(value, type=kind)


def told(value: bytes) -> list[Told]:
    """The value of `c1`."""
    return msgspec.msgpack.decode(value, type=list[Told])


def down(number: int) -> bytes:
    """A number as a key that sorts the highest first."""
    return b"%016x" % (_TOP - number)


def up(key: bytes) -> int:
    """The number at the end of a key made by `down`."""
    return _TOP - int(key[-16:], 16)


def down_time(time: float) -> bytes:
    """A time (epoch, not negative) like `down`; exact, since such floats sort like their bits."""
    (bits,) = struct.unpack(">q", struct.pack(">d", max(time, 0.0)))
    return down(bits)


def end_of(prefix: bytes) -> bytes:
    """Where the keys below a prefix end; no prefix of ours ends with 0xff."""
    return prefix[:-1] + bytes([prefix[-1] + 1])


class Span(NamedTuple):
    """Keys from `start`, before `end`."""

    start: bytes
    end: bytes

    def since(self, key: bytes) -> Span:
        """Its part from that key on."""
        return Span(max(self.start, key), self.end)


class Space(NamedTuple):
    """The keys of a space; `prefix` ends with a slash."""

    prefix: bytes

    @property
    def head(self) -> bytes:
        """The head's key."""
        return self.prefix + b"c"

    @property
    def told(self) -> bytes:
        """The key of what the last commit did."""
        return self.prefix + b"c1"

    @property
    def meta(self) -> bytes:
        """The key of floor and ends."""
        return self.prefix + b"m"

    @property
    def watched(self) -> Span:
        """Head, told and records."""
        return Span(self.head, self.prefix + b"e")

    @property
    def all(self) -> Span:
        """Everything."""
        return Span(self.prefix, end_of(self.prefix))

    def doc(self, key: str) -> bytes:
        """A record's key."""
        return self.prefix + b"d/" + key.encode()

    def docs(self, prefix: str = "") -> Span:
        """The records below a prefix."""
        return _below(self.doc(prefix))

    def key(self, doc: bytes) -> str:
        """The inverse of `doc`."""
        return doc[len(self.prefix) + 2 :].decode()

    def id(self, id_: str) -> bytes:
        """The key of an applied transaction's id."""
        return self.prefix + b"i/" + id_.encode()

    def ids(self) -> Span:
        """All ids."""
        return _below(self.prefix + b"i/")

    def event(self, number: int) -> bytes:
        """The key of a revision of the history."""
        return self.prefix + b"h/" + down(number)

    def events(self, below: int | None = None) -> Span:
        """The revisions of the history, newest first: all, or those below a number."""
        return _from(self.prefix + b"h/", below)

    def past(self, key: str, number: int) -> bytes:
        """The key of a record's change."""
        return self.prefix + b"k/" + key.encode() + b"\0" + down(number)

    def pasts(self, key: str, below: int | None = None) -> Span:
        """The changes of one record, newest first: all, or those below a number."""
        return _from(self.prefix + b"k/" + key.encode() + b"\0", below)

    def all_pasts(self) -> Span:
        """The changes of all records, by record."""
        return _below(self.prefix + b"k/")

    def past_key(self, past: bytes) -> str:
        """The record of a key made by `past`."""
        return past[len(self.prefix) + 2 : -17].decode()

    def user(self, who: str, number: int) -> bytes:
        """The key of the index by user."""
        return self.prefix + b"u/" + who.encode() + b"\0" + down(number)

    def by_user(self, who: str, below: int | None = None) -> Span:
        """What a user did, newest first."""
        return _from(self.prefix + b"u/" + who.encode() + b"\0", below)

    def time(self, time: float, number: int) -> bytes:
        """The key of the index by time."""
        return self.prefix + b"t/" + down_time(time) + b"/" + down(number)

    def until(self, time: float) -> Span:
        """The revisions made at or before a time, newest first."""
        prefix = self.prefix + b"t/"
        return Span(prefix + down_time(time), end_of(prefix))


def _below(prefix: bytes) -> Span:
    return Span(prefix, end_of(prefix))


def _from(prefix: bytes, below: int | None) -> Span:
    span = _below(prefix)
    return span if below is None else span.since(prefix + down(below - 1))


# --- values


def record(doc: Doc, *, version: int | None = None) -> bytes:
    """The value of `d/`; with `version` 0 it has the space's `base`."""
    return encode(
        _Record(doc.version if version is None else version, doc.cls, doc.header, doc.history, doc.text),
    )


def doc(key: str, value: bytes, base: int) -> Doc:
    """The inverse of `record`."""
    found = decode(value, _Record)
    return Doc(
        key=key,
        text=found.text,
        version=found.version or base,
        cls=found.cls,
        header=found.header,
        history=found.history,
    )


def entry(key: str, number: int, value: bytes) -> Entry:
    """The change record in a value of `k/`."""
    found = decode(value, _Past)
    return Entry(
        key=key,
        revision=Revision(found.era, number),
        time=found.time,
        cause=Cause(who=found.who, why=found.why),
        cls=found.cls,
        before=None if found.before is None else zstandard.decompress(found.before).decode(),
    )


def history(space: Space, entries: Sequence[Entry]) -> list[tuple[bytes, bytes]]:
    """Keys and values that keep the change records of one revision."""
    if not entries:
        return []
    compressor = zstandard.ZstdCompressor(level=3)
    era, number = entries[0].revision
    time, who, why = entries[0].time, entries[0].cause.who, entries[0].cause.why
    puts, size = [], 0
    for each in entries:
        before = None if each.before is None else compressor.compress(each.before.encode())
        size += len(before or b"")
        puts.append((space.past(each.key, number), encode(_Past(era, time, who, why, each.cls, before))))
    event = Event(era, time, who, why, size, {each.key: each.cls for each in entries})
    return [
        *puts,
        (space.event(number), encode(event)),
        (space.user(who, number), b""),
        (space.time(time, number), encode(era)),
    ]


def forgotten(space: Space, number: int, event: Event) -> list[bytes]:
    """The keys that `history` made for a revision."""
    return [
        *(space.past(key, number) for key in event.records),
        space.user(event.who, number),
        space.time(event.time, number),
        space.event(number),
    ]


def batch(each: Told, era: int, docs: dict[str, Doc | None]) -> Batch:
    """A revision as watchers see it; `docs` are the records that its commit left."""
    changes = []
    for key, was in each.records.items():
        after = docs.get(key)
        cls = after.cls if after else was
        assert cls is not None  # a record that was not there has not been deleted
        changes.append(Change(key=key, cls=cls, doc=after, was=was))
    cause = Cause(who=each.who, why=each.why)
    return Batch(revision=Revision(era, each.number), changes=tuple(changes), cause=cause)


# --- operations


def get(key: bytes, end: bytes = b"", *, limit: int = 0, keys_only: bool = False) -> rpc.RequestOp:
    """Read a key, or the keys up to `end`."""
    return rpc.RequestOp(
        request_range=rpc.RangeRequest(key=key, range_end=end, limit=limit, keys_only=keys_only),
    )


def put(key: bytes, value: bytes, lease: int = 0) -> rpc.RequestOp:
    """Write a key."""
    return rpc.RequestOp(request_put=rpc.PutRequest(key=key, value=value, lease=lease))


def delete(key: bytes, end: bytes = b"") -> rpc.RequestOp:
    """Delete a key, or the keys up to `end`."""
    return rpc.RequestOp(request_delete_range=rpc.DeleteRangeRequest(key=key, range_end=end))


def unchanged(key: bytes, mod_revision: int) -> rpc.Compare:
    """That a key stands as it was read; 0: that it does not exist."""
    return rpc.Compare(
        result=rpc.Compare.Result.EQUAL, target=rpc.Compare.Target.MOD, key=key, mod_revision=mod_revision
    )


def present(key: bytes) -> rpc.Compare:
    """That a key exists."""
    return rpc.Compare(result=rpc.Compare.Result.GREATER, target=rpc.Compare.Target.MOD, key=key, mod_revision=0)
