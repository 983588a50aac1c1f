"""Moving a store to another engine: every record with its whole history, under a new era."""

from __future__ import annotations

import msgspec

from corral.core.errors import AlreadyExists, Conflict, Error
from corral.store.base import Revision, Store
from corral.store.image import Image, unpack


def move(source: Store, target: Store) -> Revision:
    """Copy all of `source` into the empty `target`, read it back, and answer the revision with which it begins.

    Nobody may write to `source` meanwhile: `Conflict` if someone has, and then `target` is not to be used.
    `AlreadyExists` if `target` holds something. Leases do not move: their holders take them anew.
    """
    if target.list() or target.touches(limit=1):
        raise AlreadyExists("the store to move to is not empty")
    data = source.snapshot()
    image = unpack(data)
    revision = target.restore(data)
    _compare(image, unpack(target.snapshot()), revision)
    if source.view("")[0] != image.revision:
        raise Conflict("the store was changed while it was moved: what was moved misses that")
    return revision


def _compare(image: Image, moved: Image, revision: Revision) -> None:
    docs = [msgspec.structs.replace(doc, version=revision.number) for doc in image.docs]
    if (moved.revision, moved.docs, moved.entries) != (revision, docs, image.entries):
        raise Error("the moved store is not the same as the one that it was made from")
    if {each.id: each for each in moved.applied} != {each.id: each for each in image.applied}:
        raise Error("the moved store does not know the same transactions as the one that it was made from")
