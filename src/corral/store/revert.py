"""Taking back what a revision did to a record: which of the items in its text are to be as they were. Pure.

An item is what one call can set by itself: an option of a guest or a storage, a user's e-mail address, an ACL entry.
Each kind of record has a function that reads its text as items, and one that turns items into calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from corral.store.base import Past
from corral.store.history import REDACTED

Read = Callable[[str], Mapping[str, str]]
"""A text as items: name → value."""


class Step(NamedTuple):
    """One call: `METHOD /path/{template}` and its parameters, those of the path among them."""

    call: str
    params: dict[str, str]


class Way(NamedTuple):
    """How a record gets back: calls, in order, and what the caller should know first."""

    steps: Sequence[Step]
    warnings: Sequence[str] = ()


class Back(NamedTuple):
    """What is to be as it was.

    wanted  item → its value before the revision; None: it was not there
    since   of these, what somebody has changed since: item → that change
    secret  what can't be brought back, since its value was a secret
    same    what is as it was before the revision, and is to stay so
    """

    wanted: Mapping[str, str | None]
    since: Mapping[str, Past]
    secret: Sequence[str] = ()
    same: Mapping[str, str] = {}

    @property
    def warnings(self) -> list[str]:
        """What the caller should know first."""
        found = [
            f"'{item}' has been changed since, by {past.cause.who} at revision {past.revision}"
            for item, past in self.since.items()
        ]
        return found + [f"'{item}' stays as it is: the history does not keep secrets" for item in self.secret]


def back(own: Past, later: Sequence[Past], now: str, read: Read) -> Back:
    """What takes back the change `own`; `later` are those after it, newest first, `now` the text without secrets."""
    before, after, present = read(own.before or ""), read(own.after or ""), read(now)
    wanted: dict[str, str | None] = {}
    since: dict[str, Past] = {}
    secret: list[str] = []
    for item in sorted({*before, *after}):
        value = before.get(item)
        if value == after.get(item) or value == present.get(item):
            continue
        if value is not None and REDACTED in value:
            secret.append(item)
            continue
        wanted[item] = value
        if present.get(item) != after.get(item) and (change := _newest(item, later, read)):
            since[item] = change
    same = {item: value for item, value in before.items() if present.get(item) == value}
    return Back(wanted, since, secret, same)


def _newest(item: str, later: Sequence[Past], read: Read) -> Past | None:
    """The newest change of an item."""
    for past in later:
        if read(past.before or "").get(item) != read(past.after or "").get(item):
            return past
    return None
