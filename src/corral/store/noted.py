"""A tree that notes what is read from it, so that a plan can say what it was made from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from corral.store.base import Doc, Revision, Tree


class NotedTree:
    """Passes every read on to `tree`; while `noting` in this thread it also notes keys with their versions."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._notes: ContextVar[dict[str, str] | None] = ContextVar("notes", default=None)

    @property
    def revision(self) -> Revision:
        """The revision that reads show at least."""
        return self._tree.revision

    def get(self, key: str) -> Doc | None:
        """The record, or None."""
        doc = self._tree.get(key)
        notes = self._notes.get()
        if notes is not None:
            notes[key] = str(doc.version if doc else 0)
        return doc

    def list(self, prefix: str = "") -> list[Doc]:
        """All records whose key starts with `prefix`, in order of their keys."""
        docs = self._tree.list(prefix)
        notes = self._notes.get()
        if notes is not None:
            notes[f"{prefix}*"] = _sum(docs)
        return docs

    @contextmanager
    def noting(self) -> Iterator[dict[str, str]]:
        """Note the reads of this thread: key → version, `prefix*` → a hash over the versions below it."""
        notes: dict[str, str] = {}
        token = self._notes.set(notes)
        try:
            yield notes
        finally:
            self._notes.reset(token)

    def now(self, noted: str) -> str:
        """The present value of a note."""
        if noted.endswith("*"):
            return _sum(self._tree.list(noted[:-1]))
        doc = self._tree.get(noted)
        return str(doc.version if doc else 0)


def _sum(docs: list[Doc]) -> str:
    digest = hashlib.sha256()
    for doc in docs:
        digest.update(f"{doc.key}\0{doc.version}\0".encode())
    return digest.hexdigest()[:16]
