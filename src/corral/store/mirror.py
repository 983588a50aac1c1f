"""The tree in memory, fed by the watch: every list and read of a daemon is answered from it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar, cast

from corral.store.base import Batch, Doc, RecordClass, Reset, Revision, Store, Tree, Watch
from corral.store.docs import Docs

log = logging.getLogger(__name__)

T = TypeVar("T")
Listener = Callable[[Batch | Reset], None]


class Subscription(NamedTuple):
    """A moment of a mirror and the listening that goes on from there."""

    revision: Revision
    docs: list[Doc]
    cancel: Callable[[], None]


@dataclass(slots=True)
class _Values:
    doc: Doc
    by_parser: dict[object, object] = field(default_factory=dict)


class Parsed:
    """Parses each record of a tree once per version. Thread-safe.

    A parser is a function at module level: it is part of the cache's key, and a lambda made per call would fill it.
    What it answers is shared by all callers and must not be changed; what it raises is not kept.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._values: dict[str, _Values] = {}

    def get(self, key: str, parser: Callable[[Doc], T]) -> T | None:
        """The record's parsed value, or None if there is no such record."""
        doc = self._tree.get(key)
        if doc is None:
            self._values.pop(key, None)
            return None
        return self.value(doc, parser)

    def list(self, prefix: str, parser: Callable[[Doc], T]) -> Iterable[tuple[Doc, T]]:
        """The records below `prefix` with their parsed values, in order of their keys."""
        for doc in self._tree.list(prefix):
            yield doc, self.value(doc, parser)

    def value(self, doc: Doc, parser: Callable[[Doc], T]) -> T:
        """The parsed value of a record that was just read."""
        values = self._values.get(doc.key)
        if values is None or (values.doc is not doc and values.doc != doc):
            values = self._values[doc.key] = _Values(doc)
        if parser not in values.by_parser:
            values.by_parser[parser] = parser(doc)
        return cast("T", values.by_parser[parser])

    def forget(self, key: str) -> None:
        """Drop what is kept of a record."""
        self._values.pop(key, None)


class Mirror:
    """A `Tree` in memory. Thread-safe; one thread feeds it (`load`, then `apply` in order), any number read.

    It keeps only what a reader of class `cls` may see; hidden changes still advance its revision.
    """

    def __init__(self, cls: RecordClass = RecordClass.ROOT) -> None:
        self._cls = cls
        self._changed = threading.Condition()
        self._docs = Docs()
        self._revision = Revision(0, 0)
        self._listeners: tuple[Listener, ...] = ()
        self._parsed = Parsed(self)

    @property
    def revision(self) -> Revision:
        """The revision that reads show at least."""
        return self._revision

    def get(self, key: str) -> Doc | None:
        """See `base.Tree`."""
        return self._docs.by_key.get(key)

    def view(self, prefix: str = "") -> tuple[Revision, list[Doc]]:
        """Like `list`, with the revision at which exactly these records stand."""
        with self._changed:
            return self._revision, self._docs.list(prefix)

    def parsed(self, key: str, parser: Callable[[Doc], T]) -> T | None:
        """The record's value, parsed once per version (see `Parsed`); None if there is no such record."""
        return self._parsed.get(key, parser)

    def parsed_list(self, prefix: str, parser: Callable[[Doc], T]) -> Iterable[tuple[Doc, T]]:
        """The records below `prefix` with their values, parsed once per version (see `Parsed`)."""
        return self._parsed.list(prefix, parser)

    def load(self, revision: Revision, docs: Iterable[Doc]) -> None:
        """Replace everything; listeners get `Reset`."""
        loaded = Docs(doc for doc in docs if self._cls.sees(doc.cls))
        with self._changed:
            gone = self._docs.by_key.keys() - loaded.by_key.keys()
            self._docs = loaded
            self._advance(revision, Reset(revision=revision))
        for key in gone:
            self._parsed.forget(key)

    def apply(self, batch: Batch) -> None:
        """Take the batch that follows; one of an earlier revision is ignored."""
        seen = batch.seen_by(self._cls)
        with self._changed:
            if batch.revision <= self._revision:
                return
            for change in seen.changes:
                self._docs.put(change.key, change.doc)
            self._advance(batch.revision, seen)
        for change in seen.changes:
            if change.doc is None:
                self._parsed.forget(change.key)

    def _advance(self, revision: Revision, event: Batch | Reset) -> None:
        self._revision = revision
        self._changed.notify_all()
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                log.exception("a listener of the mirror failed")

    def wait_for(self, revision: Revision, timeout: float) -> bool:
        """Wait until reads show `revision`, at most `timeout` seconds; whether they do.

        A revision of an ended era counts as shown: a restore has taken it back or over.
        """
        if self._revision >= revision:
            return True
        with self._changed:
            return self._changed.wait_for(lambda: self._revision >= revision, timeout)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with each batch, or `Reset` after a load; answers the function that ends it.

        It is called in order, by the feeding thread with the mirror locked: it must only take note and return.
        """
        with self._changed:
            self._listeners += (listener,)
        return lambda: self._unlisten(listener)

    def subscribe(self, listener: Listener) -> Subscription:
        """All records, and from exactly there on every batch to `listener` (see `listen`)."""
        with self._changed:
            return Subscription(self._revision, self._docs.list(""), self.listen(listener))

    def _unlisten(self, listener: Listener) -> None:
        with self._changed:
            self._listeners = tuple(each for each in self._listeners if each is not listener)

    def list(self, prefix: str = "") -> list[Doc]:
        """See `base.Tree`."""
        with self._changed:
            return self._docs.list(prefix)


class Follower:
    """Feeds a mirror from a store by a thread of its own, listing again after each `Reset`."""

    def __init__(self, store: Store, mirror: Mirror) -> None:
        self._store = store
        self._mirror = mirror
        self._closed = threading.Event()
        self._watch: Watch | None = None
        self._gate = threading.Lock()
        self._thread = threading.Thread(target=self._loop, name="store-follower", daemon=True)

    def start(self) -> None:
        """Load the mirror now and follow from there."""
        self._load()
        self._thread.start()

    def close(self) -> None:
        """Stop following; idempotent."""
        with self._gate:
            self._closed.set()
            if self._watch:
                self._watch.close()
        if self._thread.is_alive():
            self._thread.join()

    def _load(self) -> None:
        revision, docs = self._store.view()
        self._mirror.load(revision, docs)

    def _loop(self) -> None:
        while watch := self._open():
            for item in watch:
                if isinstance(item, Batch):
                    self._mirror.apply(item)
                else:
                    self._load()
                    break
            else:
                return

    def _open(self) -> Watch | None:
        with self._gate:
            if self._closed.is_set():
                return None
            self._watch = self._store.watch(self._mirror.revision)
            return self._watch
