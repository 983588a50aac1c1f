"""Reading the history at a moment: which changes, the texts before and after, the state of then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from corral.core.errors import NotFound
from corral.store.base import Doc, Past, Revision, Stood, Touch
from corral.store.etcd import layout
from corral.store.etcd import rpc_pb2 as rpc
from corral.store.etcd.layout import Event, Span
from corral.store.etcd.moments import Moment
from corral.store.history import Entry, rewind, shown
from corral.store.image import Applied, Image, missing

_PAGE = 200


class Pasts:
    """The history as it was kept at a moment; see `base.Store` for the verbs."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        self._space = moment.space
        self.meta, self.meta_revision = moment.meta()

    def history(self, prefix: str, *, limit: int, before: Revision | None, exact: bool) -> list[Past]:
        """Past changes, newest first."""
        below = before.number if before else None
        if exact:
            kvs = self._kept(self._moment.some(self._space.pasts(prefix, below), limit))
            entries = [layout.entry(prefix, number, kv.value) for number, kv in kvs]
        else:
            touched = (
                (touch.key, touch.revision.number)
                for number, event in self.events(below)
                for touch in event.touches(number)
                if touch.key.startswith(prefix)
            )
            entries = self._entries(islice(touched, limit))
        return self._with_following(entries, below)

    def _entries(self, wanted: Iterable[tuple[str, int]]) -> list[Entry]:
        names = list(wanted)
        found = self._moment.each([self._space.past(key, number) for key, number in names])
        return [layout.entry(key, number, kv.value) for (key, number), kv in zip(names, found, strict=True) if kv]

    def _with_following(self, entries: list[Entry], below: int | None) -> list[Past]:
        docs = self._moment.get(sorted({entry.key for entry in entries}))
        following: dict[str, str | None] = {}
        pasts = []
        for entry in entries:
            if entry.key not in following:
                newer = None if below is None else self._next(entry.key, below - 1)
                following[entry.key] = newer.before if newer else shown(docs.get(entry.key))
            pasts.append(entry.past(following[entry.key]))
            following[entry.key] = entry.before
        return pasts

    def _next(self, key: str, number: int) -> Entry | None:
        """The first change of a record after revision `number`.

        The newest come first, so it is looked for in growing steps from that revision on.
        """
        newest = self._moment.some(self._space.pasts(key), 1, keys_only=True)
        if not newest or layout.up(newest[0].key) <= number:
            return None
        low, step = number, 16
        while True:
            span = self._space.pasts(key, low + step + 1)
            if low:
                span = Span(span.start, self._space.past(key, low))
            if found := list(self._moment.scan(span, keys_only=True)):
                first = found[-1].key
                (kv,) = self._moment.some(Span(first, first + b"\0"), 1)
                return layout.entry(key, layout.up(first), kv.value)
            low, step = low + step, step * 8

    def touches(
        self, prefix: str, *, exact: bool, who: str, after: Revision | None, before: Revision | None, limit: int
    ) -> list[Touch]:
        """Which records were changed, newest first."""
        below = before.number if before else None
        if exact:
            found = self._of_record(prefix, below)
        elif who:
            found = self._by_user(who, below)
        else:
            found = (touch for number, event in self.events(below) for touch in event.touches(number))
        least = after.number if after else -1
        wanted = (
            touch
            for touch in _above(found, least)
            if touch.key.startswith(prefix) and (not who or touch.cause.who == who)
        )
        return list(islice(wanted, limit))

    def _of_record(self, key: str, below: int | None) -> Iterator[Touch]:
        for number, kv in self._kept(self._moment.scan(self._space.pasts(key, below), page=_PAGE)):
            yield layout.entry(key, number, kv.value).touch()

    def _by_user(self, who: str, below: int | None) -> Iterator[Touch]:
        numbers = (layout.up(kv.key) for kv in self._moment.scan(self._space.by_user(who, below), page=_PAGE))
        while page := list(islice(numbers, _PAGE)):
            found = self._moment.each([self._space.event(number) for number in page])
            for number, kv in zip(page, found, strict=True):
                if kv and number > self.meta.floor:
                    yield from layout.decode(kv.value, Event).touches(number)

    def events(self, below: int | None = None) -> Iterator[tuple[int, Event]]:
        """The kept revisions, newest first."""
        for number, kv in self._kept(self._moment.scan(self._space.events(below), page=_PAGE)):
            yield number, layout.decode(kv.value, Event)

    def _kept(self, kvs: Iterable[rpc.KeyValue]) -> Iterator[tuple[int, rpc.KeyValue]]:
        """Those above the floor: what lies below it may still wait for its deletion."""
        for kv in kvs:
            number = layout.up(kv.key)
            if number <= self.meta.floor:
                return
            yield number, kv

    def at(self, time: float) -> Revision | None:
        """The newest revision made at or before a time."""
        for kv in self._moment.scan(self._space.until(time), page=_PAGE):
            number = layout.up(kv.key)
            if number > self.meta.floor:
                return Revision(layout.decode(kv.value, int), number)
        return None

    def as_of(self, revision: Revision, prefix: str, *, exact: bool) -> Mapping[str, Stood]:
        """The records as they stood."""
        if missing(revision, self._moment.head.revision, self.meta.floor, self.meta.ends):
            raise NotFound(f"the store's history does not tell revision {revision}")
        if exact:
            found = self._next(prefix, revision.number)
            docs: Iterable[Doc] = self._moment.get([prefix]).values() if prefix else []
            return rewind(docs, [found] if found else [], revision.number)
        first: dict[str, int] = {}
        for number, event in self.events():
            if number <= revision.number:
                break
            first.update(dict.fromkeys((key for key in event.records if key.startswith(prefix)), number))
        entries = sorted(self._entries(first.items()), key=lambda entry: entry.revision.number, reverse=True)
        return rewind(self._moment.docs(prefix), entries, revision.number)

    def image(self) -> Image:
        """All of the store."""
        entries = [
            layout.entry(self._space.past_key(kv.key), number, kv.value)
            for kv in self._moment.scan(self._space.all_pasts())
            if (number := layout.up(kv.key)) > self.meta.floor
        ]
        return Image(
            revision=self._moment.head.revision,
            floor=self.meta.floor,
            ends=self.meta.ends,
            docs=self._moment.docs(),
            entries=sorted(entries, key=lambda entry: (entry.revision.number, entry.key)),
            applied=[layout.decode(kv.value, Applied) for kv in self._moment.scan(self._space.ids())],
        )


def _above(touches: Iterator[Touch], number: int) -> Iterator[Touch]:
    for touch in touches:
        if touch.revision.number <= number:
            return
        yield touch
