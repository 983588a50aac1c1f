"""The history as its readers ask for it: rows of who changed what, differences, blame, and the state of some moment.

A reader sees the records that `sees` allows. The texts of others are not read, of class root and of what lies below
`priv/` (see `paths.unseen`) it is told only that they changed. VMIDs are given again: unless the reader sees all pasts,
a guest's begins with the creation of the guest that has the number now, and there is none if no guest has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, takewhile
from typing import Annotated, Final, Literal, NamedTuple

import msgspec

from corral.core.errors import Forbidden, NotFound
from corral.schema.fields import name
from corral.store import history
from corral.store.base import Past, Revision, Store, Touch, Tree
from corral.store.history import redact
from corral.store.paths import GUEST, PathView, unseen
from corral.store.settle import MAX_STEPS

SHOWN = 20
"""Records that a row shows; it tells how many there are."""

DIFFS = 200
"""Records of one revision that are shown with their differences."""

BLAMED = 1000
"""Changes of a record that a blame reads: lines that are older have no author."""

STRIDES = 32
"""Changes of a record by one task that a revert takes for one: noted as pending, made in the machine, noted as made."""

LOOKED_AT = 20_000
"""Changes that one call looks through for those that the reader may see, before it answers with what it has."""

LIVES = (10, 90, 900)
"""Changes of a guest that are read, in steps, to find its creation: without it what is older is not shown."""

_ALWAYS: Final = Revision(0, 0)
_NEVER: Final = Revision(2**62, 0)

Action = Literal["create", "change", "delete"]


class RecordChange(msgspec.Struct, frozen=True, kw_only=True):
    """What a revision did to a record. `added` and `removed` count lines; a hidden record has neither."""

    key: str
    path: str
    cls: Annotated[str, name("class")]
    action: Action
    added: int | None = None
    removed: int | None = None


class RecordDiff(RecordChange, frozen=True, kw_only=True):
    """The same with the unified difference, which a hidden record does not have."""

    diff: str | None = None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A revision: `why` names the call, or the task (then also `upid`); `count` is how many records there are."""

    revision: str
    time: int
    user: str
    why: str
    upid: str | None = None
    count: int
    records: list[RecordChange]


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """Revisions, newest first. `next` is there when there may be more: the `before` of the call that goes on."""

    rows: list[Row]
    next: str | None = None


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """One revision with the differences that it made; see `Row`."""

    revision: str
    time: int
    user: str
    why: str
    upid: str | None = None
    count: int
    records: list[RecordDiff]


class BlamedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the present text and the change that brought it; only `text` where that is older than the history."""

    text: str
    revision: str | None = None
    time: int | None = None
    user: str | None = None
    why: str | None = None


class Blame(msgspec.Struct, frozen=True, kw_only=True):
    """A record's present text, line by line."""

    key: str
    path: str
    lines: list[BlamedLine]


class ThenFile(msgspec.Struct, frozen=True, kw_only=True):
    """A record that existed then. `size` counts bytes; a hidden record has none."""

    key: str
    path: str
    cls: Annotated[str, name("class")]
    size: int | None = None


class Then(msgspec.Struct, frozen=True, kw_only=True):
    """The state at a revision: all files, or the text of the one that was asked for."""

    revision: str
    files: list[ThenFile]
    text: str | None = None


class Asked(NamedTuple):
    """Which rows are wanted: of one record, by one user, in a span of time."""

    key: str = ""
    user: str = ""
    since: int | None = None
    until: int | None = None
    before: Revision | None = None
    limit: int = 50


class Deed(NamedTuple):
    """What a revision did to a record, and what came after it, newest first; `hidden`: its text is not to be shown."""

    path: str
    past: Past
    later: Sequence[Past]
    hidden: bool


class Chronicle:
    """The history of `store`, for one reader; `all_pasts`: also of guests that are gone, whose numbers others have."""

    def __init__(
        self, store: Store, tree: Tree, sees: Callable[[str], bool], *, all_pasts: bool, local: str = ""
    ) -> None:
        self._store = store
        self._tree = tree
        self._view = PathView(tree, local=local)
        self._sees = sees
        self._all_pasts = all_pasts
        self._seen: dict[str, bool] = {}
        self._since: dict[str, Revision] = {}

    def _may(self, key: str, revision: Revision) -> bool:
        """Whether the reader may see what a record was at a revision, or became by it."""
        if key not in self._seen:
            self._seen[key] = self._sees(key)
        if not self._seen[key] or self._all_pasts or not key.startswith(GUEST):
            return self._seen[key]
        doc = self._tree.get(key)
        if doc is not None and revision.number >= doc.version:
            return True  # what it is now: needs no look at its past
        if key not in self._since:
            self._since[key] = self._begins(key)
        return revision >= self._since[key]

    def _begins(self, key: str) -> Revision:
        """The first revision of a guest's past that is that of the guest which is there now."""
        before: Revision | None = None
        for limit in LIVES:
            pasts = self._store.history(key, exact=True, before=before, limit=limit)
            if before is None and pasts and pasts[0].after is None:
                return _NEVER
            for past in pasts:
                if past.before is None:
                    return past.revision
            if len(pasts) < limit:
                return _ALWAYS  # what is kept is younger than the guest
            before = pasts[-1].revision
        return before or _ALWAYS

    def key(self, path: str) -> str:
        """The key behind a path of the view, or a key."""
        return self._view.key(path)

    def rows(self, asked: Asked) -> Rows:
        """The rows of the revisions that changed what is asked for and what the reader may see."""
        window = self._window(asked)
        if window is None:
            return Rows(rows=[])
        rows: list[Row] = []
        looked_at, cursor = 0, asked.before
        for touches in self._revisions(asked, *window):
            looked_at, cursor = looked_at + len(touches), touches[0].revision
            if seen := [touch for touch in touches if self._may(touch.key, touch.revision)]:
                rows.append(self._row(seen))
            if len(rows) >= asked.limit or looked_at >= LOOKED_AT:
                return Rows(rows=rows, next=str(cursor))
        return Rows(rows=rows)

    def _window(self, asked: Asked) -> tuple[Revision | None, Revision | None] | None:
        """The revisions between which the rows are, both exclusive; None if there can be none."""
        after, before = None, asked.before
        if asked.since is not None:
            after = self._store.moment(_just_before(asked.since))
        if asked.until is not None:
            newest = self._store.moment(_just_before(asked.until + 1))
            if newest is None:
                return None
            behind = _behind(newest)
            before = behind if before is None else min(before, behind)
        return after, before

    def _revisions(self, asked: Asked, after: Revision | None, before: Revision | None) -> Iterator[list[Touch]]:
        """The touches of whole revisions, newest first."""
        size = max(2 * asked.limit, 100)
        while True:
            found = self._store.touches(
                asked.key, exact=bool(asked.key), who=asked.user, after=after, before=before, limit=size
            )
            groups = [list(group) for _, group in groupby(found, lambda touch: touch.revision)]
            if len(found) < size:
                yield from groups
                return
            if len(groups) == 1:  # a revision of more records than were asked for
                size = MAX_STEPS + 1
                continue
            yield from groups[:-1]  # of the last there may be more
            before = groups[-2][0].revision

    def _row(self, touches: Sequence[Touch]) -> Row:
        records = [self._change(past) for past in self._pasts(touches[:SHOWN])]
        return msgspec.structs.replace(_row(touches), records=records)

    def _pasts(self, touches: Sequence[Touch]) -> Iterator[Past]:
        for touch in sorted(touches, key=lambda touch: touch.key):
            yield from self._store.history(touch.key, exact=True, before=_behind(touch.revision), limit=1)

    def revision(self, revision: Revision) -> Details:
        """One revision; `NotFound` if it changed nothing that the reader may see."""
        touches = [touch for touch in self._touches(revision) if self._may(touch.key, revision)]
        if not touches:
            raise NotFound(f"the history has no revision '{revision}' that you may see")
        records = [self._diff(past) for past in self._pasts(touches[:DIFFS])]
        row = _row(touches)
        return Details(
            revision=row.revision,
            time=row.time,
            user=row.user,
            why=row.why,
            upid=row.upid,
            count=row.count,
            records=records,
        )

    def _touches(self, revision: Revision, key: str = "") -> list[Touch]:
        found = self._store.touches(
            key, exact=bool(key), after=_ahead(revision), before=_behind(revision), limit=MAX_STEPS
        )
        return sorted((touch for touch in found if touch.revision == revision), key=lambda touch: touch.key)

    def changes(self, revision: Revision | None, key: str = "") -> list[Deed]:
        """What a revision (None: the last one) did to the record, or to all if none is named.

        `NotFound` if it did nothing to it, `Forbidden` if there are records among them that the reader may not see.
        """
        if revision is None:
            newest = self._store.touches(key, exact=True, limit=1)
            if not newest:
                raise NotFound(f"'{self._view.path_of(key)}' has no history")
            revision = newest[0].revision
        touches = self._touches(revision, key)
        seen = [touch for touch in touches if self._may(touch.key, touch.revision)]
        if not seen:
            raise NotFound(f"the history has no revision '{revision}' of what you may see")
        if len(seen) < len(touches):
            raise Forbidden(f"revision {revision} changed records that you may not see: name one with 'path'")
        return [self._deed(past) for past in self._pasts(touches)]

    def _deed(self, past: Past) -> Deed:
        newer = self._store.history(past.key, exact=True, limit=BLAMED)
        later = [each for each in newer if each.revision > past.revision]
        whole = msgspec.structs.replace(past, before=self._before(past))
        return Deed(self._view.path_of(past.key), whole, later, unseen(past.key, past.cls))

    def _before(self, past: Past) -> str | None:
        """The text before a revision; of a task's, before the first of those that it made in a row."""
        if not past.cause.why.startswith("UPID:"):
            return past.before
        older = self._store.history(past.key, exact=True, before=_behind(past.revision), limit=STRIDES)
        return list(takewhile(lambda each: each.cause == past.cause, older))[-1].before

    def _change(self, past: Past) -> RecordChange:
        action: Action = "create" if past.before is None else "delete" if past.after is None else "change"
        told = RecordChange(key=past.key, path=self._view.path_of(past.key), cls=past.cls.value, action=action)
        if unseen(past.key, past.cls):
            return told
        added, removed = history.counts(past.before, past.after)
        return msgspec.structs.replace(told, added=added, removed=removed)

    def _diff(self, past: Past) -> RecordDiff:
        told = self._change(past)
        hidden = told.added is None
        return RecordDiff(
            key=told.key,
            path=told.path,
            cls=told.cls,
            action=told.action,
            added=told.added,
            removed=told.removed,
            diff=None if hidden else history.diff(past.before, past.after, name=told.path),
        )

    def blame(self, key: str) -> Blame:
        """Who wrote each line of a record; `NotFound` if it has no history that can be shown."""
        newest = self._store.history(key, exact=True, limit=BLAMED)
        pasts = [past for past in newest if self._may(key, past.revision)]
        if not pasts or any(unseen(key, past.cls) for past in pasts):
            raise NotFound(f"'{self._view.path_of(key)}' has no history to be shown")
        return Blame(key=key, path=self._view.path_of(key), lines=[_blamed(line) for line in history.blame(pasts)])

    def at(self, revision: Revision, key: str = "") -> Then:
        """What was there at a revision: the records, or of one also the text."""
        found = self._store.as_of(revision, key, exact=bool(key))
        files = [
            ThenFile(
                key=each,
                path=self._view.path_of(each),
                cls=stood.cls.value,
                size=None if unseen(each, stood.cls) else len(redact(stood.text).encode()),
            )
            for each, stood in found.items()
            if self._may(each, revision)
        ]
        if not key:
            return Then(revision=str(revision), files=sorted(files, key=lambda file: file.path))
        if not files:
            raise NotFound(f"there was no '{self._view.path_of(key)}' at revision {revision}")
        text = None if files[0].size is None else redact(found[key].text)
        return Then(revision=str(revision), files=files, text=text)

    def moment(self, time: int) -> Revision:
        """The revision that stood at the end of that second; `NotFound` before the history begins."""
        found = self._store.moment(_just_before(time + 1))
        if found is None:
            raise NotFound("the history does not reach back to that time")
        return found


def _just_before(time: float) -> float:
    """Times are kept with fractions of a second, and asked for without."""
    return time - 1e-6


def _behind(revision: Revision) -> Revision:
    return Revision(revision.era, revision.number + 1)


def _ahead(revision: Revision) -> Revision:
    return Revision(revision.era, revision.number - 1)


def _row(touches: Sequence[Touch]) -> Row:
    first = touches[0]
    why = first.cause.why
    return Row(
        revision=str(first.revision),
        time=int(first.time),
        user=first.cause.who,
        why=why,
        upid=why if why.startswith("UPID:") else None,
        count=len(touches),
        records=[],
    )


def _blamed(line: history.Line) -> BlamedLine:
    past = line.past
    if past is None:
        return BlamedLine(text=line.text)
    return BlamedLine(
        text=line.text,
        revision=str(past.revision),
        time=int(past.time),
        user=past.cause.who,
        why=past.cause.why,
    )
