"""A tree that notes what is read from it, so that a plan can say what it was made from, and can be laid over."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import msgspec

from corral.store.base import Doc, RecordClass, Revision, Tree, Write

_versions = itertools.count(-1, -1)


class Overlay:
    """Writes that are not made yet, merged by record: what a tree shows in the thread that lays them over it.

    Their versions are negative and never come twice, so whoever keeps a text parsed by its version notices.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._writes: dict[str, Write] = {}
        self.docs: dict[str, Doc | None] = {}

    @property
    def writes(self) -> tuple[Write, ...]:
        """One write for each record, which compares the version that the first one of it was made from."""
        return tuple(self._writes.values())

    def put(self, write: Write) -> None:
        """Add a write; those of one record follow each other."""
        old = self.docs[write.key] if write.key in self.docs else self._tree.get(write.key)
        first = self._writes.get(write.key, write)
        cls, header = write.cls or first.cls, first.header if write.header is None else write.header
        self._writes[write.key] = msgspec.structs.replace(write, expect=first.expect, cls=cls, header=header)
        if write.text is None:
            self.docs[write.key] = None
            return
        self.docs[write.key] = Doc(
            key=write.key,
            text=write.text,
            version=next(_versions),
            cls=write.cls or (old.cls if old else RecordClass.API),
            header=(old.header if old else {}) if write.header is None else write.header,
            history=write.history or bool(old and old.history),
        )


class NotedTree:
    """Passes every read on to `tree`; while `noting` in this thread it also notes keys with their versions.

    While `overlaid` in this thread, it shows that overlay's records in place of the tree's, and notes the tree's.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._notes: ContextVar[dict[str, str] | None] = ContextVar("notes", default=None)
        self._overlay: ContextVar[Overlay | None] = ContextVar("overlay", default=None)

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
        overlay = self._overlay.get()
        return doc if overlay is None or key not in overlay.docs else overlay.docs[key]

    def list(self, prefix: str = "") -> list[Doc]:
        """All records whose key starts with `prefix`, in order of their keys."""
        docs = self._tree.list(prefix)
        notes = self._notes.get()
        if notes is not None:
            notes[f"{prefix}*"] = _sum(docs)
        overlay = self._overlay.get()
        return docs if overlay is None else _laid_over(docs, overlay, prefix)

    @contextmanager
    def overlaid(self) -> Iterator[Overlay]:
        """Lay writes over the tree for this thread: what reads in it see of them, nobody else does."""
        overlay = Overlay(self._tree)
        token = self._overlay.set(overlay)
        try:
            yield overlay
        finally:
            self._overlay.reset(token)

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


def _laid_over(docs: list[Doc], overlay: Overlay, prefix: str) -> list[Doc]:
    found = {doc.key: doc for doc in docs}
    for key, doc in overlay.docs.items():
        if key.startswith(prefix):
            found.pop(key, None)
            if doc is not None:
                found[key] = doc
    return [found[key] for key in sorted(found)]


def _sum(docs: list[Doc]) -> str:
    digest = hashlib.sha256()
    for doc in docs:
        digest.update(f"{doc.key}\0{doc.version}\0".encode())
    return digest.hexdigest()[:16]
