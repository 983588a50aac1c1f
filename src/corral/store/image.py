"""The form of a snapshot: one for all engines, checked when read."""

from __future__ import annotations

import hashlib

import msgspec
import zstandard

from corral.core.errors import ParamError
from corral.store.base import Doc, Revision
from corral.store.history import Entry

_MAGIC = b"corral-store-1\n"
_DIGEST = hashlib.sha256().digest_size


class Applied(msgspec.Struct, frozen=True):
    """The id of an applied transaction, what it answered, and when."""

    id: str
    revision: Revision
    time: float


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """All of a store but its leases. `entries` are the oldest first.

    `floor` is the highest revision number whose history was dropped; `ends` maps each ended era to its last number.
    """

    revision: Revision
    floor: int
    ends: dict[int, int]
    docs: list[Doc]
    entries: list[Entry]
    applied: list[Applied]


def pack(image: Image) -> bytes:
    """The bytes of a snapshot."""
    body = msgspec.msgpack.encode(image)
    return _MAGIC + hashlib.sha256(body).digest() + zstandard.compress(body, 3)


def unpack(data: bytes) -> Image:
    """The inverse of `pack`; `ParamError` for anything else."""
    if not data.startswith(_MAGIC):
        raise ParamError({"image": "not a snapshot"}, "this is not a snapshot of a store")
    start = len(_MAGIC) + _DIGEST
    try:
        body = zstandard.decompress(data[start:])
    except zstandard.ZstdError as exc:
        raise ParamError({"image": "damaged"}, "the snapshot is damaged") from exc
    if hashlib.sha256(body).digest() != data[len(_MAGIC) : start]:
        raise ParamError({"image": "damaged"}, "the snapshot is damaged: its checksum does not match")
    try:
        return msgspec.msgpack.decode(body, type=Image)
    except msgspec.DecodeError as exc:
        raise ParamError({"image": "unknown form"}, f"the snapshot can't be read: {exc}") from exc


def restored(image: Image, present: Revision, ends: dict[int, int]) -> tuple[Revision, list[Doc], dict[int, int]]:
    """What a store at `present` becomes by a restore: its revision, its records with that version, the ended eras.

    The new number is above all of both, so that nothing read before compares equal.
    """
    revision = Revision(max(image.revision.era, present.era) + 1, max(image.revision.number, present.number) + 1)
    docs = [msgspec.structs.replace(doc, version=revision.number) for doc in image.docs]
    # Of an era that went on after the snapshot only the moments up to the snapshot remain.
    ends = dict.fromkeys(range(1, revision.era), 0) | image.ends | {image.revision.era: image.revision.number}
    return revision, docs, ends


def missing(revision: Revision, present: Revision, floor: int, ends: dict[int, int]) -> bool:
    """Whether the state at `revision` can't be told: not kept any more, not yet there, or taken back by a restore."""
    if revision.number < floor or revision > present:
        return True
    return revision.era != present.era and revision.number > ends.get(revision.era, 0)
