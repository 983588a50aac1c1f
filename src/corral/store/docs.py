"""Records in memory, by key and in order."""

from __future__ import annotations

import bisect
from collections.abc import Iterable

from corral.store.base import Doc


class Docs:
    """Records by key, also in order of their keys. Not thread-safe."""

    def __init__(self, docs: Iterable[Doc] = ()) -> None:
        self.by_key = {doc.key: doc for doc in docs}
        self._keys = sorted(self.by_key)

    def put(self, key: str, doc: Doc | None) -> None:
        """Set or (None) remove a record."""
        if doc is None:
            if self.by_key.pop(key, None):
                del self._keys[bisect.bisect_left(self._keys, key)]
            return
        if key not in self.by_key:
            bisect.insort(self._keys, key)
        self.by_key[key] = doc

    def list(self, prefix: str) -> list[Doc]:
        """The records below `prefix`, in order of their keys."""
        if not prefix:
            return [self.by_key[key] for key in self._keys]
        start = bisect.bisect_left(self._keys, prefix)
        # No key contains the highest code point: it is not printable.
        end = bisect.bisect_left(self._keys, prefix + "\U0010ffff", start)
        return [self.by_key[key] for key in self._keys[start:end]]
